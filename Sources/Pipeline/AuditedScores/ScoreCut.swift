/// Where scores are cut.
public enum ScoreCut: Sendable, Equatable, CustomStringConvertible {
  /// Keeps scores of at least this.
  case minScore(Float)
  /// Keeps ceil(fraction · pairs) of the best; equal scores are ranked by key. Pairs without a score count among
  /// the pairs and are never kept.
  case topFraction(Double)

  /// How many of so many pairs are kept; nil where only the scores tell.
  public func count(of pairs: Int) -> Int? {
    guard case .topFraction(let fraction) = self else { return nil }
    // 0.1·30 is 3.0000000000000004 in Double; a billionth is far below one pair in any list.
    let product = fraction * Double(pairs)
    return max(0, Int((product - 1e-9 * max(1, product)).rounded(.up)))
  }

  /// Cuts scores.
  ///
  /// - Parameters:
  ///   - scores: −∞ where there is none.
  ///   - keys: Of the pairs.
  /// - Returns: Whether each is kept.
  public func kept(_ scores: [Float], keys: [String]) -> [Bool] {
    precondition(scores.count == keys.count, "\(scores.count) scores of \(keys.count) keys")
    switch self {
    case .minScore(let least): return scores.map { $0 >= least }
    case .topFraction:
      let scored = scores.indices.filter { scores[$0].isFinite }
      let order = scored.sorted { (-scores[$0], keys[$0]) < (-scores[$1], keys[$1]) }
      var kept = [Bool](repeating: false, count: scores.count)
      for index in order.prefix(count(of: scores.count) ?? 0) { kept[index] = true }
      return kept
    }
  }

  /// In the words of recipes.
  public var description: String {
    switch self {
    case .minScore(let least): "min_score \(least)"
    case .topFraction(let fraction): "top_fraction \(fraction)"
    }
  }
}
