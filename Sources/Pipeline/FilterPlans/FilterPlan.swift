/// Which pairs are kept: rules that a pair must pass, all of them.
///
/// Read from YAML by ``FilterPlan/init(yaml:path:)``; `Pipelines/filters/*.yaml` are examples.
public struct FilterPlan: Sendable, Equatable {
  /// In their order.
  public var rules: [PlanRule]
  /// Whether a rule whose columns are not there is left out and named, and is no error.
  public var skipsMissing = false
  /// Rules of the plan's model that nothing here can apply, in words.
  public var notApplied: [String] = []
  /// What differs from the plan's model, in words.
  public var notes: [String] = []
  /// Names it in errors.
  public var path = "plan"

  public init(rules: [PlanRule]) { self.rules = rules }

  /// The columns that it goes by, of those that there are.
  ///
  /// - Throws: ``FilterPlanError`` naming each rule whose columns are not there, unless the plan skips them.
  public func columns(among columns: [String]) throws(FilterPlanError) -> Set<String> {
    try BoundPlan(self, columns: PlanColumns(columns)).columns
  }

  /// All that the plan's decisions follow from, a line for each rule.
  ///
  /// Files that it names count by the SHA-256 of what they hold.
  public var identity: String {
    (rules.map { "\($0.test.words)\n" } + (skipsMissing ? ["skip_missing\n"] : [])).joined()
  }
}

/// One rule of a plan.
public struct PlanRule: Sendable, Equatable {
  /// As tables and reports call it.
  public var name: String
  /// Where it stands in its file, from 1.
  public var line: Int
  public var test: PlanTest

  public init(name: String? = nil, line: Int = 0, _ test: PlanTest) {
    self.name = name ?? test.words
    self.line = line
    self.test = test
  }
}

/// What a pair must be like.
public indirect enum PlanTest: Sendable, Equatable {
  case compare(ColumnChoice, Comparison)
  case caption(ColumnChoice, CaptionTest)
  case picture(PictureTest)
  case topFraction(TopFraction)
  case balance(CaptionBalance)
  case all([PlanTest])
  case any([PlanTest])
  case not(PlanTest)

  /// The test in words that tell all of it.
  public var words: String {
    switch self {
    case .compare(let column, let comparison): comparison.words(column.words)
    case .caption(let column, let test): test.words(column.words)
    case .picture(let test): test.words
    case .topFraction(let top): top.words
    case .balance(let balance): balance.words
    case .all(let tests): "all of (" + tests.map(\.words).joined(separator: "; ") + ")"
    case .any(let tests): "any of (" + tests.map(\.words).joined(separator: "; ") + ")"
    case .not(let test): "not (" + test.words + ")"
    }
  }
}

/// A column by the names that it may have; the first that is there is meant.
public struct ColumnChoice: Sendable, Equatable {
  public var names: [String]

  public init(_ names: [String]) { self.names = names }

  var words: String { self == .caption ? "caption" : names.joined(separator: "|") }

  /// The names that columns of captions go by.
  public static let captionNames = ["caption", "text", "TEXT", "alt"]
  static let caption = ColumnChoice(captionNames)
  static let width = ColumnChoice(["original_width", "width", "WIDTH"])
  static let height = ColumnChoice(["original_height", "height", "HEIGHT"])
  static let bytes = ColumnChoice(["original_bytes", "received_bytes", "bytes", "size"])
  static let format = ColumnChoice(["original_format", "format", "mimetype"])
}

/// The share of pairs with the greatest values of a column.
public struct TopFraction: Sendable, Equatable {
  /// What is done with pairs of the value that the last place falls on.
  public enum Ties: String, Sendable, CaseIterable {
    /// ceil(fraction · n) pairs exactly: of equal values those with the lower uids.
    case uid
    /// At least so many: all of equal value.
    case keep
    /// DataComp's own: all that are at least the value at place int(n · fraction), counted from 0 in
    /// falling order, so one pair more, and ties (baselines/apply_filter.py).
    case datacomp
  }

  /// Which pairs the share is of.
  public enum Population: String, Sendable, CaseIterable {
    /// All that there are, whatever other rules say.
    case all
    /// Those that all earlier rules keep.
    case kept
  }

  public var column: ColumnChoice
  public var fraction: Double
  public var ties = Ties.uid
  public var of = Population.all

  public init(
    column: ColumnChoice, fraction: Double, ties: Ties = .uid, of population: Population = .all
  ) {
    self.column = column
    self.fraction = fraction
    self.ties = ties
    of = population
  }

  var words: String {
    "\(column.words) in the top \(fraction)" + (of == .kept ? " of what is left" : "")
      + (ties == .uid ? "" : " (ties: \(ties.rawValue))")
  }
}
