/// Splits robots.txt and ai.txt into records, as leniently as Google's parser.
///
/// Lines end with CR, LF or CRLF; a byte order mark, also a torn one, is passed over; `#` begins a
/// comment; blanks around the name and the value do not count, nor does the name's case. A line of
/// two words whose first is a known name may lack its colon, and usual misspellings are understood.
package struct RobotsLines: Sequence, IteratorProtocol {
  package enum Name: Sendable {
    case userAgent, allow, disallow, crawlDelay, contentUsage, contentSignal
  }

  package struct Record {
    package var name: Name
    package var value: ArraySlice<UInt8>
    /// The whole line with its comment, without the blanks around it.
    package var line: ArraySlice<UInt8>
  }

  private var rest: ArraySlice<UInt8>

  /// The lines of the first `longest` bytes.
  ///
  /// A last line that ends there without an end of line may be torn, and is dropped.
  package init(_ bytes: [UInt8], longest: Int) {
    rest = bytes.prefix(longest)
    if bytes.count >= longest {
      while let last = rest.last, !Self.isLineEnd(last) { rest.removeLast() }
    }
    for byte in [0xEF, 0xBB, 0xBF] as [UInt8] where rest.first == byte { rest.removeFirst() }
  }

  /// The next record with a known name.
  package mutating func next() -> Record? {
    while !rest.isEmpty {
      let line = rest.prefix { !Self.isLineEnd($0) }
      rest = rest[line.endIndex...].drop(while: Self.isLineEnd)
      if let record = Self.record(line.trimmed) { return record }
    }
    return nil
  }

  private static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

  private static func record(_ line: ArraySlice<UInt8>) -> Record? {
    let stated = line.prefix { $0 != UInt8(ascii: "#") }.trimmed
    if let colon = stated.firstIndex(of: UInt8(ascii: ":")),
      let name = name(stated[..<colon].trimmed)
    {
      return Record(name: name, value: stated[(colon + 1)...].trimmed, line: line)
    }
    let words = stated.split(whereSeparator: \.isBlank)
    guard words.count == 2, let name = name(words[0]) else { return nil }
    return Record(name: name, value: words[1], line: line)
  }

  private static func name(_ bytes: ArraySlice<UInt8>) -> Name? {
    guard bytes.count <= 16 else { return nil }
    return names[String(decoding: bytes.map(\.lowercasedASCII), as: UTF8.self)]
  }

  private static let names: [String: Name] = [
    "user-agent": .userAgent, "useragent": .userAgent, "user agent": .userAgent,
    "allow": .allow,
    "disallow": .disallow, "dissallow": .disallow, "dissalow": .disallow, "disalow": .disallow,
    "diasllow": .disallow, "disallaw": .disallow,
    "crawl-delay": .crawlDelay, "crawldelay": .crawlDelay, "crawl delay": .crawlDelay,
    "content-usage": .contentUsage, "content-signal": .contentSignal,
  ]
}
