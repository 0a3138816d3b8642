public import EmbeddingFiles
import PipelineCore

/// The table `semantic.parquet`: every row of the embeddings, its cluster, and what became of it.
public enum SemanticTable {
  public static let name = "semantic.parquet"

  static let columns = [
    TableColumn("row", .int, isOptional: false), TableColumn("uid", .text, isOptional: false),
    TableColumn("key", .text, isOptional: false), TableColumn("shard", .text, isOptional: false),
    TableColumn("kept", .bool, isOptional: false),
    TableColumn("cluster", .int, isOptional: false),
    TableColumn("centroid_cosine", .float, isOptional: false),
    TableColumn("of", .int), TableColumn("of_uid", .text), TableColumn("of_key", .text),
    TableColumn("cosine", .float), TableColumn("match", .int), TableColumn("match_cosine", .float),
  ]

  /// Publishes the table.
  ///
  /// `of` is the row that is kept in a dropped one's stead and `cosine` that of both; `match` is the row for
  /// which it was dropped, and `match_cosine` is above the threshold.
  ///
  /// - Throws: What the metadata or the disk refuse.
  public static func write(
    _ judgement: SemanticJudgement, of folder: EmbeddingFolder, _ rows: EmbeddingRows,
    to path: String, facts: [(key: String, value: String)] = []
  ) throws {
    let survivors = try folder.metadata(of: Set(judgement.fates.values.map(\.survivor)))
    let table = try PairTableWriter(path, columns: columns, metadata: facts)
    try folder.forEachMetadata { first, batch in
      for (index, pair) in batch.enumerated() {
        let row = first + index
        let fate = judgement.fates[row]
        var members: [JSONValue.Member] = [
          .init("row", .int(row)), .init("uid", .string(SemanticNames.uid(of: pair))),
          .init("key", .string(pair.key)), .init("shard", .string(pair.shard)),
          .init("kept", .bool(fate == nil)),
          .init("cluster", .int(judgement.clusters.cluster[row])),
          .init("centroid_cosine", .number("\(judgement.clusters.cosine[row])")),
        ]
        if let fate {
          let cosine =
            fate.survivor == fate.match ? fate.cosine : rows.cosine(of: row, and: fate.survivor)
          members += [
            .init("of", .int(fate.survivor)),
            .init("of_uid", .string(survivors[fate.survivor].map(SemanticNames.uid) ?? "")),
            .init("of_key", .string(survivors[fate.survivor]?.key ?? "")),
            .init("cosine", .number("\(cosine)")), .init("match", .int(fate.match)),
            .init("match_cosine", .number("\(fate.cosine)")),
          ]
        }
        try table.append(.object(members))
      }
    }
    try table.finish()
  }
}

/// The names by which rows of embeddings and pairs of shards are told to be the same.
enum SemanticNames {
  /// The uid; of a table without one that of URL and caption; empty where neither is known.
  static func uid(of pair: EmbeddingMetadata) -> String {
    if !pair.uid.isEmpty || pair.url.isEmpty { return pair.uid }
    return NormalizedURL.normalize(pair.url)
      .map { PairIdentity.uid(normalizedURL: $0, caption: pair.caption) } ?? ""
  }
}

extension EmbeddingRows {
  /// The cosine of two rows; 0 where one has no direction.
  func cosine(of one: Int, and other: Int) -> Float {
    let (a, b) = (vectors(one..<one + 1), vectors(other..<other + 1))
    func product(_ a: [Float], _ b: [Float]) -> Double {
      zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let cosine = product(a, b) / (product(a, a) * product(b, b)).squareRoot()
    return cosine.isFinite ? Float(cosine) : 0
  }
}
