import PipelineCore

/// What became of one pair, all stages of a chunk put together.
struct PairFate {
  var candidate: PairCandidate
  var fetched: FetchedRow?
  var decoded: DecodedRow?
  var verdict: Verdict?
  /// The pair's number among those of its shard, from 0, with gaps for rows that were rejected.
  var place: Int
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

  /// The host that was asked last, without port.
  var answeringHost: String {
    let url = fetched?.recorded("final_url")?.text ?? candidate.url
    guard let scheme = url.firstRange(of: "://") else { return "" }
    let authority = url[scheme.upperBound...].prefix { !"/?#".contains($0) }
    let host = authority.split(separator: "@").last ?? authority
    if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
    return String(host.prefix { $0 != ":" })
  }
}
