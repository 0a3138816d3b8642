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

  /// Whether a line's row has a URL of the host.
  static func has(host: String, _ bytes: [UInt8], _ line: Range<Int>) throws -> Bool {
    var normalized: [UInt8] = []
    guard let url = try url(bytes, line), NormalizedURL.normalize(url, into: &normalized) else {
      return false
    }
    return NormalizedURL.host(ofNormalized: String(decoding: normalized, as: UTF8.self)) == host
  }

  private static let markText = Array(#"","url":""#.utf8)
  private static let mark = ByteSearch(markText)

  /// The URL of a line; only one with escapes costs a parse of the line.
  private static func url(_ bytes: [UInt8], _ line: Range<Int>) throws -> [UInt8]? {
    guard let mark = mark.next(in: bytes, line) else { return nil }
    let start = mark + markText.count
    var end = start
    while end < line.upperBound, bytes[end] != UInt8(ascii: "\"") {
      if bytes[end] == UInt8(ascii: "\\") {
        return try JSONValue.parse(Array(bytes[line]))["url"]?.text.map { Array($0.utf8) }
      }
      end += 1
    }
    return Array(bytes[start..<end])
  }
}
