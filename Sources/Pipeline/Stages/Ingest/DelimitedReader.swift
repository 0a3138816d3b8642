/// Cuts CSV or TSV into records of fields (RFC 4180).
///
/// Fields may be quoted, hold line ends, delimiters and doubled quotes. As in Python's `csv`, a
/// quote inside an unquoted field is plain text, text after a closing quote is kept, and empty lines
/// are passed over. A record ends at LF or CRLF, or at CR where the first line does: else a lone CR is
/// text, which pandas writes unquoted.
struct DelimitedReader {
  /// Bytes of a record after its first line; a quote that is open for longer is taken for a stray.
  static let longestRecord = 1 << 20
  /// Bytes of a record; a longer one is no row.
  static let longestRow = 16 << 20

  enum Record: Equatable {
    case fields
    /// A quote was never closed, or not within ``longestRecord``; only its line is taken.
    case unclosed
    case tooLong
  }

  private enum State { case fieldStart, plain, quoted, afterQuote }

  /// A field of the record, its place counted from the record's start.
  private struct Field {
    var start: Int
    var end: Int
    /// Whether it holds quotes that are no text.
    var isRaw: Bool
  }

  private(set) var window: TextWindow
  private let delimiter: UInt8
  /// The line on which the record begins, from 1.
  private(set) var line = 1
  private var nextLine = 1
  private var fields: [Field] = []
  /// Whether lines end at CR; nil before the first line's end.
  private var endsAtCR: Bool?

  // Of the record that is being read: places count from its start, the window's.
  private var state = State.fieldStart
  private var at = 0
  private var fieldStart = 0
  private var isQuoted = false
  private var hasDoubled = false
  private var closed = 0
  private var lineEnds = 0
  private var firstLineEnd = 0
  private var length = 0

  init(_ window: TextWindow, delimiter: UInt8) {
    self.window = window
    self.delimiter = delimiter
  }

  var fieldCount: Int { fields.count }

  /// The record's bytes in ``window``.
  var range: Range<Int> { window.start..<window.start + length }

  /// The field's bytes in ``window``, where they are its text; nil when it must be unquoted.
  func plainRange(of field: Int) -> Range<Int>? {
    let field = fields[field]
    return field.isRaw ? nil : window.start + field.start..<window.start + field.end
  }

  /// Appends the text of a field.
  func append(_ field: Int, to text: inout [UInt8]) {
    if let range = plainRange(of: field) {
      text += window.bytes[range]
      return
    }
    let quote = UInt8(ascii: "\"")
    var index = window.start + fields[field].start + 1
    let end = window.start + fields[field].end
    while index < end {
      let next = place(of: quote, in: window.bytes, index, end)
      text += window.bytes[index..<next]
      index = next + 1
      guard next < end else { break }
      if index < end, window.bytes[index] == quote {
        text.append(quote)
        index += 1
      } else {
        text += window.bytes[index..<end]
        break
      }
    }
  }

  /// The next record, nil after the last.
  ///
  /// ``append(_:to:)`` gives its fields until the next one is read.
  mutating func next() throws(ListError) -> Record? {
    window.start += length
    begin()
    while true {
      switch scan() {
      case .record: return length > Self.longestRow ? .tooLong : .fields
      case .emptyLine: continue
      case .unclosed: return unclosed()
      case .more: break
      }
      if at > Self.longestRow { return try skipLine() }
      if try window.refill() || !window.isAtEnd { continue }
      // The text's last byte may be a CR whose record waited for an LF.
      if case .record = scan() { return .fields }
      if state == .quoted { return unclosed() }
      if at == 0 { return nil }
      if state == .fieldStart { fieldStart = at }
      if state == .afterQuote { closed = at }
      endField(at)
      finish(at)
      return .fields
    }
  }

  private mutating func begin() {
    line = nextLine
    fields.removeAll(keepingCapacity: true)
    (state, at, isQuoted, hasDoubled) = (.fieldStart, 0, false, false)
    (lineEnds, firstLineEnd, length) = (0, 0, 0)
  }

  private mutating func finish(_ count: Int) {
    length = count
    nextLine = line + lineEnds
  }

  private mutating func endField(_ end: Int) {
    if isQuoted, !hasDoubled, closed == end {
      fields.append(Field(start: fieldStart + 1, end: end - 1, isRaw: false))
    } else {
      fields.append(Field(start: fieldStart, end: end, isRaw: isQuoted))
    }
    (isQuoted, hasDoubled) = (false, false)
  }

  /// Takes a record's first line alone; those after it are read once more.
  private mutating func unclosed() -> Record {
    lineEnds = firstLineEnd > 0 ? 1 : lineEnds
    finish(firstLineEnd > 0 ? firstLineEnd : at)
    return .unclosed
  }

  /// Passes over the rest of a line that is too long to be kept.
  private mutating func skipLine() throws(ListError) -> Record {
    while true {
      let count = window.bytes.count
      let end = place(of: 0x0A, in: window.bytes, window.start, count)
      if end < count {
        window.start = end + 1
        lineEnds = 1
        finish(0)
        return .tooLong
      }
      window.start = count
      if try !window.refill() {
        window.start = window.bytes.count
        finish(0)
        return .tooLong
      }
    }
  }

  private enum Scan { case record, emptyLine, unclosed, more }

  /// Reads on in the window, from ``at``.
  private mutating func scan() -> Scan {
    let bytes = window.bytes
    let (start, count, quote) = (window.start, window.bytes.count, UInt8(ascii: "\""))
    var index = start + at
    defer { at = index - window.start }
    while index < count {
      switch state {
      case .fieldStart:
        fieldStart = index - start
        if bytes[index] == quote {
          (isQuoted, state) = (true, .quoted)
          index += 1
        } else {
          state = .plain
        }
      case .plain:
        while index < count {
          let byte = bytes[index]
          if byte == delimiter || byte == 0x0A || byte == 0x0D { break }
          index += 1
        }
        if index == count { return .more }
        let end = index - start
        if bytes[index] == delimiter {
          endField(end)
          state = .fieldStart
          index += 1
          continue
        }
        if bytes[index] == 0x0D {
          // Whether a line feed follows is not known yet.
          if index + 1 == count, !window.isAtEnd { return .more }
          if index + 1 < count, bytes[index + 1] == 0x0A {
            index += 1
          } else if endsAtCR == false, index + 1 < count {
            index += 1
            continue
          }
        }
        if endsAtCR == nil { endsAtCR = bytes[index] == 0x0D }
        index += 1
        lineEnds += 1
        if fields.isEmpty && end == 0 {
          window.start = index
          nextLine = line + 1
          begin()
          return .emptyLine
        }
        endField(end)
        finish(index - start)
        return .record
      case .quoted:
        while index < count, bytes[index] != quote {
          if bytes[index] == 0x0A {
            lineEnds += 1
            if firstLineEnd == 0 { firstLineEnd = index + 1 - start }
          }
          index += 1
        }
        if firstLineEnd > 0, index - start - firstLineEnd > Self.longestRecord { return .unclosed }
        if index < count {
          index += 1
          state = .afterQuote
        }
      case .afterQuote:
        if bytes[index] == quote {
          hasDoubled = true
          index += 1
          state = .quoted
        } else {
          closed = index - start
          state = .plain
        }
      }
    }
    return .more
  }
}
