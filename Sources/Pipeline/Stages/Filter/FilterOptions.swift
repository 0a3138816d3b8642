public import PipelineCore

/// Which scored pairs are kept.
public enum FilterRule: Sendable, Equatable {
  /// All of them.
  case none
  /// Those whose score is at least this.
  case minScore(Double)
  /// This share of all pairs, the highest scores first; equal scores in order of their keys.
  case topFraction(Double)

  public init(from reader: inout RecipeReader) throws(RecipeError) {
    let minScore = try reader.optionalDouble("filter.min_score", in: -1...1)
    let topFraction = try reader.optionalDouble("filter.top_fraction", in: 0...1)
    switch (minScore, topFraction) {
    case (nil, nil): self = .none
    case (let score?, nil): self = .minScore(score)
    case (nil, let fraction?): self = .topFraction(fraction)
    case (let score?, let fraction?):
      throw .badValue(
        key: "filter", value: "min_score \(score) and top_fraction \(fraction)",
        expected: "one rule; set the other to null")
    }
  }

  /// The keys of the pairs that the rule keeps, at their indices in `scored`.
  ///
  /// A fraction f of n pairs keeps ceil(f·n).
  public func kept(_ scored: [(key: String, score: Double)]) -> [Bool] {
    switch self {
    case .none: return scored.map { _ in true }
    case .minScore(let threshold): return scored.map { $0.score >= threshold }
    case .topFraction(let fraction):
      // 0.1·30 is 3.0000000000000004 in Double; a billionth is far below one pair in any list.
      let product = fraction * Double(scored.count)
      let count = max(0, Int((product - 1e-9 * max(1, product)).rounded(.up)))
      let order = scored.indices.sorted {
        (-scored[$0].score, scored[$0].key) < (-scored[$1].score, scored[$1].key)
      }
      var kept = [Bool](repeating: false, count: scored.count)
      for index in order.prefix(count) { kept[index] = true }
      return kept
    }
  }
}
