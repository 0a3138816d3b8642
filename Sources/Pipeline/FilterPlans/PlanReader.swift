import DurableFiles
import PipelineCore
import Yams

extension FilterPlan {
  /// Bytes of a plan, levels of rules in rules, and rules in all that are read at most.
  private static let mostBytes = 1 << 20
  /// Deeper brackets or further indentation than any plan has: the parser is recursive.
  private static let (mostBrackets, mostIndentation) = (100, 400)
  /// References to earlier parts (`*name`): each may double what a reader has to look at.
  private static let mostAliases = 16

  /// Reads a plan from the file at `path`.
  ///
  /// - Throws: ``FilterPlanError`` with the line; `FileError`.
  public init(path: String) throws {
    guard try DurableFile.size(of: path) <= Self.mostBytes else {
      throw FilterPlanError(path: path, line: 0, "a plan has at most 1 MiB")
    }
    try self.init(
      yaml: String(decoding: try DurableFile.read(path), as: UTF8.self), path: path)
  }

  /// Reads a plan's text.
  ///
  /// Files that it names (metadata of a balance, lists of clusters) are read now, by their paths from
  /// the working folder.
  ///
  /// - Parameters:
  ///   - yaml: The text.
  ///   - path: Names it in errors.
  ///   - keys: Where in the text the list of rules stands, as in `["filter", "rules"]` of a recipe; nil for a
  ///     plan of its own.
  /// - Throws: ``FilterPlanError`` with the line; `FileError`.
  public init(yaml: String, path: String, at keys: [String]? = nil) throws {
    try Self.checkShape(yaml, path)
    var root: Node
    do {
      guard let node = try Yams.compose(yaml: yaml) else {
        throw FilterPlanError(path: path, line: 0, "the plan is empty")
      }
      root = node
    } catch let error as YamlError {
      throw FilterPlanError(path: path, line: Self.line(of: error), "\(error)")
    }
    var reader = PlanReader(path: path)
    guard let keys else {
      self = try reader.plan(root)
      return
    }
    for key in keys {
      guard let inner = root[key] else {
        throw FilterPlanError(path: path, line: root.mark?.line ?? 0, "there is no `\(key)`")
      }
      root = inner
    }
    self.init(rules: try reader.rules(root, name: keys.joined(separator: ".")))
    self.path = path
  }

  private static func checkShape(_ yaml: String, _ path: String) throws(FilterPlanError) {
    guard yaml.utf8.count <= mostBytes else {
      throw FilterPlanError(path: path, line: 0, "a plan has at most 1 MiB")
    }
    var (line, depth, indentation, isIndentation) = (1, 0, 0, true)
    var (aliases, before, last) = (0, UInt8(0x0A), UInt8(0x0A))
    let gaps: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
    for byte in yaml.utf8 {
      // Where a value or key may begin; a glob is in quotes, or it would be one of these.
      if last == UInt8(ascii: "*"), !gaps.contains(byte),
        gaps.contains(before) || "[{,".utf8.contains(before)
      {
        aliases += 1
      }
      (before, last) = (last, byte)
      if isIndentation && [0x20, 0x2D, 0x3F, 0x3A, 0x09].contains(byte) {
        indentation += 1
      } else {
        isIndentation = false
      }
      switch byte {
      case 0x0A: (line, indentation, isIndentation) = (line + 1, 0, true)
      case 0x5B, 0x7B: depth += 1
      case 0x5D, 0x7D: depth = max(0, depth - 1)
      default: break
      }
      guard aliases <= mostAliases else {
        throw FilterPlanError(
          path: path, line: line,
          "more than \(mostAliases) references to other parts (`*name`): write them out")
      }
      guard depth <= mostBrackets, indentation <= mostIndentation else {
        throw FilterPlanError(path: path, line: line, "rules lie too deep in each other")
      }
    }
  }

  private static func line(of error: YamlError) -> Int {
    switch error {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
      mark.line
    default: 0
    }
  }
}

/// Makes a plan of YAML's nodes.
struct PlanReader {
  let path: String
  /// Rules that were read so far, those in others too.
  private var count = 0
  private static let (mostRules, mostLevels) = (1_000, 32)

  init(path: String) { self.path = path }

  mutating func plan(_ root: Node) throws -> FilterPlan {
    var fields = try PlanFields(root, name: "the plan", path: path, line: 1)
    guard let node = fields.node("rules") else {
      throw fields.missing("rules", "list what pairs must be like, `rules: [min: {…}, …]`.")
    }
    var plan = FilterPlan(rules: try rules(node, name: "rules"))
    plan.path = path
    plan.skipsMissing = try fields.bool("skip_missing") ?? false
    plan.notApplied = try fields.texts("not_applied") ?? []
    plan.notes = try fields.texts("notes") ?? []
    _ = try fields.text("about")
    try fields.finish()
    return plan
  }

  /// A list of rules; one that says several things of captions or pictures becomes several.
  mutating func rules(_ node: Node, name: String) throws -> [PlanRule] {
    guard case .sequence(let sequence) = node else {
      throw FilterPlanError(
        path: path, line: node.mark?.line ?? 0,
        "\(name): \(PlanFields.shown(node)) is not a list of rules")
    }
    var rules: [PlanRule] = []
    for item in sequence {
      var (tests, title) = try tests(item, level: 1)
      // A rule with a name of its own is one rule.
      if title != nil && tests.count > 1 { tests = [.all(tests)] }
      rules += tests.map { PlanRule(name: title, line: item.mark?.line ?? 0, $0) }
    }
    return rules
  }

  /// The tests of a rule, all of which must hold, and its name where it has one.
  private mutating func tests(
    _ node: Node, level: Int
  ) throws -> (tests: [PlanTest], name: String?) {
    let line = node.mark?.line ?? 0
    count += 1
    guard count <= Self.mostRules, level <= Self.mostLevels else {
      throw FilterPlanError(
        path: path, line: line,
        "a plan has at most \(Self.mostRules) rules, \(Self.mostLevels) levels deep")
    }
    guard case .mapping(let mapping) = node else {
      throw FilterPlanError(
        path: path, line: line,
        "\(PlanFields.shown(node)) is not a rule, as `min: {column: NAME, value: 0.28}` is one")
    }
    var name: String?
    var rule: (kind: RuleKind, body: Node)?
    for (key, value) in mapping {
      let word = key.string ?? ""
      if word == "name" {
        name = value.string
      } else if let kind = RuleKind(rawValue: word) {
        guard rule == nil else {
          throw FilterPlanError(
            path: path, line: key.mark?.line ?? line,
            "`\(word)` stands in one rule with another; begin it with a dash of its own")
        }
        rule = (kind, value)
      } else {
        let kinds = RuleKind.allCases.map(\.rawValue)
        let nearest = NearestWord.nearest(to: word, among: kinds)
        throw FilterPlanError(
          path: path, line: key.mark?.line ?? line,
          "there is no rule `\(word)`."
            + (nearest.map { " Did you mean `\($0)`?" }
              ?? " There are: \(kinds.joined(separator: ", ")), and `name`."))
      }
    }
    guard let rule else {
      throw FilterPlanError(path: path, line: line, "the rule says nothing")
    }
    return (try tests(rule.kind, rule.body, line: line, level: level), name)
  }

  private mutating func tests(
    _ kind: RuleKind, _ body: Node, line: Int, level: Int
  ) throws -> [PlanTest] {
    switch kind {
    case .all: return [.all(try inner(body, kind, level: level))]
    case .any: return [.any(try inner(body, kind, level: level))]
    case .not:
      let inner = try tests(body, level: level + 1).tests
      return [.not(inner.count == 1 ? inner[0] : .all(inner))]
    default:
      // A column alone is short for it.
      if kind == .isNull, case .scalar(let scalar) = body {
        return [.compare(ColumnChoice([scalar.string]), .isNull)]
      }
      var fields = try PlanFields(body, name: kind.rawValue, path: path, line: line)
      let tests = try kind.tests(&fields)
      try fields.finish()
      return tests
    }
  }

  private mutating func inner(_ body: Node, _ kind: RuleKind, level: Int) throws -> [PlanTest] {
    guard case .sequence(let sequence) = body, !sequence.isEmpty else {
      throw FilterPlanError(
        path: path, line: body.mark?.line ?? 0, "\(kind.rawValue) wants a list of rules")
    }
    var tests: [PlanTest] = []
    for item in sequence {
      let inner = try self.tests(item, level: level + 1).tests
      tests.append(inner.count == 1 ? inner[0] : .all(inner))
    }
    return tests
  }
}
