import Deduplication
import PipelineCore

/// Why a pair of a shard is dropped, and for what.
struct ShardFate: Sendable, Equatable {
  var drop: Drop
  /// Of what is kept in its stead: its uid, and the index or set that holds it where that is no shard
  /// that is read.
  var survivorUID: String?
  var source: String?
  var distance: Int?
  var difference: Int?

  /// Nil for a pair that is kept.
  init?(_ verdict: Verdict) {
    guard let drop = verdict.drop else { return nil }
    self.drop = drop
    survivorUID = verdict.match?.uid
    source = verdict.match?.source
    distance = verdict.match?.distance
    difference = verdict.match?.difference
  }
}
