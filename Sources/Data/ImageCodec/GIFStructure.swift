/// The blocks of a GIF (GIF89a §12): sizes and frames, without decoding.
///
/// giflib would allocate on the way.
struct GIFStructure {
  /// The canvas: the logical screen, or the first frame where that reaches farther, as browsers do.
  private(set) var width: Int
  private(set) var height: Int
  /// The colours of the first frame: its own table, else the one of all frames.
  private(set) var colours: Range<Int>?
  /// Image descriptors up to the trailer, or to where the structure breaks; at least 1.
  private(set) var frames = 0
  /// Whether the first frame has a transparent index.
  private(set) var hasTransparency = false

  /// - Throws: `truncated` or `corrupt` where no first frame is found.
  init(_ bytes: [UInt8]) throws(ImageError) {
    guard bytes.count >= 13 else { throw .truncated }
    func number(at offset: Int) -> Int { Int(bytes[offset]) | Int(bytes[offset + 1]) << 8 }
    width = number(at: 6)
    height = number(at: 8)
    var offset = 13
    if bytes[10] & 0x80 != 0 {
      offset += 3 << (Int(bytes[10] & 7) + 1)
      if offset <= bytes.count { colours = 13..<offset }
    }
    /// Blocks of a length and as many bytes, ended by length 0.
    func skipBlocks() {
      while offset < bytes.count, bytes[offset] != 0 { offset += Int(bytes[offset]) + 1 }
      offset += 1
    }
    walk: while offset < bytes.count {
      switch bytes[offset] {
      case 0x2C:
        guard offset + 10 <= bytes.count else {
          if frames > 0 { break walk }
          throw .truncated
        }
        if frames == 0 {
          let (columns, rows) = (number(at: offset + 5), number(at: offset + 7))
          guard columns > 0, rows > 0 else { throw .corrupt("a frame of \(columns)x\(rows)") }
          width = max(width, number(at: offset + 1) + columns)
          height = max(height, number(at: offset + 3) + rows)
        }
        frames += 1
        let table = bytes[offset + 9]
        let tableBytes = table & 0x80 != 0 ? 3 << (Int(table & 7) + 1) : 0
        if frames == 1, tableBytes > 0, offset + 10 + tableBytes <= bytes.count {
          colours = offset + 10..<offset + 10 + tableBytes
        }
        offset += 10 + tableBytes + 1
        skipBlocks()
      case 0x21:
        if frames == 0, offset + 4 <= bytes.count, bytes[offset + 1] == 0xF9 {
          hasTransparency = bytes[offset + 3] & 1 != 0
        }
        offset += 2
        skipBlocks()
      case 0x3B:
        if frames == 0 { throw .corrupt("no frame") }
        break walk
      case let block:
        if frames == 0 { throw .corrupt("an unknown block, \(block)") }
        break walk
      }
    }
    if frames == 0 { throw .truncated }
  }
}
