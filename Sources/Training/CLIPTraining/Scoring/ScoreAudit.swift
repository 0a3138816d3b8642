import ContentHashing

/// How far scores of bytes may be trusted: what a run measures before it decides by them.
///
/// No bound that could be derived through twelve layers would be of use. So it is measured: a sample of
/// every run is scored in Float as well, and its largest error, times a factor, is the bound. A decision
/// is then wrong only where an error beyond the factor's reach meets a score that near to the cut.
public struct ScoreAudit: Sendable, Equatable {
  /// The sample's share of the pairs.
  public var share: Double
  /// Its least size.
  public var minimum: Int
  /// The bound is the largest error seen times this.
  public var safety: Float
  /// Another seed takes another sample.
  public var seed: UInt64

  public init(share: Double = 0.01, minimum: Int = 256, safety: Float = 1.5, seed: UInt64 = 0) {
    precondition(
      (0...1).contains(share) && minimum >= 1 && safety >= 1,
      "audit: a share of \(share), at least \(minimum), a factor of \(safety)")
    self.share = share
    self.minimum = minimum
    self.safety = safety
    self.seed = seed
  }

  /// The places in `uids` of the pairs that are scored in both ways.
  ///
  /// Those with the smallest hashes of seed and uid: the same pairs in any order.
  public func sample(of uids: [String]) -> [Int] {
    let count = min(uids.count, max(minimum, Int((share * Double(uids.count)).rounded(.up))))
    if count == uids.count { return Array(uids.indices) }
    let salt = (0..<8).map { UInt8(truncatingIfNeeded: seed >> (8 * UInt64($0))) }
    let ranked = uids.enumerated().map { index, uid in
      let hash = ContentHash.sha256(salt + Array(uid.utf8)).prefix(8)
      return (hash: hash.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }, uid: uid, index: index)
    }
    return ranked.sorted { ($0.hash, $0.uid, $0.index) < ($1.hash, $1.uid, $1.index) }
      .prefix(count).map(\.index).sorted()
  }
}

/// What an audit found, for the footer of a score table and for reports.
public struct ScoreAuditReport: Sendable, Equatable, Codable {
  /// All pairs.
  public var pairs: Int
  /// Pairs of the sample.
  public var sampled: Int
  /// The largest and the mean |int8 − float32| of the sample.
  public var largestError: Float
  public var meanError: Float
  /// What the decisions took for the largest error.
  public var bound: Float
  /// Pairs near the cut that were scored again, beside the sample.
  public var rescored: Int
  /// The largest error among those, and how many lay beyond the sample's bound, which then grew.
  public var largestRescoredError: Float
  public var beyondBound: Int
  /// Pairs whose decision the scores of bytes alone would have got wrong.
  public var corrected: Int

  /// The report as names and values.
  public var metadata: [String: String] {
    [
      "audit.pairs": "\(pairs)", "audit.sampled": "\(sampled)",
      "audit.largest_error": "\(largestError)", "audit.mean_error": "\(meanError)",
      "audit.bound": "\(bound)", "audit.rescored": "\(rescored)",
      "audit.largest_rescored_error": "\(largestRescoredError)",
      "audit.beyond_bound": "\(beyondBound)", "audit.corrected": "\(corrected)",
    ]
  }
}
