/// Reads Parquet files: columns of primitives and of lists of primitives.
///
/// Opening reads the footer only. ``batches(columns:rowsPerBatch:)`` then streams: a page per column
/// and a batch are in memory, whatever the size of row groups. One reader may serve several
/// iterations, also at the same time. Every length that the file states is checked before memory is
/// taken for it, and a page's checksum where it has one.
///
/// Values are given as ``ParquetType`` says. Columns that are structs, maps or deeper lists are left
/// out of ``columns`` and named in ``unsupportedColumns``. Codecs: none, Snappy, gzip, zstd, LZ4_RAW.
///
/// Source: github.com/apache/parquet-format 2.11, README.md, Encodings.md, LogicalTypes.md and
/// parquet.thrift.
public final class ParquetReader: Sendable {
  /// The columns that can be read, in the file's order.
  public let columns: [ParquetColumn]
  /// The columns that cannot be read, and why.
  public let unsupportedColumns: [(name: String, why: String)]
  public let rowCount: Int
  public var rowGroupCount: Int { rowGroups.count }
  /// The key-value metadata of the footer; of a key given twice the last.
  public let metadata: [String: String]
  /// The program that wrote the file.
  public let createdBy: String?

  private let source: ParquetSource
  private let leaves: [LeafColumn]
  private let rowGroups: [RowGroup]
  private let limits: ParquetLimits

  /// Opens a file and reads its footer.
  public convenience init(path: String) throws(ParquetError) {
    try self.init(try ParquetSource(path: path), limits: ParquetLimits())
  }

  /// Reads a file that is in memory; errors name it `name`.
  public convenience init(bytes: [UInt8], name: String) throws(ParquetError) {
    try self.init(ParquetSource(bytes: bytes, name: name), limits: ParquetLimits())
  }

  package convenience init(
    bytes: [UInt8], name: String, limits: ParquetLimits
  ) throws(ParquetError) {
    try self.init(ParquetSource(bytes: bytes, name: name), limits: limits)
  }

  private init(_ source: ParquetSource, limits: ParquetLimits) throws(ParquetError) {
    do {
      let footer = try FileMetadata(try Self.footer(of: source))
      let schema = try SchemaColumns(footer.schema)
      try Self.check(footer, leafCount: schema.leafCount)
      self.source = source
      self.limits = limits
      leaves = schema.leaves
      columns = schema.leaves.map(\.column)
      unsupportedColumns = schema.unsupported
      rowCount = footer.rowCount
      rowGroups = footer.rowGroups
      createdBy = footer.createdBy
      metadata = Dictionary(footer.keyValues.map { ($0.key, $0.value) }) { $1 }
    } catch {
      throw ParquetError(path: source.path, place: "footer", error)
    }
  }

  /// The footer's bytes: before the last eight, which are its length and the magic number.
  private static func footer(of source: ParquetSource) throws(ParquetError.Problem) -> [UInt8] {
    guard source.size >= 12 else { throw .notParquet("it has only \(source.size) bytes") }
    let head = try source.read(4, at: 0)
    let tail = try source.read(8, at: source.size - 8)
    if Array("PARE".utf8) == Array(tail[4...]) || Array("PARE".utf8) == head {
      throw .encrypted("the footer is encrypted, and there is no key")
    }
    guard Array("PAR1".utf8) == head else { throw .notParquet("it does not begin with PAR1") }
    guard Array("PAR1".utf8) == Array(tail[4...]) else {
      throw .notParquet("it does not end with PAR1")
    }
    let size = Int(LittleEndian.load32(tail, at: 0))
    guard size <= source.size - 12 else {
      throw .notParquet("its footer of \(size) bytes is longer than the file")
    }
    return try source.read(size, at: source.size - 8 - size)
  }

  private static func check(
    _ footer: FileMetadata, leafCount: Int
  ) throws(ParquetError.Problem) {
    var rows = 0
    for group in footer.rowGroups {
      guard group.rowCount >= 0, group.columns.count == leafCount else {
        throw .damaged("a row group has \(group.columns.count) columns, the schema \(leafCount)")
      }
      let (sum, isOver) = rows.addingReportingOverflow(group.rowCount)
      guard !isOver else { throw .damaged("the rows are more than can be counted") }
      rows = sum
    }
    guard rows == footer.rowCount else {
      throw .damaged("its row groups have \(rows) rows, and the file \(footer.rowCount)")
    }
  }

  /// The rows in order, some columns of them.
  ///
  /// - Parameters:
  ///   - names: The columns, in the order wanted; nil for all that can be read.
  ///   - rowsPerBatch: The rows of each batch; the last may have fewer.
  /// - Returns: The batches, of which none is read yet.
  /// - Throws: `noSuchColumn`, or `unsupported` for a column that cannot be read.
  public func batches(
    columns names: [String]? = nil, rowsPerBatch: Int
  ) throws(ParquetError) -> ParquetBatches {
    precondition(rowsPerBatch > 0, "batches of \(rowsPerBatch) rows")
    var chosen = leaves
    if let names {
      chosen = []
      for name in names { chosen.append(try leaf(name)) }
    }
    return ParquetBatches(source, rowGroups, chosen, rowsPerBatch: rowsPerBatch, limits: limits)
  }

  private func leaf(_ name: String) throws(ParquetError) -> LeafColumn {
    let found = leaves.filter { $0.column.name == name }
    if found.count == 1 { return found[0] }
    if let column = unsupportedColumns.first(where: { $0.name == name }), found.isEmpty {
      throw ParquetError(path: source.path, place: "column \(name)", .unsupported(column.why))
    }
    let words =
      found.isEmpty
      ? "there is no column \(name), but \(columns.map(\.name).joined(separator: ", "))"
      : "there are \(found.count) columns \(name)"
    throw ParquetError(path: source.path, .noSuchColumn(words))
  }
}
