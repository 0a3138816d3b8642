public import FilterPlans
public import PipelineCore

/// Which pairs are kept.
public enum FilterRule: Sendable, Equatable {
  /// All of them.
  case none
  /// Those whose score is at least this.
  case minScore(Double)
  /// This share of all pairs, the highest scores first; equal scores in order of their keys.
  case topFraction(Double)
  /// Those that a plan keeps.
  case plan(FilterPlan)

  /// - Parameters:
  ///   - reader: Of the recipe.
  ///   - yaml: The recipe's own text, in which mistakes of its rules have their lines.
  ///   - path: Names it in errors.
  /// - Throws: ``RecipeError``.
  public init(
    from reader: inout RecipeReader, yaml: String = "", path: String = "the recipe"
  ) throws(RecipeError) {
    let minScore = try reader.optionalDouble("filter.min_score", in: -1...1)
    let topFraction = try reader.optionalDouble("filter.top_fraction", in: 0...1)
    let file = try reader.string("filter.plan")
    let rules = try reader.string("filter.rules")
    if let plan = try Self.plan(file: file, rules: rules, yaml: yaml, path: path) {
      guard minScore == nil, topFraction == nil else {
        throw .badValue(
          key: "filter", value: "a plan and min_score or top_fraction",
          expected: "one of them; write the others as rules of the plan")
      }
      self = .plan(plan)
      return
    }
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

  private static func plan(
    file: String?, rules: String?, yaml: String, path: String
  ) throws(RecipeError) -> FilterPlan? {
    guard file == nil || rules == nil else {
      throw .badValue(
        key: "filter", value: "plan and rules", expected: "one of them; set the other to null")
    }
    do {
      if let file { return try FilterPresets.plan(file) }
      guard let rules else { return nil }
      do {
        return try FilterPlan(yaml: rules, path: "filter.rules", at: [])
      } catch let error as FilterPlanError {
        // The recipe's own text tells the line, where the rules are from there.
        if yaml.contains("rules:") {
          _ = try FilterPlan(yaml: yaml, path: path, at: ["filter", "rules"])
        }
        throw error
      }
    } catch {
      throw .badPlan("\(error)")
    }
  }

  /// What of a plan must stay as it is for a run to be resumed.
  public var identity: [(key: String, value: String)] {
    guard case .plan(let plan) = self else { return [] }
    return [("filter.plan (content)", plan.identity.split(separator: "\n").joined(separator: "; "))]
  }

  /// The file or name of a plan.
  public var planName: String? {
    guard case .plan(let plan) = self else { return nil }
    return plan.path
  }

  /// Whether the rule needs a scorer; a plan may go by other columns.
  public var needsScores: Bool {
    switch self {
    case .none, .plan: false
    case .minScore, .topFraction: true
    }
  }

  /// The keys of the pairs that the rule keeps, at their indices in `scored`.
  ///
  /// A fraction f of n pairs keeps ceil(f·n).
  public func kept(_ scored: [(key: String, score: Double)]) -> [Bool] {
    switch self {
    case .none: return scored.map { _ in true }
    case .plan: preconditionFailure("a plan goes by more than scores")
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
