/// Parses dictionaries of HTTP's structured fields (RFC 9651 §4.2.2, which includes RFC 8941).
///
/// Every type of value is checked, as one wrong byte makes the whole field void; only tokens are
/// told apart, as no other value means anything to us. Cost: linear.
package struct StructuredDictionary {
  package enum Value: Sendable, Equatable { case token(String), other }

  private struct Malformed: Error {}

  private var rest: ArraySlice<UInt8>

  /// - Returns: The last value of each key, or nil for a malformed field.
  package static func parse(_ bytes: [UInt8]) -> [String: Value]? {
    var parser = StructuredDictionary(rest: bytes[...])
    do {
      return try parser.dictionary()
    } catch {
      return nil
    }
  }

  private mutating func dictionary() throws(Malformed) -> [String: Value] {
    var members: [String: Value] = [:]
    skip { $0 == 0x20 }
    while !rest.isEmpty {
      let key = try key()
      if take("=") {
        members[key] = rest.first == UInt8(ascii: "(") ? try innerList() : try item()
      } else {
        // A key alone is the Boolean true, with parameters.
        try parameters()
        members[key] = .other
      }
      skip { $0 == 0x20 || $0 == 0x09 }
      if rest.isEmpty { return members }
      guard take(",") else { throw Malformed() }
      skip { $0 == 0x20 || $0 == 0x09 }
      guard !rest.isEmpty else { throw Malformed() }
    }
    return members
  }

  private mutating func innerList() throws(Malformed) -> Value {
    _ = take("(")
    while true {
      skip { $0 == 0x20 }
      if take(")") { break }
      _ = try item()
      guard let next = rest.first, next == 0x20 || next == UInt8(ascii: ")") else {
        throw Malformed()
      }
    }
    try parameters()
    return .other
  }

  private mutating func item() throws(Malformed) -> Value {
    let value = try bareItem()
    try parameters()
    return value
  }

  private mutating func parameters() throws(Malformed) {
    while take(";") {
      skip { $0 == 0x20 }
      _ = try key()
      if take("=") { _ = try bareItem() }
    }
  }

  private mutating func key() throws(Malformed) -> String {
    let isLower: (UInt8) -> Bool = { $0 >= 0x61 && $0 <= 0x7A }
    guard let first = rest.first, isLower(first) || first == UInt8(ascii: "*") else {
      throw Malformed()
    }
    let key = rest.prefix { isLower($0) || $0.isASCIIDigit || "_-.*".utf8.contains($0) }
    rest = rest[key.endIndex...]
    return String(decoding: key, as: UTF8.self)
  }

  private mutating func bareItem() throws(Malformed) -> Value {
    guard let first = rest.first else { throw Malformed() }
    switch first {
    case UInt8(ascii: "-"), 0x30...0x39: try number(mayBeDecimal: true)
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "*"): return token()
    case UInt8(ascii: ":"): try byteSequence()
    case UInt8(ascii: "?"):
      rest.removeFirst()
      guard take("0") || take("1") else { throw Malformed() }
    case UInt8(ascii: "@"):
      rest.removeFirst()
      try number(mayBeDecimal: false)
    case UInt8(ascii: "%"): try displayString()
    default:
      guard first.isASCIILetter else { throw Malformed() }
      return token()
    }
    return .other
  }

  private mutating func token() -> Value {
    let token = rest.prefix {
      $0.isASCIILetter || $0.isASCIIDigit || "!#$%&'*+-.^_`|~:/".utf8.contains($0)
    }
    rest = rest[token.endIndex...]
    return .token(String(decoding: token, as: UTF8.self))
  }

  /// §4.2.4: at most 15 digits, or 12 and a fraction of 1 to 3.
  private mutating func number(mayBeDecimal: Bool) throws(Malformed) {
    _ = take("-")
    let whole = digits()
    guard whole >= 1, whole <= 15 else { throw Malformed() }
    guard mayBeDecimal, rest.first == UInt8(ascii: ".") else { return }
    rest.removeFirst()
    guard whole <= 12, (1...3).contains(digits()) else { throw Malformed() }
  }

  private mutating func digits() -> Int {
    let digits = rest.prefix(while: \.isASCIIDigit)
    rest = rest[digits.endIndex...]
    return digits.count
  }

  private mutating func string() throws(Malformed) {
    rest.removeFirst()
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\"") { return }
      guard byte >= 0x20, byte <= 0x7E else { throw Malformed() }
      if byte == UInt8(ascii: "\\") {
        guard take("\"") || take("\\") else { throw Malformed() }
      }
    }
    throw Malformed()
  }

  private mutating func byteSequence() throws(Malformed) {
    rest.removeFirst()
    skip { $0.isASCIILetter || $0.isASCIIDigit || "+/=".utf8.contains($0) }
    guard take(":") else { throw Malformed() }
  }

  /// §4.2.10: `%"` and percent-encoded UTF-8 with lower-case digits.
  private mutating func displayString() throws(Malformed) {
    rest.removeFirst()
    guard take("\"") else { throw Malformed() }
    var bytes: [UInt8] = []
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\""):
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Malformed() }
        return
      case UInt8(ascii: "%"):
        let digits = rest.prefix(2)
        guard digits.count == 2, !digits.contains(where: { $0 >= 0x41 && $0 <= 0x46 }),
          let high = digits.first?.hexDigit, let low = digits.last?.hexDigit
        else { throw Malformed() }
        rest = rest.dropFirst(2)
        bytes.append(high << 4 | low)
      default:
        guard byte >= 0x20, byte <= 0x7E else { throw Malformed() }
        bytes.append(byte)
      }
    }
    throw Malformed()
  }

  private mutating func skip(_ condition: (UInt8) -> Bool) { rest = rest.drop(while: condition) }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }
}
