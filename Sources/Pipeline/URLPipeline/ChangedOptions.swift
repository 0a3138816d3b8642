public import PipelineCore

/// A folder's run was made with other options: which, by stage, and what may be done about it.
public struct ChangedOptionsError: Error, Sendable, Equatable, CustomStringConvertible {
  /// One option.
  public struct Difference: Sendable, Equatable {
    public var stage: StageName
    public var key: String
    /// Nil where the run does not know the option.
    public var old: String?
    /// Nil where the run would not have it any more.
    public var new: String?
  }

  public var folder: String
  /// The earliest stage first.
  public var differences: [Difference]
  /// The stage that was asked to be done again, where it is too late for some of them.
  public var asked: StageName?
  /// What may be done, in a sentence each.
  public var choices: [String]

  public var description: String {
    let cause =
      asked.map { "--redo \($0.rawValue) comes too late for options that changed:" }
      ?? "this folder holds a run with other options:"
    return "\(folder): \(cause)\n" + Self.lines(differences).map { "  \($0)\n" }.joined()
      + "To go on, choose:\n" + choices.map { "  \($0)" }.joined(separator: "\n")
  }

  /// Differences under their stages, for a person.
  public static func lines(_ differences: [Difference]) -> [String] {
    var lines: [String] = []
    var stage: StageName?
    for difference in differences {
      if difference.stage != stage { lines.append(difference.stage.rawValue) }
      stage = difference.stage
      lines.append(
        "  \(difference.key): was \(shown(difference.old)), now \(shown(difference.new))")
    }
    return lines
  }

  private static func shown(_ value: String?) -> String {
    guard let value else { return "not set" }
    // Nobody compares digests by eye.
    let isDigest = value.utf8.count == 64 && value.allSatisfy(\.isHexDigit)
    return isDigest ? "\(value.prefix(12))…" : value
  }

  /// What differs, in the order of stages and then of the recipe.
  ///
  /// - Parameters:
  ///   - old: What the ledger is bound to.
  ///   - new: The fingerprint of `recipe`.
  ///   - recipe: Knows the stages.
  /// - Returns: Nothing where they are the same.
  static func differences(
    _ old: [(key: String, value: String)], _ new: [(key: String, value: String)],
    _ recipe: PipelineRecipe
  ) -> [Difference] {
    let was = Dictionary(old.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    let now = Dictionary(new.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    let keys = new.map(\.key) + old.map(\.key).filter { now[$0] == nil }
    let changed = keys.filter { was[$0] != now[$0] }.map { key in
      Difference(stage: recipe.stage(of: key), key: key, old: was[key], new: now[key])
    }
    return StageName.allCases.flatMap { stage in changed.filter { $0.stage == stage } }
  }
}
