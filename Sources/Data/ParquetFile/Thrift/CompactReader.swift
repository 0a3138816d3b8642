/// Reads Thrift's compact protocol (thrift/doc/specs/thrift-compact-protocol.md) from bytes that
/// nobody vouches for: every length is checked against what is left.
struct CompactReader {
  /// The types of fields and elements.
  enum Kind: UInt8 {
    case yes = 1
    case no, int8, int16, int32, int64, double, binary, list, set, map, structure, uuid
  }

  private static let deepest = 32  // far more than Parquet's own structures need

  private let bytes: [UInt8]
  private(set) var position: Int
  private let end: Int

  init(_ bytes: [UInt8], from start: Int = 0) {
    self.bytes = bytes
    position = start
    end = bytes.count
  }

  private var left: Int { end - position }

  /// The error for a structure that goes on after its last byte.
  static let endsEarly = ParquetError.Problem.damaged("a Thrift structure ends early")

  private mutating func byte() throws(ParquetError.Problem) -> UInt8 {
    guard position < end else { throw Self.endsEarly }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func varint() throws(ParquetError.Problem) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      let byte = try byte()
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw .damaged("a Thrift integer has more than ten bytes")
  }

  /// An integer of 16, 32 or 64 bits.
  mutating func int() throws(ParquetError.Problem) -> Int {
    let value = try varint()
    return Int(truncatingIfNeeded: value >> 1) ^ -Int(truncatingIfNeeded: value & 1)
  }

  mutating func int32() throws(ParquetError.Problem) -> Int32 {
    guard let value = Int32(exactly: try int()) else {
      throw .damaged("a Thrift i32 is out of range")
    }
    return value
  }

  mutating func int8() throws(ParquetError.Problem) -> Int8 { Int8(bitPattern: try byte()) }

  mutating func binary() throws(ParquetError.Problem) -> [UInt8] {
    let count = try size()
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  mutating func text() throws(ParquetError.Problem) -> String {
    String(decoding: try binary(), as: UTF8.self)
  }

  /// A count of bytes, or of elements of a byte at least, that is no more than what is left.
  private mutating func size() throws(ParquetError.Problem) -> Int {
    let value = try varint()
    return try checked(value)
  }

  private func checked(_ count: UInt64) throws(ParquetError.Problem) -> Int {
    guard count <= UInt64(left) else { throw Self.endsEarly }
    return Int(count)
  }

  /// The kind of the next field, whose number replaces `number`; nil at the end of the structure.
  mutating func field(after number: inout Int) throws(ParquetError.Problem) -> Kind? {
    let head = try byte()
    if head == 0 { return nil }
    number = head >> 4 == 0 ? try int() : number &+ Int(head >> 4)
    guard let kind = Kind(rawValue: head & 15) else {
      throw .damaged("a Thrift field has the unknown type \(head & 15)")
    }
    return kind
  }

  /// The kind and the number of a list's elements, each of which takes a byte at least.
  mutating func list() throws(ParquetError.Problem) -> (kind: Kind, count: Int) {
    let head = try byte()
    let count = head >> 4 == 15 ? try size() : try checked(UInt64(head >> 4))
    guard let kind = Kind(rawValue: head & 15) else {
      throw .damaged("a Thrift list has the unknown type \(head & 15)")
    }
    return (kind, count)
  }

  /// Passes over a value of this kind that was announced by a field.
  mutating func skip(_ kind: Kind) throws(ParquetError.Problem) {
    try skip(kind, depth: 0, isElement: false)
  }

  private mutating func skip(
    _ kind: Kind, depth: Int, isElement: Bool
  ) throws(ParquetError.Problem) {
    guard depth < Self.deepest else { throw .damaged("Thrift structures nest too deeply") }
    switch kind {
    case .yes, .no: if isElement { _ = try byte() }
    case .int8: _ = try byte()
    case .int16, .int32, .int64: _ = try varint()
    case .double: position += try checked(8)
    case .uuid: position += try checked(16)
    case .binary:
      let count = try size()
      position += count
    case .list, .set:
      let (kind, count) = try list()
      for _ in 0..<count { try skip(kind, depth: depth + 1, isElement: true) }
    case .map:
      let count = try size()
      if count == 0 { return }
      let kinds = try byte()
      guard let key = Kind(rawValue: kinds >> 4), let value = Kind(rawValue: kinds & 15) else {
        throw .damaged("a Thrift map has an unknown type")
      }
      for _ in 0..<count {
        try skip(key, depth: depth + 1, isElement: true)
        try skip(value, depth: depth + 1, isElement: true)
      }
    case .structure:
      var number = 0
      while let kind = try field(after: &number) {
        try skip(kind, depth: depth + 1, isElement: false)
      }
    }
  }
}
