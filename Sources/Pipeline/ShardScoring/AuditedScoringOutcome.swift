public import AuditedScores

/// What came of scoring with a cut.
public struct AuditedScoringOutcome: Sendable, Equatable {
  /// Of the final tables.
  public var scoring: ShardScoringOutcome
  /// Where scores were cut.
  public var cut: ScoreCut
  /// What the audit found; nil where shards that cannot be read leave all undecided.
  public var audit: ScoreAuditReport?
  public var kept = 0
  /// Pairs that this process has scored exactly.
  public var rescoredHere = 0
  /// Whether all was there already.
  public var wasComplete: Bool { scoring.wasComplete && rescoredHere == 0 && audit != nil }
}

/// How far an audited scoring has come.
public enum AuditedScoringProgress: Sendable, Equatable {
  /// All pairs are being scored.
  case scoring(ScoringProgress)
  /// What lies near the cut is being scored exactly, the audit's sample in round 0.
  case rescoring(round: Int, done: Int, pairs: Int)
}
