public import AuditedScores
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

  /// The rule as a plan, for who tells of it; nil where all are kept.
  ///
  /// Of equal scores at the end of a share a plan takes those of lower uids, ``kept(_:)`` those of lower keys.
  public var plan: FilterPlan? {
    let score = ColumnChoice(["score"])
    return switch self {
    case .none: nil
    case .plan(let plan): plan
    case .minScore(let least):
      FilterPlan(rules: [PlanRule(.compare(score, .min(least)))])
    case .topFraction(let fraction):
      FilterPlan(rules: [PlanRule(.topFraction(TopFraction(column: score, fraction: fraction)))])
    }
  }

  /// Whether the rule needs a scorer; a plan may go by other columns.
  public var needsScores: Bool {
    switch self {
    case .none, .plan: false
    case .minScore, .topFraction: true
    }
  }

  /// Where the rule cuts scores; nil where it goes by more than them, or by nothing.
  ///
  /// A bound is taken for the nearest Float, as scores are.
  public var cut: ScoreCut? {
    switch self {
    case .none, .plan: nil
    case .minScore(let threshold): .minScore(Float(threshold))
    case .topFraction(let fraction): .topFraction(fraction)
    }
  }
}
