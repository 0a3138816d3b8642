/// Reads the rows of all files of a list, one after the other.
///
/// Memory: one row and a piece of the file, whatever the length of the list.
struct ListReader {
  private let files: [ListFileName]
  private let roles: ColumnRoles
  private var open: (any RowSource)?
  private var next = 0
  /// The columns that the rows carry, as far as they were read.
  private(set) var schema = ColumnSchema()
  /// What each file gave so far.
  private(set) var counts: [FileCount] = []

  /// The rows of one file.
  struct FileCount: Equatable {
    var path: String
    var format: ListFormat
    var firstRow: Int
    var rows = 0
    var rejected = 0
    var hasCaptions = false
  }

  init(_ options: IngestOptions) throws(ListError) {
    files = try ListFiles.find(options)
    roles = ColumnRoles(options)
    // A list that cannot be read as asked is known at once.
    try openNext()
  }

  /// The file of the last row.
  var path: String { counts.last?.path ?? "" }

  /// Fills `row` with the next data row; false after the last.
  mutating func next(_ row: inout ListRow) throws(ListError) -> Bool {
    while let source = open {
      if try source.next(&row, &schema) {
        counts[counts.count - 1].rows += 1
        if row.reject != nil { counts[counts.count - 1].rejected += 1 }
        counts[counts.count - 1].hasCaptions = source.hasCaptions
        return true
      }
      try openNext()
    }
    return false
  }

  private mutating func openNext() throws(ListError) {
    open = nil
    guard next < files.count else { return }
    let file = files[next]
    next += 1
    counts.append(
      FileCount(
        path: file.path, format: file.format,
        firstRow: (counts.last?.firstRow ?? 0) + (counts.last?.rows ?? 0)))
    open = try source(file)
  }

  /// Opens each file that a run would read and reads its first row.
  func check() throws(ListError) {
    var (row, schema) = (ListRow(), ColumnSchema())
    for file in files { _ = try source(file).next(&row, &schema) }
  }

  /// The columns of all files, where their heads tell them; nil where their rows alone do.
  func columns() throws(ListError) -> (names: [String], hasCaptions: Bool)? {
    var (row, schema, hasCaptions) = (ListRow(), ColumnSchema(), false)
    for file in files {
      switch file.format {
      case .txt, .csv, .tsv, .parquet: break
      case .json, .jsonl, .tar: return nil
      }
      let source = try source(file)
      _ = try source.next(&row, &schema)
      hasCaptions = hasCaptions || source.hasCaptions
    }
    return (schema.names.map { String(decoding: $0, as: UTF8.self) }, hasCaptions)
  }

  private func source(_ file: ListFileName) throws(ListError) -> any RowSource {
    switch file.format {
    case .txt: try PlainRows(path: file.path)
    case .csv: try DelimitedRows(path: file.path, delimiter: UInt8(ascii: ","), roles: roles)
    case .tsv: try DelimitedRows(path: file.path, delimiter: UInt8(ascii: "\t"), roles: roles)
    case .json: try JSONRows.open(path: file.path, roles: roles)
    case .jsonl: try JSONLineRows(path: file.path, roles: roles)
    case .parquet: try ParquetRows(path: file.path, roles: roles)
    case .tar: try TarRows(path: file.path, roles: roles)
    }
  }
}

/// A look into a list before a run begins.
public enum ListSample {
  /// Makes sure that every file can be opened and has the columns that are asked for.
  ///
  /// JSON Lines have no columns but those of each row: a row without a URL is a reject, not an error.
  ///
  /// - Throws: ``ListError`` for the first file that is none.
  public static func check(_ options: IngestOptions) throws(ListError) {
    try ListReader(options).check()
  }

  /// The columns that rows carry beside URL and caption, and whether there are captions.
  ///
  /// - Returns: Nil where the rows alone tell, as those of JSON and of tars.
  /// - Throws: ``ListError`` for the first file that is none.
  public static func columns(
    of options: IngestOptions
  ) throws(ListError) -> (names: [String], hasCaptions: Bool)? {
    try ListReader(options).columns()
  }

  /// The captions of the first rows that can be read.
  ///
  /// - Parameters:
  ///   - options: Name the list and its columns.
  ///   - count: Rows to read at most.
  /// - Returns: A caption per readable row; empty ones included.
  /// - Throws: ``ListError`` when the list cannot be opened or has no column of URLs.
  public static func captions(of options: IngestOptions, count: Int) throws(ListError) -> [String] {
    var reader = try ListReader(options)
    var row = ListRow()
    var captions: [String] = []
    for _ in 0..<count {
      guard try reader.next(&row) else { break }
      if row.reject == nil { captions.append(String(decoding: row.caption, as: UTF8.self)) }
    }
    return captions
  }
}
