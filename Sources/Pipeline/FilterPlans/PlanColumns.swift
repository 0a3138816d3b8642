public import PipelineCore

/// The columns that a plan may go by, and what helps where one that it names is not among them.
public struct PlanColumns: Sendable {
  /// How a person says that a column is what a plan calls otherwise.
  public enum Renaming: Sendable {
    /// An option of a command, `--column NAME=COLUMN`.
    case option
    /// An option of a recipe, `--set filter.columns=[NAME=COLUMN]`.
    case recipe

    func words(_ name: String, _ column: String) -> String {
      switch self {
      case .option: "--column \(name)=\(column)"
      case .recipe: "--set filter.columns=[\(name)=\(column)]"
      }
    }
  }

  public var names: [String]
  /// The columns of numbers that were joined to the pairs, or a scorer's one.
  public var scores: [String]
  public var renaming: Renaming

  public init(_ names: [String], scores: [String] = [], renaming: Renaming = .option) {
    (self.names, self.scores, self.renaming) = (names, scores, renaming)
  }

  /// That a column is not there, and what may have been meant.
  ///
  /// - Parameters:
  ///   - choice: The names that the plan has for it.
  ///   - isScore: Whether the rule sets a bound to a number, as one on scores does.
  /// - Returns: The words.
  func lacks(_ choice: ColumnChoice, isScore: Bool) -> String {
    let words =
      choice.names.count == 1
      ? "there is no column `\(choice.names[0])`"
      : "there is no column of \(choice.names.map { "`\($0)`" }.joined(separator: ", "))"
    for name in choice.names {
      if let near = NearestWord.nearest(to: name, among: names) {
        return words + " (did you mean `\(near)`?)"
      }
    }
    guard isScore, scores.count == 1 else { return words }
    return words + " (\(renaming.words(choice.names[0], scores[0])) takes the scores for it)"
  }
}

extension FilterPlan {
  /// Holds the plan against the columns that there are, before any pair is judged.
  ///
  /// - Returns: The rules that are left out, and why.
  /// - Throws: ``FilterPlanError`` naming each rule whose columns are not there, unless the plan skips them.
  public func check(_ columns: PlanColumns) throws(FilterPlanError) -> [FilterOutcome.Skipped] {
    try BoundPlan(self, columns: columns).skipped
  }
}

/// Every attempt would meet it, and every pair.
extension FilterPlanError: RunFault {}
