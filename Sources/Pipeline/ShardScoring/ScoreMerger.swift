import PipelineCore

/// Makes one table of those of all shards.
struct ScoreMerger: Sendable {
  let tables: [String]
  let columns: [TableColumn]
  let facts: [(key: String, value: String)]

  /// Reads the tables twice, one at a time: the footer's digest is known before the first row is written.
  func write(to path: String) throws {
    var digest = RowsDigest()
    for table in tables {
      for row in try PairTable.read(table) { digest.add(row) }
    }
    let writer = try PairTableWriter(
      path, columns: columns, metadata: facts + [(key: RowsDigest.fact, value: digest.finish())])
    for table in tables { try writer.append(try PairTable.read(table)) }
    try writer.finish()
  }
}
