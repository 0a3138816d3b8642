import ParquetFile

/// Parquet tables copied without some of their rows, whatever their columns.
enum TableRows {
  /// Rewrites the table at `path` without the rows whose `column` has a text that is refused.
  ///
  /// - Parameters:
  ///   - path: Replaced as one; left alone where nothing goes.
  ///   - column: Of texts.
  ///   - isKept: Asked for each row's text.
  /// - Returns: The rows that are left.
  /// - Throws: `ParquetError` where it is damaged or has no such column.
  @discardableResult
  static func keep(
    _ path: String, where column: String, _ isKept: (String) -> Bool
  ) throws -> Int {
    let reader = try ParquetReader(path: path)
    let texts = try reader.batches(columns: [column], rowsPerBatch: 4_096)
    var kept: [Bool] = []
    while let batch = try texts.next() {
      for value in batch.values[0] {
        if case .text(let text) = value { kept.append(isKept(text)) } else { kept.append(true) }
      }
    }
    let left = kept.count { $0 }
    guard left < kept.count else { return left }
    let writer = try ParquetWriter(
      path: path, columns: reader.columns, metadata: ordered(reader.metadata))
    let batches = try reader.batches(columns: nil, rowsPerBatch: 4_096)
    var start = 0
    while let batch = try batches.next() {
      let flags = kept[start..<start + batch.rowCount]
      start += batch.rowCount
      try writer.append(
        batch.values.map { values in zip(values, flags).filter { $0.1 }.map { $0.0 } })
    }
    try writer.finish()
    return left
  }

  /// A footer's facts in the order in which the program writes them: the scorer's name first.
  static func ordered(_ metadata: [String: String]) -> [(String, String)] {
    metadata.sorted { ($0.key != "scorer" ? 1 : 0, $0.key) < ($1.key != "scorer" ? 1 : 0, $1.key) }
      .map { ($0.key, $0.value) }
  }
}
