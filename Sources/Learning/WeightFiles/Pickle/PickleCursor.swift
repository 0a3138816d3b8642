/// The bytes of a pickle, read from front to back; what would reach beyond the end is an error.
struct PickleCursor {
  let bytes: [UInt8]
  let file: String
  /// Of the opcode that is being read, for messages.
  private(set) var opcodeOffset = 0
  private(set) var place = 0

  init(_ bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  func fail(_ problem: String) -> WeightFileError {
    WeightFileError(.pickle(problem, offset: opcodeOffset), file: file)
  }

  mutating func opcode() throws(WeightFileError) -> UInt8 {
    opcodeOffset = place
    guard place < bytes.count else { throw fail("it ends without a STOP") }
    place += 1
    return bytes[place - 1]
  }

  mutating func take(_ count: UInt64) throws(WeightFileError) -> ArraySlice<UInt8> {
    guard count <= UInt64(bytes.count - place) else {
      throw fail("\(count) bytes are announced where \(bytes.count - place) are left")
    }
    defer { place += Int(count) }
    return bytes[place..<(place + Int(count))]
  }

  /// A little-endian number without a sign.
  mutating func number(_ count: Int) throws(WeightFileError) -> UInt64 {
    try take(UInt64(count)).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Text of a length that `lengthBytes` say.
  mutating func text(lengthBytes: Int) throws(WeightFileError) -> String {
    try utf8(take(number(lengthBytes)))
  }

  func utf8(_ bytes: ArraySlice<UInt8>) throws(WeightFileError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw fail("a text is no UTF-8")
    }
    return text
  }

  /// Up to the next line feed, which is passed over.
  mutating func line() throws(WeightFileError) -> String {
    guard let end = bytes[place...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw fail("a line has no end")
    }
    defer { place = end + 1 }
    return try utf8(bytes[place..<end])
  }

  /// A whole number in two's complement of any length; nil beyond 64 bits.
  static func integer(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard bytes.count <= 8 else { return nil }
    guard let last = bytes.last else { return 0 }
    let unsigned = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let missing = 64 - 8 * bytes.count
    let isNegative = last & 0x80 != 0 && missing > 0
    return Int(bitPattern: UInt(unsigned | (isNegative ? UInt64.max << (64 - missing) : 0)))
  }
}
