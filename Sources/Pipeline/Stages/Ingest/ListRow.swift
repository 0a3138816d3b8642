import PipelineCore

/// A data row as it stands in the list, or why it cannot be used.
///
/// One is filled again and again, so that a row costs no allocation.
struct ListRow {
  /// The line it begins on, the row of a Parquet file or the sample of a tar, from 1.
  var line = 0
  /// Why it cannot be used.
  var reject: String?
  /// UTF-8.
  var url: [UInt8] = []
  /// UTF-8, which may be empty.
  var caption: [UInt8] = []
  /// The other columns: members of a JSON object with commas between.
  var columns: [UInt8] = []
  /// Lower-case hexadecimal digits.
  var expectedHash: [UInt8] = []
  /// Where the picture lies already; such a row needs no URL.
  var picture: PictureSource?
  /// The pair's name, where it does not follow from URL and caption.
  var uid: String?

  mutating func clear(line: Int) {
    self.line = line
    reject = nil
    url.removeAll(keepingCapacity: true)
    caption.removeAll(keepingCapacity: true)
    columns.removeAll(keepingCapacity: true)
    expectedHash.removeAll(keepingCapacity: true)
    picture = nil
    uid = nil
  }

  /// Puts a comma where another member stands before.
  mutating func beginColumn() {
    if !columns.isEmpty { columns.append(UInt8(ascii: ",")) }
  }

  /// Takes the expected hash, or rejects the row.
  mutating func setHash(_ digits: some Collection<UInt8>, column: String) {
    expectedHash.removeAll(keepingCapacity: true)
    for byte in digits {
      switch byte {
      case 0x30...0x39, 0x61...0x66: expectedHash.append(byte)
      case 0x41...0x46: expectedHash.append(byte | 0x20)
      case 0x20, 0x09: continue
      default:
        reject = Self.badHash(column)
        return
      }
    }
    if ![32, 64, 128].contains(expectedHash.count) { reject = Self.badHash(column) }
  }

  private static func badHash(_ column: String) -> String {
    "column \(column) holds no MD5, SHA-256 or SHA-512 in hexadecimal digits"
  }
}

/// Gives the rows of one file.
protocol RowSource: AnyObject {
  /// Whether the file has captions, as far as it was read: the column, though it be empty.
  var hasCaptions: Bool { get }

  /// Fills `row` with the next data row; false after the last.
  func next(_ row: inout ListRow, _ schema: inout ColumnSchema) throws(ListError) -> Bool
}

/// The names under which a list's columns are looked for.
struct ColumnRoles {
  var url: [String]
  var caption: [String]
  var hash: String?
  /// Whether the caption's column was named, so that a row without it is wrong.
  var isCaptionNamed: Bool
  /// Columns that must be there, whatever is in them.
  var needed: [String]

  init(_ options: IngestOptions) {
    url = options.urlColumn.map { [$0] } ?? ["url", "URL"]
    caption = options.captionColumn.map { [$0] } ?? ["caption", "text", "TEXT", "alt"]
    hash = options.hashColumn
    isCaptionNamed = options.captionColumn != nil
    needed = options.neededColumns
  }

  /// The places of the columns among those of a file that has the same in each row.
  ///
  /// - Throws: ``ListError/noColumn(path:wanted:found:)`` where one that is needed is not there.
  func places(
    in header: [String], path: String
  ) throws(ListError) -> (url: Int, caption: Int?, hash: Int?) {
    guard let place = url.lazy.compactMap({ header.firstIndex(of: $0) }).first else {
      throw .noColumn(path: path, wanted: url, found: header)
    }
    let captionPlace = caption.lazy.compactMap { header.firstIndex(of: $0) }.first
    if isCaptionNamed, captionPlace == nil {
      throw .noColumn(path: path, wanted: caption, found: header)
    }
    let hashPlace = hash.flatMap { header.firstIndex(of: $0) }
    if let hash, hashPlace == nil { throw .noColumn(path: path, wanted: [hash], found: header) }
    for name in needed where !header.contains(name) {
      throw .noColumn(path: path, wanted: [name], found: header)
    }
    return (place, captionPlace, hashPlace)
  }
}
