import AuditedScores
import PipelineCore

/// What made the scores of a table, as its footer says it.
///
/// Two tables may be taken together where this is the same. The program's version and the shard are no part of
/// it, nor is the scorer's name where the weights' hash is known.
public struct ScoreProvenance: Sendable, Hashable {
  /// Empty for a table of another program.
  public let values: [String: String]

  static let tableFacts: Set = [
    "shard", "shard_bytes", "shard_sha256", "shards", "shards_sha256", "pairs",
    RowsDigest.fact, RescoringPass.askedFact,
  ]

  public init(_ footer: [String: String]) {
    guard footer["scorer"] != nil else {
      values = [:]
      return
    }
    values = footer.filter { key, _ in
      key != ScoreTable.programFact && !Self.tableFacts.contains(key)
        && !key.hasPrefix(ScoreAuditReport.prefix)
        && !(key == "scorer" && footer["weights"] != nil)
    }
  }

  init(_ scorer: any PairScorer) {
    self.init(Dictionary(ScoreTable.metadata(of: scorer).map { ($0.key, $0.value) }) { $1 })
  }

  /// A line for each fact in which `other` differs.
  func differences(from other: ScoreProvenance) -> [String] {
    Set(values.keys).union(other.values.keys).sorted().filter { values[$0] != other.values[$0] }
      .map { "\($0): \(values[$0] ?? "not said") there, \(other.values[$0] ?? "not said") here" }
  }
}
