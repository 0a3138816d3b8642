/// The TIFF structure (TIFF 6.0 §2) that EXIF is written in, read with bounds on everything.
///
/// Whatever points outside of the bytes reads as absent; offsets count from `start`.
struct TIFFDirectory {
  /// One field of a directory: its tag, and where its values lie.
  struct Field {
    var tag: UInt16
    var type: Int
    var count: Int
    /// From the structure's start.
    var offset: Int
  }

  enum Number {
    case integer(Int)
    case ratio(Int, Int)
    case real(Double)
  }

  /// Bytes of one value, by type (TIFF 6.0 §2; 13 is a directory's offset).
  static let sizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4]

  private let bytes: [UInt8]
  private let start: Int
  private let end: Int
  private let isLittleEndian: Bool

  /// nil where no byte order stands at the start of `range`.
  init?(_ bytes: [UInt8], at range: Range<Int>) {
    guard range.count >= 8 else { return nil }
    switch bytes[range.lowerBound] {
    case UInt8(ascii: "I"): isLittleEndian = true
    case UInt8(ascii: "M"): isLittleEndian = false
    default: return nil
    }
    self.bytes = bytes
    (start, end) = (range.lowerBound, range.upperBound)
  }

  /// The unsigned number of `size` bytes at `offset`, nil beyond the end.
  func number(at offset: Int, size: Int) -> Int? {
    guard offset >= 0, offset <= end - start - size else { return nil }
    let part = bytes[start + offset..<start + offset + size]
    return isLittleEndian
      ? part.reversed().reduce(0) { $0 << 8 | Int($1) } : part.reduce(0) { $0 << 8 | Int($1) }
  }

  /// Offsets of the chained directories, at most `limit`, none twice.
  func chain(limit: Int) -> [Int] {
    var found: [Int] = []
    var next = number(at: 4, size: 4) ?? 0
    while next > 0, !found.contains(next), found.count < limit,
      let entries = number(at: next, size: 2)
    {
      found.append(next)
      next = number(at: next + 2 + 12 * entries, size: 4) ?? 0
    }
    return found
  }

  /// The fields of the directory at `offset`; of unknown type, or beyond the end, none.
  func fields(at offset: Int, limit: Int) -> [Field] {
    guard let entries = number(at: offset, size: 2) else { return [] }
    return (0..<min(entries, limit)).compactMap { index in
      let entry = offset + 2 + 12 * index
      guard let tag = number(at: entry, size: 2), let type = number(at: entry + 2, size: 2),
        let count = number(at: entry + 4, size: 4), let inline = number(at: entry + 8, size: 4),
        (1..<Self.sizes.count).contains(type)
      else { return nil }
      // Four bytes or fewer stand in the entry itself.
      return Field(
        tag: UInt16(tag), type: type, count: count,
        offset: count * Self.sizes[type] > 4 ? inline : entry + 8)
    }
  }

  /// The text of an ASCII field up to its first zero, as far as there are bytes.
  func text(of field: Field, limit: Int) -> ArraySlice<UInt8> {
    guard field.offset >= 0, field.offset < end - start else { return [] }
    let first = start + field.offset
    let part = bytes[first..<min(end, first + min(field.count, limit))]
    return part.prefix { $0 != 0 }
  }

  /// The first `limit` values of a field; what lies beyond the end is 0.
  func numbers(of field: Field, limit: Int) -> [Number] {
    let size = Self.sizes[field.type]
    return (0..<min(field.count, limit)).map { index in
      let at = field.offset + index * size
      switch field.type {
      case 5, 10:
        let (top, bottom) = (number(at: at, size: 4) ?? 0, number(at: at + 4, size: 4) ?? 0)
        return field.type == 5
          ? .ratio(top, bottom) : .ratio(Self.signed(top, 32), Self.signed(bottom, 32))
      case 11: return .real(Double(Float(bitPattern: UInt32(number(at: at, size: 4) ?? 0))))
      case 12:
        let word = number(at: at, size: 8) ?? 0
        return .real(Double(bitPattern: UInt64(bitPattern: Int64(word))))
      default:
        let value = number(at: at, size: size) ?? 0
        return .integer([6, 8, 9].contains(field.type) ? Self.signed(value, size * 8) : value)
      }
    }
  }

  private static func signed(_ value: Int, _ bits: Int) -> Int {
    value >= 1 << (bits - 1) ? value - 1 << bits : value
  }
}
