/// Decodes the hybrid of runs and bit-packed groups (Encodings.md § RLE) of levels, booleans and
/// dictionary indices, as much as is asked for; also the deprecated BIT_PACKED levels.
struct RunLengthDecoder {
  private let bytes: [UInt8]
  private var position: Int
  private let end: Int
  private let width: Int
  private var runLeft = 0
  private var runValue: UInt32 = 0
  private var packedLeft = 0
  private var bit = 0

  /// - Parameters:
  ///   - bytes: The page.
  ///   - range: Where the runs lie in it.
  ///   - width: The bits of a value, 0...32.
  init(_ bytes: [UInt8], _ range: Range<Int>, width: Int) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
    self.width = width
  }

  /// Replaces the first `count` of `target`.
  mutating func read(_ count: Int, into target: inout [UInt32]) throws(ParquetError.Problem) {
    var done = 0
    while done < count {
      if runLeft > 0 {
        let take = min(runLeft, count - done)
        var span = target.mutableSpan
        for index in done..<done + take { span[index] = runValue }
        runLeft -= take
        done += take
      } else if packedLeft > 0 {
        let take = min(packedLeft, count - done)
        BitUnpacking.unpack(
          bytes, end: end, bit: bit, width: width, into: &target, done..<done + take)
        bit += take * width
        packedLeft -= take
        done += take
      } else {
        try nextRun()
      }
    }
  }

  private mutating func nextRun() throws(ParquetError.Problem) {
    let head = try varint()
    if head & 1 == 0 {
      runLeft = head >> 1
      runValue = 0
      let size = (width + 7) / 8
      guard size <= end - position else { throw Self.endsEarly }
      for place in 0..<size { runValue |= UInt32(bytes[position + place]) << (8 * UInt32(place)) }
      position += size
    } else {
      // The last group may be cut off after the values that count.
      bit = position * 8
      let promised = (head >> 1) * 8
      packedLeft = width == 0 ? promised : min(promised, (end - position) * 8 / width)
      guard packedLeft > 0 || promised == 0 else { throw Self.endsEarly }
      position = width == 0 ? position : min(end, position + (head >> 1) * width)
    }
  }

  private mutating func varint() throws(ParquetError.Problem) -> Int {
    var value = 0
    for shift in stride(from: 0, to: 35, by: 7) {
      guard position < end else { throw Self.endsEarly }
      let byte = bytes[position]
      position += 1
      value |= Int(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw .damaged("a run is too long")
  }

  private static let endsEarly = ParquetError.Problem.damaged("levels or indices end early")
}

/// Decodes the deprecated BIT_PACKED levels: most significant bit first, without any head.
struct BitPackedDecoder {
  private let bytes: [UInt8]
  private var bit: Int
  private let width: Int

  init(_ bytes: [UInt8], at position: Int, width: Int) {
    self.bytes = bytes
    bit = position * 8
    self.width = width
  }

  /// Replaces the first `count` of `target`; the page was checked to hold as many.
  mutating func read(_ count: Int, into target: inout [UInt32]) {
    for index in 0..<count {
      var value: UInt32 = 0
      for _ in 0..<width {
        value = value << 1 | UInt32(bytes[bit >> 3] >> UInt8(7 - bit & 7) & 1)
        bit += 1
      }
      target[index] = value
    }
  }
}

/// Values of a fixed number of bits, least significant first.
enum BitUnpacking {
  /// Unpacks values of at most 32 bits from `bit` on into the places `range` of `target`.
  ///
  /// Bits at and after the byte `end` count as zero.
  static func unpack(
    _ bytes: [UInt8], end: Int, bit first: Int, width: Int, into target: inout [UInt32],
    _ range: Range<Int>
  ) {
    let raw = unsafe bytes.span.bytes  // bytes have no padding
    var span = target.mutableSpan
    let mask = UInt64(1) << UInt64(width) - 1
    var bit = first
    for index in range {
      let byte = bit >> 3
      let word =
        byte + 8 <= end
        // Safe: eight bytes are left.
        ? unsafe raw.unsafeLoadUnaligned(fromByteOffset: byte, as: UInt64.self)
        : tail(bytes, byte, end)
      span[index] = UInt32(truncatingIfNeeded: word >> UInt64(bit & 7) & mask)
      bit += width
    }
  }

  /// The 64 bits from the byte `first` on.
  static func tail(_ bytes: [UInt8], _ first: Int, _ end: Int) -> UInt64 {
    var word: UInt64 = 0
    for place in 0..<8 where first + place < end {
      word |= UInt64(bytes[first + place]) << UInt64(8 * place)
    }
    return word
  }
}
