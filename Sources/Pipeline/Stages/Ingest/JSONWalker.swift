import PipelineCore

/// Why bytes are no JSON: what is wrong, and the byte of the value where.
struct JSONFault: Error, Equatable {
  var problem: String
  var offset: Int

  var description: String { "no JSON: \(problem) at byte \(offset)" }
}

/// Walks through JSON text (RFC 8259) without making values of it.
///
/// Verifies all it passes; the text must be UTF-8, which the caller verifies.
struct JSONWalker {
  /// Half of what the run's own tables may nest, which hold these values deeper down.
  static let maxDepth = 32

  /// What a value is.
  enum Kind: Equatable { case null, bool, int, double, string, other }

  private let bytes: [UInt8]
  private let start: Int
  private let end: Int
  private let isCopying: Bool
  private(set) var place: Int

  /// - Parameters:
  ///   - bytes: Hold the text.
  ///   - range: Its place.
  ///   - isCopying: Whether ``value(into:depth:)`` appends what it passes over.
  init(_ bytes: [UInt8], _ range: Range<Int>, isCopying: Bool) {
    self.bytes = bytes
    self.isCopying = isCopying
    start = range.lowerBound
    end = range.upperBound
    place = range.lowerBound
  }

  func fault(_ problem: String) -> JSONFault { JSONFault(problem: problem, offset: place - start) }

  var current: UInt8? { place < end ? bytes[place] : nil }
  var isAtEnd: Bool { place == end }

  mutating func skipSpace() {
    while place < end {
      let byte = bytes[place]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      place += 1
    }
  }

  /// Passes over `byte` when it comes next.
  mutating func take(_ byte: UInt8) -> Bool {
    guard place < end, bytes[place] == byte else { return false }
    place += 1
    return true
  }

  /// Passes over the value that comes next, and tells what it is.
  ///
  /// When copying, appends it to `out` in the form of the run's tables: without spaces, numbers as they
  /// stand, text unescaped where it may be.
  @discardableResult
  mutating func value(into out: inout [UInt8], depth: Int = 0) throws(JSONFault) -> Kind {
    guard depth < Self.maxDepth else { throw fault("nesting deeper than \(Self.maxDepth)") }
    skipSpace()
    let first = place
    switch current {
    case UInt8(ascii: "{"):
      try container(into: &out, closing: UInt8(ascii: "}"), depth: depth)
      return .other
    case UInt8(ascii: "["):
      try container(into: &out, closing: UInt8(ascii: "]"), depth: depth)
      return .other
    case UInt8(ascii: "\""):
      try string(into: &out)
      return .string
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    case nil: throw fault("the text ends")
    default:
      let kind = try number()
      if isCopying { out += bytes[first..<place] }
      return kind
    }
    if isCopying { out += bytes[first..<place] }
    return bytes[first] == UInt8(ascii: "n") ? .null : .bool
  }

  private mutating func word(_ word: StaticString) throws(JSONFault) {
    let letters = "\(word)".utf8
    guard end - place >= letters.count, bytes[place..<place + letters.count].elementsEqual(letters)
    else { throw fault("an unknown word") }
    place += letters.count
  }

  private mutating func container(
    into out: inout [UInt8], closing: UInt8, depth: Int
  ) throws(JSONFault) {
    if isCopying { out.append(bytes[place]) }
    place += 1
    skipSpace()
    if take(closing) {
      if isCopying { out.append(closing) }
      return
    }
    while true {
      if closing == UInt8(ascii: "}") {
        skipSpace()
        guard current == UInt8(ascii: "\"") else { throw fault("a key is missing") }
        try string(into: &out)
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw fault("a colon is missing") }
        if isCopying { out.append(UInt8(ascii: ":")) }
      }
      try value(into: &out, depth: depth + 1)
      skipSpace()
      if take(closing) {
        if isCopying { out.append(closing) }
        return
      }
      guard take(UInt8(ascii: ",")) else {
        throw fault(
          closing == UInt8(ascii: "}") ? "a comma or } is missing" : "a comma or ] is missing")
      }
      if isCopying { out.append(UInt8(ascii: ",")) }
    }
  }

  private mutating func number() throws(JSONFault) -> Kind {
    let first = place
    do {
      guard try JSONScan.number(bytes, &place, end: end) else { return .double }
    } catch {
      throw fault(error.words)
    }
    if place - first < 19 { return .int }
    // More than 64 bits: no integer column holds it, and a double would lose digits.
    return Int64(String(decoding: bytes[first..<place], as: UTF8.self)) == nil ? .other : .int
  }

  /// Passes over a string and appends it as JSON.
  private mutating func string(into out: inout [UInt8]) throws(JSONFault) {
    let first = place
    if try isEscaped() {
      place = first
      var content: [UInt8] = []
      try text(into: &content)
      if isCopying { JSONText.append(content, to: &out) }
    } else {
      if isCopying { out += bytes[first..<place] }
    }
  }

  /// Passes over a string; true when it holds escapes, and then stops at the first.
  private mutating func isEscaped() throws(JSONFault) -> Bool {
    place += 1
    while place < end {
      let byte = bytes[place]
      if byte == UInt8(ascii: "\"") {
        place += 1
        return false
      }
      if byte == UInt8(ascii: "\\") { return true }
      if byte < 0x20 { throw fault("a control character in a string") }
      place += 1
    }
    throw fault("a string has no end")
  }

  /// Appends the text of the string that comes next, which begins with a quote.
  mutating func text(into content: inout [UInt8]) throws(JSONFault) {
    place += 1
    var run = place
    while place < end {
      let byte = bytes[place]
      if byte == UInt8(ascii: "\"") {
        content += bytes[run..<place]
        place += 1
        return
      }
      if byte < 0x20 { throw fault("a control character in a string") }
      if byte == UInt8(ascii: "\\") {
        content += bytes[run..<place]
        place += 1
        try escape(into: &content)
        run = place
      } else {
        place += 1
      }
    }
    throw fault("a string has no end")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONFault) {
    do {
      try JSONScan.escape(bytes, &place, end: end, into: &text)
    } catch {
      throw fault(error.words)
    }
  }
}
