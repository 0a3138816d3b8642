/// Cuts a text into lines at LF or CRLF.
struct LineReader {
  /// Bytes of a line; a longer one is no row.
  static let longestLine = 16 << 20

  enum Line: Equatable {
    /// Its place in the bytes of ``window``, until the next one is read.
    case bytes(Range<Int>)
    case tooLong
  }

  private(set) var window: TextWindow

  init(_ window: TextWindow) { self.window = window }

  /// The next line without its end, nil after the last.
  mutating func next() throws(ListError) -> Line? {
    var searched = 0
    var isTooLong = false
    while true {
      let count = window.bytes.count
      let end = place(of: 0x0A, in: window.bytes, window.start + searched, count)
      if end < count {
        let start = window.start
        window.start = end + 1
        if isTooLong || end - start > Self.longestLine { return .tooLong }
        return .bytes(start..<(end > start && window.bytes[end - 1] == 0x0D ? end - 1 : end))
      }
      searched = count - window.start
      if searched > Self.longestLine {
        isTooLong = true
        window.start = count
        searched = 0
      }
      if try !window.refill() {
        let start = window.start
        window.start = window.bytes.count
        if isTooLong { return .tooLong }
        return start < window.bytes.count ? .bytes(start..<window.bytes.count) : nil
      }
    }
  }
}

/// What a row of text must be.
enum TextRule {
  /// Why the bytes in `range` are no usable text; nil where they are.
  static func problem(_ bytes: [UInt8], _ range: Range<Int>) -> String? {
    if place(of: 0, in: bytes, range.lowerBound, range.upperBound) < range.upperBound {
      return "a NUL byte"
    }
    return isUTF8(bytes, range) ? nil : "not UTF-8"
  }

  static func isUTF8(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
    var union: UInt8 = 0
    for index in range { union |= bytes[index] }
    if union < 0x80 { return true }
    do {
      _ = try UTF8Span(validating: bytes.span.extracting(range))
      return true
    } catch {
      return false
    }
  }
}

/// A list with a URL a line.
final class PlainRows: RowSource {
  let hasCaptions = false
  private var lines: LineReader
  private var line = 0

  init(path: String) throws(ListError) { lines = LineReader(try TextWindow(path: path)) }

  func next(_ row: inout ListRow, _ schema: inout ColumnSchema) throws(ListError) -> Bool {
    guard let next = try lines.next() else { return false }
    line += 1
    row.clear(line: line)
    switch next {
    case .tooLong: row.reject = "the line is longer than \(LineReader.longestLine >> 20) MiB"
    case .bytes(let range):
      if let problem = TextRule.problem(lines.window.bytes, range) {
        row.reject = "the line holds what is no text: \(problem)"
      } else {
        row.url += lines.window.bytes[range]
      }
    }
    return true
  }
}

/// A list with a JSON object a line.
final class JSONLineRows: RowSource {
  var hasCaptions: Bool { objects.hasCaptions }
  private var lines: LineReader
  private var objects: JSONObjectReader
  private var line = 0

  init(path: String, roles: ColumnRoles) throws(ListError) {
    lines = LineReader(try TextWindow(path: path))
    objects = JSONObjectReader(roles)
  }

  func next(_ row: inout ListRow, _ schema: inout ColumnSchema) throws(ListError) -> Bool {
    while let next = try lines.next() {
      line += 1
      switch next {
      case .tooLong:
        row.clear(line: line)
        row.reject = "the line is longer than \(LineReader.longestLine >> 20) MiB"
        return true
      case .bytes(let range):
        let bytes = lines.window.bytes
        if bytes[range].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
        row.clear(line: line)
        objects.fill(&row, bytes, range, &schema)
        return true
      }
    }
    return false
  }
}
