public import PipelineCore
package import URLPipeline

/// One row of the list, all tables of the run joined, as one of its chunks tells of it.
public struct PairRecord: Sendable {
  /// Each row has one; `kept` and `dropped` add up as in `pairloom status`.
  public enum Fate: String, Sendable, CaseIterable {
    /// It is in the shards that `dataset.json` lists.
    case kept
    case dropped
    /// No usable row of the list; it was never a pair.
    case rejected
    /// A job that it needs is not done yet.
    case pending
    /// A job that it needs was given up.
    case quarantined
  }

  /// What the filter said of a scored pair.
  struct Judgement: Sendable, Equatable {
    var score: Double?
    /// What the score was computed in, where an audit tells.
    var kind: String?
    var drop: Drop?
  }

  package var entry: FetchTable.Entry
  public var chunk: Int
  /// 0 for the list, else the retry.
  public var generation: Int
  /// Its key in the chunk's shard, where the shard's table has the row; dropped pairs have one too.
  public var key: String?
  /// The chunk's shard, by its path in the run's folder; nil where the pair is not in it.
  public var shard: String?
  /// Its number in the chunk's shard, from 0; nil where it is not there.
  public var numberInShard: Int?
  /// By scorer, in the order of ``RunRecords/scorers``.
  public var scores: [Double?]
  var judgement: Judgement?
  /// Its number among the pairs of the chunk that the filter kept, from 0.
  var numberKept: Int?
  public var fate: Fate
  /// Where it was dropped, or what it waits for.
  public var stage: StageName?

  public var row: Int { entry.candidate.row }

  /// A digest, unless it is the zeros that stand for one that nobody knows.
  static func known(_ sha256: String?) -> String? {
    sha256.flatMap { $0.utf8.allSatisfy { $0 == UInt8(ascii: "0") } ? nil : $0 }
  }

  /// Why it was dropped.
  public var drop: Drop? { entry.drop ?? judgement?.drop }
  /// Whether `pairloom forget` has taken it out.
  public var isForgotten: Bool {
    entry.candidate.isForgotten || drop?.reason == .forgotten
  }
  /// Whether a later try may bring it; nil where it was not dropped.
  public var failureClass: DropReason.Class? {
    entry.drop == nil ? judgement?.drop.map { _ in .permanent } : entry.failureClass
  }
}
