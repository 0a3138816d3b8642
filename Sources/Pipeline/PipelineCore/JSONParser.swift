/// Why a text is no JSON: what was expected, and the byte where it was not found.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
  public var problem: String
  public var offset: Int

  public var description: String { "no JSON: \(problem) at byte \(offset)" }
}

extension JSONValue {
  /// Parses one JSON value (RFC 8259) that fills `bytes`, white space around it aside.
  ///
  /// - Parameters:
  ///   - bytes: UTF-8.
  ///   - maxDepth: How deep values may nest; bounds the stack.
  /// - Returns: The value.
  /// - Throws: ``JSONError`` with the place where it is not JSON.
  public static func parse(
    _ bytes: [UInt8], maxDepth: Int = 64
  ) throws(JSONError) -> JSONValue {
    var parser = JSONParser(bytes: bytes, maxDepth: maxDepth)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.place == bytes.count else { throw parser.error("text after the value") }
    return value
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  let maxDepth: Int
  var place = 0

  init(bytes: [UInt8], maxDepth: Int) {
    self.bytes = bytes
    self.maxDepth = maxDepth
  }

  func error(_ problem: String) -> JSONError { JSONError(problem: problem, offset: place) }

  var current: UInt8? { place < bytes.count ? bytes[place] : nil }

  mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      place += 1
    }
  }

  mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < maxDepth else { throw error("nesting deeper than \(maxDepth)") }
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw error("the text ends")
    default: return try number()
    }
  }

  mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
    guard bytes[place...].starts(with: word.utf8) else { throw error("an unknown word") }
    place += word.utf8.count
    return value
  }

  mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    place += 1
    var members: [JSONValue.Member] = []
    skipSpace()
    if current == UInt8(ascii: "}") {
      place += 1
      return .object([])
    }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw error("a key is missing") }
      let key = try string()
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw error("a colon is missing") }
      place += 1
      members.append(JSONValue.Member(key, try value(depth: depth + 1)))
      skipSpace()
      let byte = current
      place += 1
      if byte == UInt8(ascii: "}") { return .object(members) }
      guard byte == UInt8(ascii: ",") else {
        place -= 1
        throw error("a comma or } is missing")
      }
    }
  }

  mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    place += 1
    var values: [JSONValue] = []
    skipSpace()
    if current == UInt8(ascii: "]") {
      place += 1
      return .array([])
    }
    while true {
      values.append(try value(depth: depth + 1))
      skipSpace()
      let byte = current
      place += 1
      if byte == UInt8(ascii: "]") { return .array(values) }
      guard byte == UInt8(ascii: ",") else {
        place -= 1
        throw error("a comma or ] is missing")
      }
    }
  }

  mutating func number() throws(JSONError) -> JSONValue {
    let start = place
    do {
      _ = try JSONScan.number(bytes, &place, end: bytes.count)
    } catch {
      throw self.error(error.words)
    }
    return .number(String(decoding: bytes[start..<place], as: UTF8.self))
  }

  mutating func string() throws(JSONError) -> String {
    place += 1
    var text: [UInt8] = []
    while let byte = current {
      place += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let valid = String(validating: text, as: UTF8.self) else {
          throw error("a string is not UTF-8")
        }
        return valid
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw error("a control character in a string")
      default: text.append(byte)
      }
    }
    throw error("a string has no end")
  }

  mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    do {
      try JSONScan.escape(bytes, &place, end: bytes.count, into: &text)
    } catch {
      throw self.error(error.words)
    }
  }
}
