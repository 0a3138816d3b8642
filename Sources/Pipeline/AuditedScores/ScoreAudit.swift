import ContentHashing

/// How far scores of bytes may be trusted: what a run measures before it decides by them.
///
/// No bound that could be derived through twelve layers would be of use. So it is measured: a sample of
/// every run is scored in Float as well, and its largest error, times a factor, is the bound. A decision
/// is then wrong only where an error beyond the factor's reach meets a score that near to the cut.
public struct ScoreAudit: Sendable, Equatable, CustomStringConvertible {
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

  /// For the footers of tables.
  public var description: String {
    "share \(share), at least \(minimum) pairs, times \(safety), seed \(seed)"
  }

  /// By which pairs are chosen: those with the lowest ranks, the same in any order and for any shards.
  ///
  /// The first 64 bits of a SHA-256 over seed and uid.
  public func rank(_ uid: String) -> UInt64 {
    let salt = (0..<8).map { UInt8(truncatingIfNeeded: seed >> (8 * UInt64($0))) }
    return ContentHash.sha256(salt + Array(uid.utf8)).prefix(8)
      .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  }

  /// Chooses the pairs that are scored in both ways.
  ///
  /// - Parameters:
  ///   - ranks: Of all pairs.
  ///   - places: Of those that have a score.
  /// - Returns: Their places, in order.
  public func sample(_ ranks: [UInt64], among places: [Int]) -> [Int] {
    let wanted = Int((share * Double(places.count)).rounded(.up))
    let count = min(places.count, max(minimum, wanted))
    if count == places.count { return places }
    return places.sorted { (ranks[$0], $0) < (ranks[$1], $1) }.prefix(count).sorted()
  }
}
