/// A plan whose columns are found among those that there are.
struct BoundPlan: Sendable {
  /// The logic of a rule over leaves, by their numbers.
  indirect enum Node: Sendable {
    case leaf(Int)
    case all([Node])
    case any([Node])
    case not(Node)
  }

  /// A test that is no combination of others.
  enum Leaf: Sendable {
    /// Goes by a pair alone.
    case local(columns: [String], @Sendable ([FilterColumn], Int) -> Bool?)
    case top(column: String, TopFraction)
    case balance(column: String, CaptionBalance)
  }

  struct Rule: Sendable {
    var name: String
    var node: Node
    /// Whether what it decides hangs on what earlier rules keep.
    var goesByKept: Bool
    /// The leaf, where the rule is nothing but a share.
    var top: Int?
  }

  private(set) var rules: [Rule] = []
  private(set) var leaves: [Leaf] = []
  private(set) var skipped: [FilterOutcome.Skipped] = []

  /// - Throws: ``FilterPlanError`` naming each rule whose columns are not there, unless the plan skips them.
  init(_ plan: FilterPlan, columns: PlanColumns) throws(FilterPlanError) {
    let there = There(columns: columns, names: Set(columns.names))
    var lost: [(rule: PlanRule, why: String)] = []
    for rule in plan.rules {
      let before = leaves.count
      do throws(Missing) {
        let node = try bind(rule.test, there)
        let own = leaves[before...]
        var top: Int?
        if case .leaf(let number) = node, case .top = leaves[number] { top = number }
        rules.append(
          Rule(name: rule.name, node: node, goesByKept: own.contains(where: \.goesByKept), top: top)
        )
      } catch {
        leaves.removeSubrange(before...)
        lost.append((rule, error.words))
      }
    }
    skipped = lost.map { FilterOutcome.Skipped(rule: $0.rule.name, why: $0.why) }
    guard let first = lost.first, !plan.skipsMissing else { return }
    let others = lost.dropFirst().map { "; line \($0.rule.line): \($0.why)" }.joined()
    throw FilterPlanError(
      path: plan.path, line: first.rule.line,
      first.why + others + ". There are: " + columns.names.sorted().joined(separator: ", ")
        + ". Join tables that have them, or say `skip_missing: true` to go without these rules.")
  }

  /// A column that is not there.
  private struct Missing: Error {
    var words: String
  }

  /// The columns that there are.
  private struct There {
    var columns: PlanColumns
    var names: Set<String>

    func find(_ choice: ColumnChoice, isScore: Bool = false) throws(Missing) -> String {
      if let name = choice.names.first(where: names.contains) { return name }
      throw Missing(words: columns.lacks(choice, isScore: isScore))
    }
  }

  private mutating func add(_ leaf: Leaf) -> Node {
    leaves.append(leaf)
    return .leaf(leaves.count - 1)
  }

  private mutating func bind(_ test: PlanTest, _ there: There) throws(Missing) -> Node {
    switch test {
    case .compare(let choice, let comparison):
      let holds = comparison.test()
      let name = try there.find(choice, isScore: comparison.isBound)
      return add(.local(columns: [name]) { holds($0[0], $1) })
    case .caption(let choice, let caption):
      return add(
        .local(columns: [try there.find(choice)]) { columns, index in
          columns[0].text(at: index).map { caption.holds(for: $0) }
        })
    case .picture(let picture):
      var columns: [String] = []
      for choice in picture.columns { columns.append(try there.find(choice)) }
      return add(.local(columns: columns) { picture.holds($0, at: $1) })
    case .topFraction(let top):
      return add(.top(column: try there.find(top.column, isScore: true), top))
    case .balance(let balance):
      return add(.balance(column: try there.find(balance.column), balance))
    case .not(let test): return .not(try bind(test, there))
    case .all(let tests): return .all(try bind(tests, there))
    case .any(let tests): return .any(try bind(tests, there))
    }
  }

  private mutating func bind(_ tests: [PlanTest], _ there: There) throws(Missing) -> [Node] {
    var nodes: [Node] = []
    for test in tests { nodes.append(try bind(test, there)) }
    return nodes
  }

  /// The columns that the leaves go by.
  var columns: Set<String> { Set(leaves.flatMap(\.columns)) }
}

extension BoundPlan.Leaf {
  var columns: [String] {
    switch self {
    case .local(let columns, _): columns
    case .top(let column, _), .balance(let column, _): [column]
    }
  }

  var goesByKept: Bool {
    switch self {
    case .local: false
    case .top(_, let top): top.of == .kept
    case .balance(_, let balance): balance.of == .kept
    }
  }
}
