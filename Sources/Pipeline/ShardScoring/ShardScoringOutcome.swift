/// What came of it.
public struct ShardScoringOutcome: Sendable, Equatable, Codable {
  public var shards = 0
  /// Of all shards.
  public var pairs = 0
  /// Pairs with a score.
  public var scored = 0
  /// Pairs without one, by reason.
  public var faults: [String: Int] = [:]
  /// Pairs that this process has scored.
  public var pairsHere = 0
  /// Tables that were damaged, or of a shard as it was before, and were made anew.
  public var redone = 0
  /// Tables that this call has made.
  public var made = 0
  /// Shards that cannot be read, with the reason.
  public var unread: [String: String] = [:]
  /// Nil where nothing is scored.
  public var scores: ScoreSpread?
  public var seconds = ScoringTimes()
  /// Whether all was there already.
  public var wasComplete: Bool { made == 0 && redone == 0 && unread.isEmpty }

  public init() {}

  mutating func add(_ rows: ScoreRows) {
    pairs += rows.count
    scored += rows.scores.count
    faults.merge(rows.faults, uniquingKeysWith: +)
  }
}

/// How scores are spread.
public struct ScoreSpread: Sendable, Equatable, Codable {
  public var minimum: Float
  public var maximum: Float
  public var mean: Double
  /// By the share of scores below: 0.05, 0.25, 0.5, 0.75 and 0.95, of which each is a score that is there.
  public var quantiles: [String: Float] = [:]

  static let shares = [0.05, 0.25, 0.5, 0.75, 0.95]

  /// Nil for no scores.
  ///
  /// Memory: another 4 bytes each.
  init?(_ scores: [Float]) {
    let sorted = scores.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    minimum = first
    maximum = last
    // In order of size, so that the sum is the same however shards were named.
    mean = sorted.reduce(0) { $0 + Double($1) } / Double(sorted.count)
    for share in Self.shares {
      quantiles["\(share)"] = sorted[Int(share * Double(sorted.count - 1))]
    }
  }
}

/// How far a process has come.
public struct ScoringProgress: Sendable, Equatable {
  /// Shards whose tables are there, by whomever they were made.
  public var shardsDone: Int
  public var shards: Int
  /// Pairs that this process has scored, and how many a second.
  public var pairs: Int
  public var pairsPerSecond: Double
  /// By the bytes of shards that are done; nil before there are any.
  public var secondsLeft: Double?
}
