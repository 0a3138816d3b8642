import PipelineCore

/// Finds lines of a chunk's table by their URL.
struct URLNeedle: Sendable {
  /// What stands in every line that may fit; nil where the URL has nothing to go by.
  let bytes: [UInt8]?
  /// The normalised URL; nil for a text that is none, which is then compared as it stands.
  private let normalized: [UInt8]?
  private let text: String

  init(_ url: String) {
    text = url
    var normalized: [UInt8] = []
    if NormalizedURL.normalize(Array(url.utf8), into: &normalized) {
      self.normalized = normalized
      bytes = Self.longestRun(of: normalized)
    } else {
      self.normalized = nil
      var quoted: [UInt8] = []
      JSONText.append(Array(url.utf8), to: &quoted)
      bytes = Array(#""url":"#.utf8) + quoted
    }
  }

  /// The longest part of path and query that every spelling of the URL has, byte for byte.
  ///
  /// Normalising leaves all of path and query as it is but blanks, bytes beyond ASCII, percent escapes
  /// and a slash that is missing; JSON escapes quotes and backslashes.
  static func longestRun(of normalized: [UInt8]) -> [UInt8]? {
    guard let scheme = normalized.firstIndex(of: UInt8(ascii: ":")),
      let slash = normalized[(scheme + 3)...].firstIndex(of: UInt8(ascii: "/"))
    else { return nil }
    var (run, best) = (slash + 1..<slash + 1, slash + 1..<slash + 1)
    var index = slash + 1
    while index < normalized.count {
      switch normalized[index] {
      case UInt8(ascii: "%"):
        index += 3
        run = index..<index
        continue
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0...0x20, 0x7F...: run = index + 1..<index + 1
      default: run = run.lowerBound..<index + 1
      }
      if run.count > best.count { best = run }
      index += 1
    }
    // A shorter one is in most lines anyway.
    return best.count < 4 ? nil : Array(normalized[best])
  }

  /// Whether a line's row has the URL.
  func fits(_ bytes: [UInt8], _ line: Range<Int>) throws -> Bool {
    guard let url = try Self.url(bytes, line) else { return false }
    guard let normalized else { return url == Array(text.utf8) }
    var other: [UInt8] = []
    return NormalizedURL.normalize(url, into: &other) && other == normalized
  }

  /// Whether a line's row has a URL of the host, which is as normalising leaves it.
  static func has(host: [UInt8], _ bytes: [UInt8], _ line: Range<Int>) throws -> Bool {
    if let place = place(bytes, line), let found = plainHost(bytes, place) {
      guard found.count == host.count else { return false }
      return zip(found, host).allSatisfy { index, byte in
        let other = bytes[index]
        return (other >= 0x41 && other <= 0x5A ? other | 0x20 : other) == byte
      }
    }
    var normalized: [UInt8] = []
    guard let url = try url(bytes, line), NormalizedURL.normalize(url, into: &normalized) else {
      return false
    }
    let text = String(decoding: normalized, as: UTF8.self)
    return NormalizedURL.host(ofNormalized: text).map { Array($0.utf8) == host } ?? false
  }

  /// Where the host of a URL stands; nil where it takes normalising to tell.
  private static func plainHost(_ bytes: [UInt8], _ url: Range<Int>) -> Range<Int>? {
    guard let colon = bytes[url].firstIndex(of: UInt8(ascii: ":")), colon + 2 < url.upperBound,
      bytes[colon + 1] == UInt8(ascii: "/"), bytes[colon + 2] == UInt8(ascii: "/")
    else { return nil }
    let start = colon + 3
    var port: Int?
    for index in start..<url.upperBound {
      switch bytes[index] {
      case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"): return start..<(port ?? index)
      case UInt8(ascii: ":"): port = port ?? index
      // Users, brackets and names of other alphabets are rare.
      case UInt8(ascii: "@"), UInt8(ascii: "["), UInt8(ascii: "%"), 0x80...: return nil
      default: continue
      }
    }
    return start..<(port ?? url.upperBound)
  }

  private static let markText = Array(#"","url":""#.utf8)
  private static let mark = ByteSearch(markText)

  /// Where the URL of a line stands; nil where it has escapes, or the line is none of ingest's.
  private static func place(_ bytes: [UInt8], _ line: Range<Int>) -> Range<Int>? {
    guard let mark = mark.next(in: bytes, line) else { return nil }
    let start = mark + markText.count
    for end in start..<line.upperBound {
      if bytes[end] == UInt8(ascii: "\\") { return nil }
      if bytes[end] == UInt8(ascii: "\"") { return start..<end }
    }
    return nil
  }

  /// The URL of a line; only one with escapes costs a parse of the line.
  private static func url(_ bytes: [UInt8], _ line: Range<Int>) throws -> [UInt8]? {
    if let place = place(bytes, line) { return Array(bytes[place]) }
    return try JSONValue.parse(Array(bytes[line]))["url"]?.text.map { Array($0.utf8) }
  }
}
