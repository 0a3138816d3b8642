import WorkerThreads

/// Decides by scores of bytes as scores in Float would, scoring again what lies near the cut.
///
/// Asks for scores in Float in rounds: first of the audit's sample, which gives the bound, then of pairs
/// within the bound of the cut, until no decision is open. What is asked for follows from the scores
/// alone, so whoever goes on with an interrupted decision comes to the same.
/// ```
/// var cut = AuditedCut(scores, ranks: ranks, keys: keys, cut: .topFraction(0.3), audit: audit)
/// while !cut.open.isEmpty { cut.take(exact(cut.open)) }
/// let result = cut.result()
/// ```
public struct AuditedCut: Sendable {
  public struct Result: Sendable {
    /// In Float where a pair was scored again, else of bytes.
    ///
    /// Cut, they give the decisions. −∞ where there is none.
    public var scores: [Float]
    /// What each score was computed in; nil where there is none.
    public var kinds: [ScoreKind?]
    public var kept: [Bool]
    public var report: ScoreAuditReport
  }

  /// The places of the pairs to be scored in Float next, in order; none when all is decided.
  public private(set) var open: [Int]
  /// How often that has been answered.
  public private(set) var round = 0
  private let given: [Float]
  private let keys: [String]
  private let cut: ScoreCut
  private let audit: ScoreAudit
  private var scores: [Float]
  private var kinds: [ScoreKind?]
  private var report: ScoreAuditReport

  /// - Parameters:
  ///   - scores: Of bytes, of all pairs that the cut is about; −∞ where there is none.
  ///   - ranks: Of the pairs, by ``ScoreAudit/rank(_:)``; they choose the sample.
  ///   - keys: Of the pairs; they rank equal scores.
  ///   - cut: What is kept.
  ///   - audit: How the bound is measured.
  public init(
    _ scores: [Float], ranks: [UInt64], keys: [String], cut: ScoreCut, audit: ScoreAudit
  ) {
    precondition(
      scores.count == ranks.count && scores.count == keys.count,
      "\(scores.count) scores of \(ranks.count) ranks and \(keys.count) keys")
    given = scores
    self.keys = keys
    self.cut = cut
    self.audit = audit
    self.scores = scores
    kinds = scores.map { $0.isFinite ? .int8 : nil }
    report = ScoreAuditReport(pairs: scores.count)
    open = audit.sample(ranks, among: scores.indices.filter { scores[$0].isFinite })
  }

  /// Takes the scores in Float of the pairs at ``open``, in that order.
  public mutating func take(_ exact: [Float]) {
    precondition(exact.count == open.count, "\(exact.count) scores of \(open.count) pairs")
    var errors: [Float] = []
    for (place, score) in zip(open, exact) {
      precondition(score.isFinite, "the score in Float is \(score)")
      errors.append(abs(scores[place] - score))
      scores[place] = score
      kinds[place] = .float32
    }
    if round == 0 {
      report.sampled = open.count
      report.largestError = errors.max() ?? 0
      report.meanError = Float(
        errors.reduce(0.0) { $0 + Double($1) } / Double(max(1, errors.count)))
      report.bound = report.largestError * audit.safety
    } else {
      report.rescored += open.count
      for error in errors {
        report.largestRescoredError = max(report.largestRescoredError, error)
        if error > report.bound { report.beyondBound += 1 }
      }
      // An error beyond the bound widens it, and with it what is looked at again.
      report.bound = max(report.bound, report.largestRescoredError * audit.safety)
    }
    round += 1
    open = undecided(report.bound)
  }

  /// Scores of both kinds and the decisions, when nothing is ``open`` any more.
  public func result() -> Result {
    precondition(open.isEmpty, "\(open.count) pairs are still to be scored again")
    let kept = cut.kept(scores, keys: keys)
    var report = report
    report.corrected = zip(kept, cut.kept(given, keys: keys)).count { $0 != $1 }
    return Result(scores: scores, kinds: kinds, kept: kept, report: report)
  }

  /// The pairs in bytes whose decision may still change.
  private func undecided(_ bound: Float) -> [Int] {
    switch cut {
    case .minScore(let least):
      return scores.indices.filter { kinds[$0] == .int8 && abs(scores[$0] - least) <= bound }
    case .topFraction:
      guard let count = cut.count(of: scores.count), count > 0, count < scores.count else {
        return []
      }
      // The score of the last one kept lies between the same ranks of the least and of the most that
      // each score may be.
      func rank(_ shift: Float) -> Float {
        scores.indices.map { scores[$0] + (kinds[$0] == .int8 ? shift : 0) }
          .sorted(by: >)[count - 1]
      }
      let (lowest, highest) = (rank(-bound), rank(bound))
      let open = scores.indices.filter {
        kinds[$0] == .int8 && scores[$0] + bound >= lowest && scores[$0] - bound <= highest
      }
      // Those nearest to the middle first: once they are certain, the cut is, and few of the
      // others are left.
      let middle = (lowest + highest) / 2
      let near = open.filter { abs(scores[$0] - middle) <= bound }
      return near.isEmpty ? open : near
    }
  }

  /// Decides with scores in Float that are made elsewhere; sorting keeps off Swift's own threads.
  ///
  /// - Parameter rescore: The scores in Float of the pairs at these places, in a round of this number.
  /// - Returns: What ``result()`` does.
  /// - Throws: What `rescore` throws.
  public consuming func decide(
    _ rescore: (_ round: Int, _ places: [Int]) async throws -> [Float]
  ) async throws -> Result {
    var state = self
    while !state.open.isEmpty {
      let exact = try await rescore(state.round, state.open)
      let before = state
      state = try await Parallel.detached {
        var next = before
        next.take(exact)
        return next
      }
    }
    let last = state
    return try await Parallel.detached { last.result() }
  }
}
