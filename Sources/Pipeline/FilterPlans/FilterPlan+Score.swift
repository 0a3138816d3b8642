extension FilterPlan {
  /// The first rule that sets a bound to a number, by its index: what histograms and samples are about.
  public var scoreRule: Int? {
    rules.firstIndex { rule in
      switch rule.test {
      case .topFraction, .compare(_, .min): true
      default: false
      }
    }
  }

  /// The column of ``scoreRule`` among those that there are.
  public func scoreColumn(among columns: [String]) -> String? {
    guard let index = scoreRule else { return nil }
    let choice: ColumnChoice
    switch rules[index].test {
    case .topFraction(let top): choice = top.column
    case .compare(let column, _): choice = column
    default: return nil
    }
    return choice.names.first { columns.contains($0) }
  }

  /// Every name of a column that a rule may go by, sorted.
  public var namedColumns: [String] {
    func names(_ test: PlanTest) -> [String] {
      switch test {
      case .compare(let column, _), .caption(let column, _): column.names
      case .picture(let picture): picture.columns.flatMap(\.names)
      case .topFraction(let top): top.column.names
      case .balance(let balance): balance.column.names
      case .all(let tests), .any(let tests): tests.flatMap(names)
      case .not(let test): names(test)
      }
    }
    return Set(rules.flatMap { names($0.test) }).sorted()
  }
}
