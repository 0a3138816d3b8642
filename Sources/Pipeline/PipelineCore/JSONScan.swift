/// Why bytes are no JSON, in words; who scans knows where.
package struct JSONProblem: Error {
  package var words: String

  package init(_ words: String) { self.words = words }
}

/// The parts of JSON's grammar (RFC 8259) that take more than a byte to tell: numbers and escapes.
package enum JSONScan {
  /// Passes over the number at `place`.
  ///
  /// - Parameters:
  ///   - bytes: Hold the text.
  ///   - place: Left behind the number, or where it ceases to be one.
  ///   - end: Of the text.
  /// - Returns: Whether it has neither a fraction nor an exponent.
  /// - Throws: ``JSONProblem`` where a digit is missing.
  package static func number(
    _ bytes: [UInt8], _ place: inout Int, end: Int
  ) throws(JSONProblem) -> Bool {
    _ = take(UInt8(ascii: "-"), bytes, &place, end)
    if !take(UInt8(ascii: "0"), bytes, &place, end) { try digits(bytes, &place, end) }
    let whole = place
    if take(UInt8(ascii: "."), bytes, &place, end) { try digits(bytes, &place, end) }
    if place < end, bytes[place] | 0x20 == UInt8(ascii: "e") {
      place += 1
      if !take(UInt8(ascii: "+"), bytes, &place, end) {
        _ = take(UInt8(ascii: "-"), bytes, &place, end)
      }
      try digits(bytes, &place, end)
    }
    return place == whole
  }

  /// Appends what an escape stands for, in UTF-8.
  ///
  /// - Parameters:
  ///   - bytes: Hold the text.
  ///   - place: Behind the backslash; left behind the escape, of a surrogate pair behind both.
  ///   - end: Of the text.
  ///   - text: Is appended to.
  /// - Throws: ``JSONProblem``, with `place` where it was met.
  package static func escape(
    _ bytes: [UInt8], _ place: inout Int, end: Int, into text: inout [UInt8]
  ) throws(JSONProblem) {
    guard place < end else { throw JSONProblem("a string has no end") }
    let byte = bytes[place]
    place += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexadecimal(bytes, &place, end)
      if code >= 0xD800, code < 0xDC00, place + 1 < end, bytes[place] == UInt8(ascii: "\\"),
        bytes[place + 1] == UInt8(ascii: "u")
      {
        place += 2
        let low = try hexadecimal(bytes, &place, end)
        guard low >= 0xDC00, low < 0xE000 else { throw JSONProblem("half a surrogate pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw JSONProblem("half a surrogate pair") }
      text += UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter
    default: throw JSONProblem("an unknown escape")
    }
  }

  private static func take(
    _ byte: UInt8, _ bytes: [UInt8], _ place: inout Int, _ end: Int
  ) -> Bool {
    guard place < end, bytes[place] == byte else { return false }
    place += 1
    return true
  }

  private static func digits(
    _ bytes: [UInt8], _ place: inout Int, _ end: Int
  ) throws(JSONProblem) {
    let first = place
    while place < end, bytes[place] >= 0x30, bytes[place] <= 0x39 { place += 1 }
    if place == first { throw JSONProblem("a digit is missing") }
  }

  private static func hexadecimal(
    _ bytes: [UInt8], _ place: inout Int, _ end: Int
  ) throws(JSONProblem) -> UInt32 {
    var code: UInt32 = 0
    for offset in 0..<4 {
      guard place + offset < end else {
        throw JSONProblem("four hexadecimal digits are missing")
      }
      let byte = bytes[place + offset]
      switch byte {
      case 0x30...0x39: code = code << 4 | UInt32(byte - 0x30)
      case 0x41...0x46, 0x61...0x66: code = code << 4 | UInt32((byte | 0x20) - 0x57)
      default: throw JSONProblem("four hexadecimal digits are missing")
      }
    }
    place += 4
    return code
  }
}
