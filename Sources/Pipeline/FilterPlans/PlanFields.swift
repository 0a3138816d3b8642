import PipelineCore
import Yams

/// The members of a mapping of a plan, read one by one; what nobody reads is refused.
struct PlanFields {
  let path: String
  let line: Int
  /// The rule's kind, for errors.
  let name: String
  private let values: [String: Node]
  private let lines: [String: Int]
  private var known: [String] = []

  init(_ node: Node, name: String, path: String, line: Int) throws(FilterPlanError) {
    let line = node.mark?.line ?? line
    guard case .mapping(let mapping) = node else {
      throw FilterPlanError(
        path: path, line: line,
        "\(name) wants fields, as in `{column: NAME, …}`, not \(Self.shown(node))")
    }
    var values: [String: Node] = [:]
    var lines: [String: Int] = [:]
    for (key, value) in mapping {
      guard let text = key.string else {
        throw FilterPlanError(path: path, line: key.mark?.line ?? line, "\(name): a key is no name")
      }
      values[text] = value
      lines[text] = key.mark?.line ?? line
    }
    (self.path, self.line, self.name, self.values, self.lines) = (path, line, name, values, lines)
  }

  /// What a node is, in a few words.
  static func shown(_ node: Node) -> String {
    switch node {
    case .scalar(let scalar): "`\(scalar.string.prefix(60))`"
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }

  func fault(_ key: String, _ problem: String) -> FilterPlanError {
    FilterPlanError(
      path: path, line: values[key]?.mark?.line ?? lines[key] ?? line, "\(name).\(key): \(problem)")
  }

  func missing(_ key: String, _ hint: String) -> FilterPlanError {
    FilterPlanError(path: path, line: line, "\(name) lacks `\(key)`: \(hint)")
  }

  /// The value of a key that is there and not null.
  mutating func node(_ key: String) -> Node? {
    known.append(key)
    guard let value = values[key] else { return nil }
    if case .scalar(let scalar) = value, scalar.style == .plain,
      ["", "null", "~"].contains(scalar.string)
    {
      return nil
    }
    return value
  }

  mutating func text(_ key: String) throws(FilterPlanError) -> String? {
    guard let node = node(key) else { return nil }
    guard case .scalar(let scalar) = node else {
      throw fault(key, "\(Self.shown(node)) is not one value")
    }
    return scalar.string
  }

  mutating func number(
    _ key: String,
    in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude
      ... .greatestFiniteMagnitude
  ) throws(FilterPlanError) -> Double? {
    guard let text = try text(key) else { return nil }
    guard let number = Double(text), range.contains(number) else {
      let bounds =
        range.upperBound == .greatestFiniteMagnitude
        ? "" : " of \(Comparison.short(range.lowerBound)) to \(Comparison.short(range.upperBound))"
      throw fault(key, "`\(text)` is not a number\(bounds)")
    }
    return number
  }

  mutating func int(_ key: String, in range: ClosedRange<Int>) throws(FilterPlanError) -> Int? {
    guard let text = try text(key) else { return nil }
    guard let number = Int(text.filter { $0 != "_" }), range.contains(number) else {
      throw fault(
        key, "`\(text)` is not a whole number of \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  mutating func bool(_ key: String) throws(FilterPlanError) -> Bool? {
    guard let text = try text(key) else { return nil }
    switch text {
    case "true", "True", "TRUE": return true
    case "false", "False", "FALSE": return false
    default: throw fault(key, "`\(text)` is not true or false")
    }
  }

  mutating func choice<T: RawRepresentable & CaseIterable>(
    _ key: String, _ type: T.Type = T.self
  ) throws(FilterPlanError) -> T? where T.RawValue == String {
    guard let text = try text(key) else { return nil }
    let words = T.allCases.map(\.rawValue)
    guard let choice = T(rawValue: text) else {
      throw fault(key, "`\(text)` is not one of \(words.joined(separator: ", "))")
    }
    return choice
  }

  /// A list of values, or one value alone.
  mutating func texts(_ key: String) throws(FilterPlanError) -> [String]? {
    guard let node = node(key) else { return nil }
    guard case .sequence(let sequence) = node else { return try text(key).map { [$0] } }
    var texts: [String] = []
    for item in sequence {
      guard case .scalar(let scalar) = item else {
        throw fault(key, "\(Self.shown(item)) is not one value")
      }
      texts.append(scalar.string)
    }
    return texts
  }

  /// The column that a rule goes by: a name, or some of which the first that is there is meant.
  mutating func column(_ fallback: ColumnChoice? = nil) throws(FilterPlanError) -> ColumnChoice {
    if let names = try texts("column") {
      guard !names.isEmpty, !names.contains("") else { throw fault("column", "no name is there") }
      return ColumnChoice(names)
    }
    guard let fallback else { throw missing("column", "name the column, `column: NAME`.") }
    return fallback
  }

  /// Refuses keys that nobody read.
  func finish() throws(FilterPlanError) {
    let others = values.keys.filter { !known.contains($0) }
    guard let key = others.min(by: { (lines[$0] ?? 0, $0) < (lines[$1] ?? 0, $1) }) else { return }
    let nearest = NearestWord.nearest(to: key, among: known).map { " Did you mean `\($0)`?" }
    throw FilterPlanError(
      path: path, line: lines[key] ?? line,
      "\(name) has no `\(key)`."
        + (nearest ?? " It takes: \(known.filter { !$0.isEmpty }.joined(separator: ", ")).")
    )
  }
}
