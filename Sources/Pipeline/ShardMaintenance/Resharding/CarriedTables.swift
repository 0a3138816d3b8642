import DurableFiles
import ParquetFile

/// The rows of the tables beside the shards, taken along with their pairs.
///
/// Memory: the rows of one shard that is read and of one that is written.
struct CarriedTables {
  private let columns: [ParquetColumn]
  private let keyColumn: Int
  /// What became of the row, in img2dataset's words and ours; foreign tables may have none.
  private let statusColumn: Int?
  private let folder: String
  /// The rows of the shard that is read, by key.
  private var rows: [String: [ParquetValue]] = [:]
  private var written: [[ParquetValue]]
  private var number: Int?

  /// Nil, and why in words, where the shards have no tables that can go into one.
  static func make(
    for shards: [String], into folder: String
  ) throws -> (tables: CarriedTables?, why: String?) {
    let paths = shards.map { path(beside: $0) }
    let there = paths.filter(DurableFile.exists)
    if there.isEmpty { return (nil, nil) }
    guard there.count == paths.count else {
      return (
        nil, "\(paths.count - there.count) of \(paths.count) shards have no table beside them"
      )
    }
    let columns = try ParquetReader(path: paths[0]).columns
    guard let keyColumn = columns.firstIndex(where: { $0.name == "key" && !$0.isList }) else {
      return (nil, "\(paths[0]) has no column `key`")
    }
    for path in paths {
      let reader = try ParquetReader(path: path)
      guard reader.columns == columns, reader.unsupportedColumns.isEmpty else {
        return (nil, "\(path) has other columns than \(paths[0])")
      }
    }
    return (
      CarriedTables(
        columns: columns, keyColumn: keyColumn,
        statusColumn: columns.firstIndex { $0.name == "status" && !$0.isList }, folder: folder,
        written: columns.map { _ in [] }),
      nil
    )
  }

  private static func path(beside shard: String) -> String {
    let name = shard.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    return shard.dropLast(name.count) + name.prefix { $0 != "." } + ".parquet"
  }

  /// Reads the rows of the next shard.
  mutating func open(_ shard: String) throws {
    rows = [:]
    let batches = try ParquetReader(path: Self.path(beside: shard))
      .batches(columns: nil, rowsPerBatch: 4_096)
    while let batch = try batches.next() {
      for row in 0..<batch.rowCount {
        guard case .text(let key) = batch.values[keyColumn][row], rows[key] == nil else {
          continue
        }
        // A dropped row may have the key of a kept one, which alone is in the shard.
        if let statusColumn, batch.values[statusColumn][row] != .text("success") { continue }
        rows[key] = batch.values.map { $0[row] }
      }
    }
  }

  /// Takes along the row of the pair `key`, which has become `newKey` of output shard `number`.
  ///
  /// - Throws: A table that lacks the pair, or what the disk refuses.
  mutating func take(_ key: String, as newKey: String, to number: Int, of shard: String) throws {
    if number != self.number { try publish() }
    self.number = number
    guard var row = rows[key] else {
      throw ReshardError.tableLacksPair(table: Self.path(beside: shard), key: key)
    }
    row[keyColumn] = .text(newKey)
    for index in row.indices { written[index].append(row[index]) }
  }

  /// Publishes the table of the shard that was written last.
  mutating func publish() throws {
    guard let number else { return }
    let writer = try ParquetWriter(
      path: "\(folder)/\(Resharder.digits(number)).parquet", columns: columns)
    try writer.append(written)
    try writer.finish()
    written = columns.map { _ in [] }
    self.number = nil
  }
}
