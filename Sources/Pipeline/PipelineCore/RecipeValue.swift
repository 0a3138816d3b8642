internal import Yams

/// What stands under a key of a recipe.
enum RecipeValue: Sendable, Equatable {
  case null
  case text(String)
  case list([String])

  /// Options whose value is YAML of any shape; they are read as its text in one line.
  private static let structured: Set<String> = ["filter.rules"]

  /// The value of a key as a command line has it.
  init(_ text: String, of key: String) {
    if text.isEmpty || text == "null" || text == "~" && !Self.structured.contains(key) {
      self = .null
    } else if !Self.structured.contains(key), text.hasPrefix("["), text.hasSuffix("]") {
      let items = text.dropFirst().dropLast().split(separator: ",")
      self = .list(items.map { Self.unquoted(Self.trimmed($0)) })
    } else {
      self = .text(text)
    }
  }

  /// The values of a recipe by their keys, a dot between levels.
  ///
  /// - Throws: ``RecipeError`` for values that no option has; Yams' own for what is no YAML.
  static func read(_ yaml: String) throws -> [String: RecipeValue] {
    var values: [String: RecipeValue] = [:]
    if let node = try Yams.compose(yaml: yaml) { try flatten(node, prefix: "", &values) }
    return values
  }

  /// The value as words: none, one, or a list's.
  var words: [String] {
    switch self {
    case .null: []
    case .text(let text): [text]
    case .list(let items): items
    }
  }

  static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  /// The item of a list without the quotes around it: '["a", "b"]' is how many write one.
  private static func unquoted(_ text: String) -> String {
    guard text.count > 1, let first = text.first, first == "\"" || first == "'", text.last == first
    else { return text }
    return String(text.dropFirst().dropLast())
  }

  private static func flatten(
    _ node: Node, prefix: String, _ values: inout [String: RecipeValue]
  ) throws {
    switch node {
    case .mapping(let mapping):
      for (key, value) in mapping {
        guard let name = key.string else {
          throw RecipeError.badValue(key: prefix, value: "a key", expected: "a name")
        }
        try flatten(value, prefix: prefix.isEmpty ? name : prefix + "." + name, &values)
      }
    case .sequence where structured.contains(prefix): values[prefix] = .text(FlowText.text(node))
    case .sequence(let sequence):
      values[prefix] = .list(
        try sequence.map { item in
          guard let text = item.string else {
            throw RecipeError.badValue(key: prefix, value: "a list", expected: "a list of words")
          }
          return text
        })
    case .scalar(let scalar):
      let isNull = scalar.style == .plain && ["", "null", "~"].contains(scalar.string)
      if prefix.isEmpty && !isNull {
        throw RecipeError.badValue(key: "the recipe", value: scalar.string, expected: "a map")
      }
      if !prefix.isEmpty { values[prefix] = isNull ? .null : .text(scalar.string) }
    case .alias: throw RecipeError.badValue(key: prefix, value: "*", expected: "a plain value")
    }
  }
}
