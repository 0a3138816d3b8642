/// Cuts CSV or TSV into records of fields (RFC 4180).
///
/// Fields may be quoted, hold line ends, delimiters and doubled quotes. As in Python's `csv`, a
/// quote inside an unquoted field is plain text, text after a closing quote is kept, and empty lines
/// are passed over. A record ends at LF, CRLF or CR.
struct DelimitedReader {
  struct Record: Equatable {
    /// The line it begins on, from 1.
    var line: Int
    var fields: [[UInt8]]
    /// A quote was never closed, or not within ``longestRecord``.
    var isUnclosed = false
  }

  /// Bytes of a record after its first line; a quote that is open for longer is taken for a stray.
  static let longestRecord = 1 << 20

  private let delimiter: UInt8
  private let next: () throws(ListError) -> ArraySlice<UInt8>
  private var piece: ArraySlice<UInt8> = []
  private var line = 1
  private var isStart = true

  init(delimiter: UInt8, next: @escaping () throws(ListError) -> ArraySlice<UInt8>) {
    self.delimiter = delimiter
    self.next = next
  }

  private mutating func peek() throws(ListError) -> UInt8? {
    if piece.isEmpty { piece = try next() }
    return piece.first
  }

  private mutating func skipMark() throws(ListError) {
    // A byte order mark lies in the first piece: a piece is longer than three bytes or the whole list.
    isStart = false
    _ = try peek()
    if piece.starts(with: [0xEF, 0xBB, 0xBF]) { piece = piece.dropFirst(3) }
  }

  /// The next record, nil after the last.
  mutating func record() throws(ListError) -> Record? {
    if isStart { try skipMark() }
    var record = Record(line: line, fields: [])
    var field: [UInt8] = []
    var isQuoted = false
    var isFresh = true  // nothing of the field has been read
    var isEmpty = true  // nothing of the record has been read
    var later: [UInt8] = []  // what was read of the record's lines after its first
    var isPastFirstLine = false
    while let byte = try peek() {
      piece.removeFirst()
      if isPastFirstLine { later.append(byte) }
      if isQuoted {
        if byte == UInt8(ascii: "\"") {
          if try peek() == UInt8(ascii: "\"") {
            piece.removeFirst()
            if isPastFirstLine { later.append(byte) }
            field.append(byte)
          } else {
            isQuoted = false
          }
        } else {
          if byte == 0x0A {
            line += 1
            isPastFirstLine = true
          }
          field.append(byte)
          if later.count > Self.longestRecord { break }
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\"") where isFresh:
        isQuoted = true
        isFresh = false
        isEmpty = false
      case delimiter:
        record.fields.append(field)
        field = []
        isFresh = true
        isEmpty = false
      case 0x0A, 0x0D:
        if byte == 0x0D, try peek() == 0x0A { piece.removeFirst() }
        line += 1
        if isEmpty {
          record.line = line
          continue
        }
        record.fields.append(field)
        return record
      default:
        field.append(byte)
        isFresh = false
        isEmpty = false
      }
    }
    if isEmpty { return nil }
    record.fields.append(field)
    record.isUnclosed = isQuoted
    if isQuoted {
      // A stray quote costs its own line; those after it are read once more.
      piece = later + piece
      line = record.line + (isPastFirstLine ? 1 : 0)
    }
    return record
  }
}
