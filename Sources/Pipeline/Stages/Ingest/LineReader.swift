/// Cuts a list into lines at LF or CRLF, and drops a byte order mark at its start.
struct LineReader {
  /// Bytes of a line.
  static let longestLine = 16 << 20

  private let source: ListSource
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false
  private var isFirst = true

  init(_ source: ListSource) { self.source = source }

  /// The next line without its end, nil after the last.
  mutating func next() throws(ListError) -> [UInt8]? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: 0x0A) {
        var line = buffer[start..<end]
        start = end + 1
        if line.last == 0x0D { line.removeLast() }
        return Array(line)
      }
      searched = buffer.count
      guard buffer.count - start <= Self.longestLine else {
        throw .unreadable(
          path: source.path,
          problem: "a line is longer than \(Self.longestLine >> 20) MiB; is it one row per line?")
      }
      if isAtEnd {
        guard start < buffer.count else { return nil }
        let line = Array(buffer[start...])
        start = buffer.count
        return line
      }
      // Move the rest to the front before more comes, so that memory stays at one line and a piece.
      buffer.removeFirst(start)
      searched -= start
      start = 0
      let piece = try source.next()
      if piece.isEmpty { isAtEnd = true }
      buffer += piece
      if isFirst && (buffer.count >= 3 || isAtEnd) {
        isFirst = false
        if buffer.starts(with: [0xEF, 0xBB, 0xBF]) {
          buffer.removeFirst(3)
          searched = 0
        }
      }
    }
  }
}
