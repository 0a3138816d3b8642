/// Reads the JSON of tdmrep.json (RFC 8259): an array of objects, of which three members count.
///
/// All else is checked and passed over. One pass, nothing kept but the rules, at most 64 values
/// nested; so that a file made to be slow, such as 170,000 empty objects, costs milliseconds.
package struct TDMFileReader {
  package struct Rule: Equatable {
    package var location: String?
    /// 0 or 1; nil for what the protocol calls an error, and takes as unset.
    package var reservation: Int?
    package var policy: String?

    package init(location: String? = nil, reservation: Int? = nil, policy: String? = nil) {
      self.location = location
      self.reservation = reservation
      self.policy = policy
    }
  }

  package struct Malformed: Error {}

  private enum Value {
    case text(String), number(Double), other

    var text: String? { if case .text(let text) = self { text } else { nil } }

    /// The number may be written as text, which some sites do.
    var reservation: Int? {
      switch self {
      case .number(0), .text("0"): 0
      case .number(1), .text("1"): 1
      default: nil
      }
    }
  }

  private static let deepest = 64
  private let bytes: [UInt8]
  private var at = 0

  /// - Throws: `Malformed` for what is no JSON, or no array.
  package static func rules(_ bytes: [UInt8]) throws(Malformed) -> [Rule] {
    var reader = TDMFileReader(bytes: bytes)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.at = 3 }
    var rules: [Rule] = []
    reader.skipBlanks()
    try reader.array { (reader) throws(Malformed) in
      if reader.next == UInt8(ascii: "{") {
        if let rule = try reader.rule() { rules.append(rule) }
      } else {
        _ = try reader.value(depth: 1)
      }
    }
    reader.skipBlanks()
    guard reader.at == bytes.count else { throw Malformed() }
    return rules
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func rule() throws(Malformed) -> Rule? {
    var rule = Rule()
    try object { (reader, name) throws(Malformed) in
      let value = try reader.value(depth: 2)
      // The last of a repeated name holds, as usual.
      switch name {
      case "location": rule.location = value.text
      case "tdm-policy": rule.policy = value.text
      case "tdm-reservation": rule.reservation = value.reservation
      default: break
      }
    }
    return rule.location == nil || rule.reservation == nil ? nil : rule
  }

  private mutating func value(depth: Int) throws(Malformed) -> Value {
    guard depth <= Self.deepest else { throw Malformed() }
    switch next {
    case UInt8(ascii: "\""): return .text(try string())
    case UInt8(ascii: "["):
      try array { (reader) throws(Malformed) in _ = try reader.value(depth: depth + 1) }
    case UInt8(ascii: "{"):
      try object { (reader, _) throws(Malformed) in _ = try reader.value(depth: depth + 1) }
    case UInt8(ascii: "t"): try take("true")
    case UInt8(ascii: "f"): try take("false")
    case UInt8(ascii: "n"): try take("null")
    default: return .number(try number())
    }
    return .other
  }

  private mutating func array(
    _ element: (inout TDMFileReader) throws(Malformed) -> Void
  ) throws(Malformed) {
    try take("[")
    skipBlanks()
    if next == UInt8(ascii: "]") {
      at += 1
      return
    }
    while true {
      try element(&self)
      skipBlanks()
      if next == UInt8(ascii: "]") {
        at += 1
        return
      }
      try take(",")
      skipBlanks()
    }
  }

  private mutating func object(
    _ member: (inout TDMFileReader, String) throws(Malformed) -> Void
  ) throws(Malformed) {
    try take("{")
    skipBlanks()
    if next == UInt8(ascii: "}") {
      at += 1
      return
    }
    while true {
      let name = try string()
      skipBlanks()
      try take(":")
      skipBlanks()
      try member(&self, name)
      skipBlanks()
      if next == UInt8(ascii: "}") {
        at += 1
        return
      }
      try take(",")
      skipBlanks()
    }
  }

  private mutating func number() throws(Malformed) -> Double {
    let start = at
    if next == UInt8(ascii: "-") { at += 1 }
    let first = next
    let whole = digits()
    guard whole == 1 || (whole > 1 && first != UInt8(ascii: "0")) else { throw Malformed() }
    if next == UInt8(ascii: ".") {
      at += 1
      guard digits() > 0 else { throw Malformed() }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      at += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { at += 1 }
      guard digits() > 0 else { throw Malformed() }
    }
    // No reservation has more digits, and their value does not matter.
    guard at - start <= 64 else { return -1 }
    return Double(String(decoding: bytes[start..<at], as: UTF8.self)) ?? -1
  }

  private mutating func digits() -> Int {
    let start = at
    while next?.isASCIIDigit == true { at += 1 }
    return at - start
  }

  private mutating func string() throws(Malformed) -> String {
    try take("\"")
    var text: [UInt8] = []
    while let byte = next {
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case 0..<0x20: throw Malformed()
      case UInt8(ascii: "\\"): text += try escape().utf8
      default: text.append(byte)
      }
    }
    throw Malformed()
  }

  private mutating func escape() throws(Malformed) -> String {
    guard let byte = next else { throw Malformed() }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      return String(UnicodeScalar(byte))
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var units = [try codeUnit()]
      if UTF16.isLeadSurrogate(units[0]), bytes[at...].starts(with: Array("\\u".utf8)) {
        at += 2
        units.append(try codeUnit())
      }
      return String(decoding: units, as: UTF16.self)
    default: throw Malformed()
    }
  }

  private mutating func codeUnit() throws(Malformed) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = next?.hexDigit else { throw Malformed() }
      unit = unit << 4 | UInt16(digit)
      at += 1
    }
    return unit
  }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || (byte >= 0x09 && byte <= 0x0D), byte != 0x0B,
      byte != 0x0C
    {
      at += 1
    }
  }

  private mutating func take(_ text: String) throws(Malformed) {
    guard bytes[at...].starts(with: text.utf8) else { throw Malformed() }
    at += text.utf8.count
  }
}
