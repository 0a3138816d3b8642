import CLZ4

extension LZ4Frame {
  /// The largest content of a frame that ``decodeWhole(_:_:into:)`` takes.
  public static let mostWhole = 4 << 20

  /// Decodes one or two whole frames, such as ``compress(_:)`` makes, to the start of `room`.
  ///
  /// What is written is the content of both, one behind the other, checksums verified. It is faster
  /// than liblz4's own interface for frames, in which the checksum takes half of the time: that of two
  /// frames is computed side by side.
  ///
  /// - Parameters:
  ///   - input: Holds the frames.
  ///   - ranges: Where in `input` each lies, from its first byte to its last; one or two.
  ///   - room: Replaced where it is too small.
  /// - Returns: The bytes written; nil where a frame is of another kind, or damaged, which
  ///   ``LZ4FrameDecoder`` then tells.
  public static func decodeWhole(
    _ input: [UInt8], _ ranges: [Range<Int>], into room: inout [UInt8]
  ) -> Int? {
    precondition((1...2).contains(ranges.count), "\(ranges.count) frames")
    var layouts: [Layout] = []
    for range in ranges {
      precondition(range.upperBound <= input.count, "\(range) of \(input.count) bytes")
      guard let layout = Layout(input, range) else { return nil }
      layouts.append(layout)
    }
    let size = layouts.reduce(0) { $0 + $1.contentSize }
    if room.count < size {
      // As large as any two may be, so that it happens once; untouched pages cost nothing.
      let most = 2 * mostWhole
      room = unsafe [UInt8](unsafeUninitializedCapacity: most) { _, filled in filled = most }
    }
    var offset = 0
    for layout in layouts {
      guard decode(input, layout, into: &room, at: offset) else { return nil }
      offset += layout.contentSize
    }
    let bytes = unsafe room.span.bytes
    let first = bytes.extracting(0..<layouts[0].contentSize)
    if layouts.count == 1 {
      return XXHash32.hash(first) == layouts[0].checksum ? size : nil
    }
    let second = bytes.extracting(layouts[0].contentSize..<size)
    return XXHash32.hash(first, second) == (layouts[0].checksum, layouts[1].checksum) ? size : nil
  }

  /// Where the parts of a frame lie (LZ4 Frame Format 1.6.3).
  private struct Layout {
    var contentSize = 0
    /// In the input, in order.
    var blocks: [(range: Range<Int>, isStored: Bool)] = []
    var checksum: UInt32 = 0

    /// Nil where `input[range]` is no whole frame of independent blocks that states the size and the
    /// checksum of its content.
    init?(_ input: [UInt8], _ range: Range<Int>) {
      func word(_ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(input[offset + $1]) << UInt32(8 * $1) }
      }
      // Magic 4, flags 2, content size 8, header checksum 1; then the end mark and the checksum.
      guard range.count >= 23, word(range.lowerBound) == 0x184D_2204 else { return nil }
      var offset = range.lowerBound + 4
      let sizeCode = Int(input[offset + 1] >> 4 & 7)
      // Version 1, independent blocks without checksums, content size and checksum, no dictionary.
      guard input[offset] == 0b0110_1100, input[offset + 1] & 0x8F == 0, sizeCode >= 4,
        word(offset + 6) == 0, word(offset + 2) <= UInt32(LZ4Frame.mostWhole)
      else { return nil }
      contentSize = Int(word(offset + 2))
      let descriptor = unsafe input.span.bytes.extracting(offset..<offset + 10)
      guard UInt8(truncatingIfNeeded: XXHash32.hash(descriptor) >> 8) == input[offset + 10] else {
        return nil
      }
      offset += 11
      while offset + 8 <= range.upperBound {
        let header = word(offset)
        offset += 4
        if header == 0 {
          checksum = word(offset)
          guard offset + 4 == range.upperBound else { return nil }
          return
        }
        let size = Int(header & 0x7FFF_FFFF)
        guard size <= 1 << (2 * sizeCode + 8), size <= range.upperBound - offset else { return nil }
        blocks.append((offset..<offset + size, header >> 31 == 1))
        offset += size
      }
      return nil
    }
  }

  /// Decodes the blocks of a frame; whether they give exactly its content's size.
  private static func decode(
    _ input: [UInt8], _ layout: Layout, into room: inout [UInt8], at start: Int
  ) -> Bool {
    var offset = start
    let end = start + layout.contentSize
    return unsafe input.withUnsafeBytes { source in
      unsafe room.withUnsafeMutableBytes { target in
        for (range, isStored) in layout.blocks {
          let block = unsafe UnsafeRawBufferPointer(rebasing: source[range])
          let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset..<end])
          if isStored {
            guard block.count <= rest.count else { return false }
            unsafe rest.copyMemory(from: block)
            offset += block.count
          } else {
            // Both sizes are at most 4 MiB: they fit liblz4's Int32.
            let count = unsafe LZ4_decompress_safe(
              block.baseAddress, rest.baseAddress, Int32(block.count), Int32(rest.count))
            guard count >= 0 else { return false }
            offset += Int(count)
          }
        }
        return offset == end
      }
    }
  }
}
