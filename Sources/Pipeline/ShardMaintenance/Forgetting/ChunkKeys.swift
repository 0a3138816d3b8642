import PipelineCore

/// The keys of the pairs of one chunk that are taken out.
struct ChunkKeys: Sendable {
  /// Those under which they are in the chunk's shard, its scores and verdicts.
  var shipped: Set<String> = []
  /// Those under which they are, or were before an interrupted request; of no pair that stays.
  var known: Set<String> = []

  /// Reads them off the table of the chunk's shard, a row of which is the row of the chunk in its place.
  ///
  /// Once the table is without the pairs the chunk is done, and nothing is shipped.
  ///
  /// - Parameters:
  ///   - rows: The chunk's, with those marked that go.
  ///   - path: Of the table.
  /// - Throws: ``TableError`` where it has other rows.
  init(of rows: [PairCandidate], in path: String) throws {
    let table = try PairTable.read(path)
    guard table.count == rows.count else {
      throw TableError(
        path: path, row: table.count, problem: "it has not the chunk's \(rows.count) rows")
    }
    var others: Set<String> = []
    for (candidate, row) in zip(rows, table) {
      guard let key = row["key"]?.text else { continue }
      // A dropped row may have the key of a kept one.
      let isKept = row["status"]?.text == "success"
      guard candidate.isForgotten else {
        if isKept { others.insert(key) }
        continue
      }
      if isKept { shipped.insert(key) }
      // As ShardStage tells a uid's further rows apart.
      known.formUnion([key, "\(key)-\(candidate.row)"])
    }
    known.subtract(others)
  }

  init() {}
}
