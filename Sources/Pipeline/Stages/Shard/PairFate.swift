import PipelineCore

/// What became of one pair, all stages of a chunk put together.
struct PairFate {
  var candidate: PairCandidate
  var fetched: FetchedRow?
  var decoded: DecodedRow?
  var verdict: Verdict?
  /// The name of the pair's members; no other pair of the shard has it.
  var key = ""

  /// The first drop on the pair's way; nil when it is in the shard.
  var drop: Drop? { candidate.drop ?? fetched?.drop ?? decoded?.drop ?? verdict?.drop }

  /// Whether trying again later may bring the pair.
  func failureClass(of drop: Drop) -> DropReason.Class {
    fetched?.failureClass ?? drop.reason.failureClass(status: fetched?.status)
  }

  /// Whether every stage that should have seen the pair did, and none after its drop.
  var isComplete: Bool {
    if candidate.drop != nil { return fetched == nil }
    guard let fetched else { return false }
    if fetched.drop != nil { return decoded == nil }
    guard let decoded else { return false }
    return (decoded.drop == nil) == (verdict != nil)
  }
}
