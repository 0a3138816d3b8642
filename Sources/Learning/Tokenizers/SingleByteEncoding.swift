/// An encoding of one byte per character whose lower half is ASCII.
struct SingleByteEncoding: Sendable {
  let name: String
  /// Whether bytes that mean nothing stand for the control of the same number, and U+FFFD for byte 1A.
  ///
  /// ftfy calls it sloppy; browsers read Windows' encodings like that.
  let isSloppy: Bool
  private let bytes: [Unicode.Scalar: UInt8]

  /// The encoding of that name; `upper` is what the bytes 80 to FF stand for.
  init(name: String, upper: [Unicode.Scalar]) {
    precondition(upper.count == 128, "\(name) has \(upper.count) characters above ASCII")
    self.name = name
    isSloppy = name.hasPrefix("sloppy")
    var bytes: [Unicode.Scalar: UInt8] = [:]
    for (index, scalar) in upper.enumerated() { bytes[scalar] = UInt8(128 + index) }
    if isSloppy { bytes["\u{FFFD}"] = Self.substitute }
    self.bytes = bytes
  }

  static let substitute: UInt8 = 0x1A

  /// The bytes of `text`; nil if the encoding lacks one of its characters.
  func encode(_ text: ArraySlice<Unicode.Scalar>) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for scalar in text {
      if scalar.value < 0x80 {
        // A sloppy encoding has given this byte away.
        if isSloppy, scalar.value == UInt32(Self.substitute) { return nil }
        result.append(UInt8(scalar.value))
      } else if let byte = bytes[scalar] {
        result.append(byte)
      } else {
        return nil
      }
    }
    return result
  }
}
