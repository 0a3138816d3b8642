public import TensorEngine

/// Where scores are cut.
public enum ScoreCut: Sendable, Equatable {
  /// Keeps scores of at least this.
  case minScore(Float)
  /// Keeps this many of the best; equal scores are ranked by key.
  case best(Int)

  /// Keeps ceil(fraction · count), as the filter's `top_fraction` does.
  public static func topFraction(_ fraction: Double, of count: Int) -> ScoreCut {
    // 0.1·30 is 3.0000000000000004 in Double; a billionth is far below one pair in any list.
    let product = fraction * Double(count)
    return .best(max(0, Int((product - 1e-9 * max(1, product)).rounded(.up))))
  }

  /// Whether each of the scores is kept.
  public func kept(_ scores: [Float], keys: [String]) -> [Bool] {
    switch self {
    case .minScore(let least): return scores.map { $0 >= least }
    case .best(let count):
      let order = scores.indices.sorted { (-scores[$0], keys[$0]) < (-scores[$1], keys[$1]) }
      var kept = [Bool](repeating: false, count: scores.count)
      for index in order.prefix(count) { kept[index] = true }
      return kept
    }
  }
}

/// Decides by scores of bytes as scores in Float would, scoring again what lies near the cut.
public enum AuditedCut {
  public struct Result: Sendable {
    /// Float where a pair was scored again, else of bytes; cut, they give the decisions.
    public var scores: [Float]
    /// What each score was computed in.
    public var kinds: [ProductPrecision]
    public var kept: [Bool]
    public var report: ScoreAuditReport
  }

  /// - Parameters:
  ///   - scores: Of bytes, of all pairs of the run.
  ///   - uids: Of the pairs; they choose the sample.
  ///   - keys: Of the pairs; they rank equal scores.
  ///   - cut: What is kept.
  ///   - audit: How the bound is measured.
  ///   - rescore: The scores in Float of the pairs at these places.
  /// - Returns: Scores of both kinds, and the decisions.
  /// - Throws: What `rescore` throws.
  public static func decide<Failure: Error>(
    _ scores: [Float], uids: [String], keys: [String], cut: ScoreCut, audit: ScoreAudit,
    rescore: ([Int]) throws(Failure) -> [Float]
  ) throws(Failure) -> Result {
    precondition(
      scores.count == uids.count && scores.count == keys.count,
      "\(scores.count) scores of \(uids.count) uids and \(keys.count) keys")
    var state = State(scores: scores)
    let sample = audit.sample(of: uids)
    let errors = state.replace(sample, by: try rescore(sample))
    let largest = errors.max() ?? 0
    var report = ScoreAuditReport(
      pairs: scores.count, sampled: sample.count, largestError: largest,
      meanError: Float(errors.reduce(0.0) { $0 + Double($1) } / Double(max(1, errors.count))),
      bound: largest * audit.safety, rescored: 0, largestRescoredError: 0, beyondBound: 0,
      corrected: 0)
    while true {
      let open = state.undecided(cut, bound: report.bound)
      if open.isEmpty { break }
      let errors = state.replace(open, by: try rescore(open))
      report.rescored += open.count
      for error in errors {
        report.largestRescoredError = max(report.largestRescoredError, error)
        if error > report.bound { report.beyondBound += 1 }
      }
      // An error beyond the bound widens it, and with it what is looked at again.
      report.bound = max(report.bound, report.largestRescoredError * audit.safety)
      if !(report.bound.isFinite) { break }
    }
    let kept = cut.kept(state.scores, keys: keys)
    report.corrected = zip(kept, cut.kept(scores, keys: keys)).count { $0 != $1 }
    return Result(scores: state.scores, kinds: state.kinds, kept: kept, report: report)
  }

  private struct State {
    var scores: [Float]
    var kinds: [ProductPrecision]

    init(scores: [Float]) {
      self.scores = scores
      kinds = scores.map { _ in .int8 }
    }

    /// Puts scores in Float in place.
    ///
    /// - Returns: How far each is from the one before.
    mutating func replace(_ places: [Int], by exact: [Float]) -> [Float] {
      precondition(places.count == exact.count, "\(exact.count) scores of \(places.count) pairs")
      return zip(places, exact).map { place, score in
        let error = abs(scores[place] - score)
        scores[place] = score
        kinds[place] = .float32
        return error
      }
    }

    /// The pairs in bytes whose decision may still change.
    func undecided(_ cut: ScoreCut, bound: Float) -> [Int] {
      switch cut {
      case .minScore(let least):
        return scores.indices.filter { kinds[$0] == .int8 && abs(scores[$0] - least) <= bound }
      case .best(let count):
        guard count > 0, count < scores.count else { return [] }
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
  }
}
