package import FilterPlans
import PairDataset
package import PipelineCore

/// The pairs of a run's shards as a plan sees them: the columns of the tables beside the shards (URL, caption,
/// original sizes, the list's own), the length of what was downloaded as `original_bytes`, and the scorer's
/// cosine as `score`; beside that a list's own `score` is `list_score`.
///
/// Memory: the table rows of one shard.
package struct ShardRows: FilterRows {
  /// A pair of a shard.
  struct Row {
    var key: String
    var uid: PairUID
    var score: Double?
    var values: JSONValue
  }

  private let chunks: [Int]
  private let folder: RunFolder
  private let scorer: String?
  private let names: FilterColumns
  /// The attempts that completed the chunks' downloads, as far as they are known.
  private let attempts: [Int: Int]
  private let kinds: [String: TableColumn.Kind]
  package let planColumns: PlanColumns

  /// - Parameters:
  ///   - chunks: Of which there are shards, in order.
  ///   - folder: The run's.
  ///   - scorer: Whose scores count; nil where there are none.
  ///   - names: What the plan's names mean.
  ///   - attempts: By chunk, the attempt that completed its download: names the table of transfers.
  /// - Throws: What is wrong with a table.
  package init(
    _ chunks: [Int], in folder: RunFolder, scorer: String?, names: FilterColumns = FilterColumns(),
    attempts: [Int: Int] = [:]
  ) throws {
    self.chunks = chunks
    self.folder = folder
    self.scorer = scorer
    self.names = names
    self.attempts = attempts
    var kinds: [String: TableColumn.Kind] = [:]
    for chunk in chunks {
      for column in try PairTable.columns(of: folder.shardTable(chunk)) {
        kinds[column.name] = column.kind
      }
    }
    self.kinds = kinds
    planColumns = names.columns(
      tables: kinds.keys.sorted(), isScored: scorer != nil, hasTransfers: !attempts.isEmpty)
  }

  package var columns: [String] { planColumns.names }

  package func forEachBatch(columns: Set<String>, _ body: (FilterBatch) throws -> Void) throws {
    for chunk in chunks {
      let rows = try pairs(of: chunk)
      var values: [String: FilterColumn] = [:]
      for name in columns {
        let asked = names.meant[name] ?? name
        if scorer != nil, FilterColumns.scoreNames.contains(asked) {
          values[name] = .numbers(rows.map(\.score))
          continue
        }
        // What the list calls as the scorer's is called otherwise.
        let actual = asked == FilterColumns.listScore && scorer != nil ? "score" : asked
        switch kinds[actual] {
        case nil where actual == FilterColumns.bytesName:
          let lengths = try lengths(of: chunk)
          values[name] = .numbers(
            rows.map { row in row.values["row"]?.integer.flatMap { lengths[$0] }.map(Double.init) })
        case nil: preconditionFailure("\(name) was not offered")
        case .int, .int32, .float, .double:
          values[name] = .numbers(rows.map { $0.values[actual]?.double })
        case .bool:
          values[name] = .numbers(
            rows.map { row in row.values[actual].map { $0 == .bool(true) ? 1 : 0 } })
        case .text: values[name] = .texts(rows.map { $0.values[actual]?.text })
        case .json: values[name] = .texts(rows.map { $0.values[actual]?.serialized })
        }
      }
      try body(FilterBatch(uids: rows.map(\.uid), columns: values))
    }
  }

  /// Bytes of what was downloaded, by row.
  private func lengths(of chunk: Int) throws -> [Int: Int] {
    guard let attempt = attempts[chunk] else { return [:] }
    let path = folder.fetchedTable(chunk, attempt: attempt)
    // A transfer that failed has none.
    let rows = try PairTable.read(path).compactMap { row -> (Int, Int)? in
      guard let number = row["row"]?.integer, let length = row["length"]?.integer else {
        return nil
      }
      return (number, length)
    }
    return Dictionary(rows, uniquingKeysWith: { $1 })
  }

  /// The pairs of a chunk's shard, in its order.
  ///
  /// - Throws: ``TableError`` where its tables tell of other pairs than each other.
  func pairs(of chunk: Int) throws -> [Row] {
    let path = folder.shardTable(chunk)
    // The pairs of a shard are the successes of its chunk, in order.
    let rows = try PairTable.read(path).filter { $0["status"]?.text == "success" }
    var scores: [(key: String, uid: String, score: Double?)]?
    if let scorer {
      scores = try PairTable.read(folder.scoreTable(chunk, scorer: scorer)) { row in
        guard let key = row["key"]?.text, let uid = row["uid"]?.text else { return nil }
        // Without a score where the scorer could make none.
        return (key, uid, row["score"]?.double)
      }
    }
    return try rows.enumerated().map { index, row in
      guard let key = row["key"]?.text else {
        throw TableError(path: path, row: index, problem: "a pair has no key")
      }
      let scored = scores.flatMap { $0.indices.contains(index) ? $0[index] : nil }
      guard scores == nil || scored?.key == key, scores?.count ?? rows.count == rows.count else {
        throw TableError(path: path, row: index, problem: "the scores are of other pairs")
      }
      let uid = row["uid"]?.text ?? scored?.uid ?? Self.uid(row)
      return Row(key: key, uid: PairUID(uid), score: scored?.score, values: row)
    }
  }

  /// The uid of a pair whose table has none, as those of img2dataset's layout.
  private static func uid(_ row: JSONValue) -> String {
    let url = row["url"]?.text ?? ""
    return PairIdentity.uid(
      normalizedURL: NormalizedURL.normalize(url) ?? url, caption: row["caption"]?.text ?? "")
  }
}
