import FilterPlans
import PairDataset
import PipelineCore

/// The pairs of a run's shards as a plan sees them: the columns of the tables beside the shards (URL, caption,
/// original sizes, the list's own), and the scorer's as `score`.
///
/// Memory: the table rows of one shard.
struct ShardRows: FilterRows {
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
  private let kinds: [String: TableColumn.Kind]

  /// - Parameters:
  ///   - chunks: Of which there are shards, in order.
  ///   - folder: The run's.
  ///   - scorer: Whose scores count; nil where there are none.
  /// - Throws: What is wrong with a table.
  init(_ chunks: [Int], in folder: RunFolder, scorer: String?) throws {
    self.chunks = chunks
    self.folder = folder
    self.scorer = scorer
    var kinds: [String: TableColumn.Kind] = [:]
    for chunk in chunks {
      for column in try PairTable.columns(of: folder.shardTable(chunk)) {
        kinds[column.name] = column.kind
      }
    }
    self.kinds = kinds
  }

  /// What plans call the scorer's cosine.
  private static let scoreNames = ["score", "clip_score"]

  var columns: [String] {
    let names = kinds.keys.sorted()
    return names + (scorer == nil ? [] : Self.scoreNames.filter { !names.contains($0) })
  }

  func forEachBatch(columns: Set<String>, _ body: (FilterBatch) throws -> Void) throws {
    for chunk in chunks {
      let rows = try pairs(of: chunk)
      var values: [String: FilterColumn] = [:]
      for name in columns {
        switch kinds[name] {
        case nil: values[name] = .numbers(rows.map(\.score))
        case .int, .int32, .float, .double:
          values[name] = .numbers(rows.map { $0.values[name]?.double })
        case .bool:
          values[name] = .numbers(
            rows.map { row in row.values[name].map { $0 == .bool(true) ? 1 : 0 } })
        case .text: values[name] = .texts(rows.map { $0.values[name]?.text })
        case .json: values[name] = .texts(rows.map { $0.values[name]?.serialized })
        }
      }
      try body(FilterBatch(uids: rows.map(\.uid), columns: values))
    }
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
