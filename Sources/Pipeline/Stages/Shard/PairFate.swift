import PipelineCore

/// What became of one pair, all stages of a chunk put together.
struct PairFate {
  var candidate: PairCandidate
  var fetched: FetchedRow?
  var decoded: DecodedRow?
  var verdict: Verdict?
  /// The name of the pair's members; no other pair of the shard has it.
  var key = ""
  /// The pair's number among those of its shard, from 0, with gaps for rows that were rejected.
  var place: Int

  /// The first drop on the pair's way; nil when it is in the shard.
  var drop: Drop? { candidate.drop ?? fetched?.drop ?? decoded?.drop ?? verdict?.drop }

  /// Takes the pair out: it is dropped, and nothing is left that tells of it.
  mutating func forget() {
    let noHash = String(repeating: "0", count: 64)
    candidate = candidate.withoutContent
    fetched?.record = []
    decoded?.sha256 = noHash
    decoded?.phash = nil
    decoded?.exif = nil
    decoded?.signature = nil
    verdict?.sha256 = noHash
    verdict?.match = nil
    if drop == nil { verdict?.drop = Drop(.forgotten) }
  }

  /// SHA-256 of the downloaded bytes; nil where nothing was decoded or nobody knows it.
  var sha256: String? {
    let isUnknown = decoded?.sha256 == DecodedRow.unknownSHA256 && drop?.reason != .forgotten
    return isUnknown ? nil : decoded?.sha256
  }

  /// What the program said of a drop that had asked before the row was imported.
  ///
  /// A transfer of ours has a number of tries.
  var importedMessage: String? {
    guard let drop, candidate.key != nil, fetched?.number("tries") == nil else { return nil }
    return drop.detail.isEmpty ? nil : drop.detail
  }

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

  /// The answer that decided the pair's fate: its status and final URL are the same for the same web.
  ///
  /// Nil for what failed on the way, such as a timeout: how far that came is a matter of time, and
  /// stays in `fetched/`.
  var answer: FetchedRow? {
    switch fetched?.drop?.reason {
    case nil, .httpStatus, .robots, .hashMismatch, .hashBlocked: fetched
    // What is no picture is told by its first bytes.
    case let reason? where reason.stage == .decode: fetched
    default: nil
    }
  }

  /// The ending of the kept picture's name.
  var imageExtension: String { decoded?.format ?? "jpg" }

  /// The host that was asked last, without port.
  var answeringHost: String {
    let asked = fetched?.recorded("final_url")?.text.flatMap(NormalizedURL.host(ofNormalized:))
    return asked ?? NormalizedURL.host(of: candidate.url) ?? ""
  }
}
