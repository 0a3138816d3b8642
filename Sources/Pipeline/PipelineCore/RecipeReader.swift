internal import Yams

/// The options of a recipe, read one by one by those who use them.
///
/// Every read names its key and default; ``finish()`` then refuses keys that nobody read, and
/// ``resolved`` holds what the run goes by.
public struct RecipeReader: Sendable {
  enum Value: Sendable, Equatable {
    case null
    case text(String)
    case list([String])

    /// The value as words: none, one, or a list's.
    var words: [String] {
      switch self {
      case .null: []
      case .text(let text): [text]
      case .list(let items): items
      }
    }
  }

  private var values: [String: Value] = [:]
  /// The other program's name under which a key was given, where it was.
  private var foreignNames: [String: String] = [:]
  /// Keys below an option that is read as a whole.
  private var members: Set<String> = []
  /// Every option that was read and its value in force, in the order of reading.
  public private(set) var resolved: [(key: String, value: String)] = []
  /// Keys whose value changes the speed of a run and nothing else.
  public private(set) var tuning: Set<String> = []
  /// The stage whose options are being read: what is read belongs to it.
  ///
  /// An option that nobody gave a thought to belongs to the first stage, so that a change of it never
  /// leaves anything as it was.
  public var stage = StageName.ingest
  /// The stage that each option belongs to: the first that reads it.
  public private(set) var stages: [String: StageName] = [:]

  /// Reads YAML text and lays `overrides` (each `key=value`, a dot between levels) over it.
  ///
  /// - Parameters:
  ///   - yaml: The recipe.
  ///   - path: Names it in errors.
  ///   - overrides: Of the command line, later ones first in force.
  ///   - synonyms: Another program's names for the options, understood in both layers.
  /// - Throws: ``RecipeError`` for what is no recipe, or is refused under its foreign name.
  public init(
    yaml: String, path: String, overrides: [String] = [], synonyms: RecipeSynonyms = .none
  ) throws(RecipeError) {
    var file: [String: Value] = [:]
    do {
      if let node = try Yams.compose(yaml: yaml) { try Self.flatten(node, prefix: "", &file) }
    } catch let error as RecipeError {
      throw error
    } catch {
      throw .unreadable(path: path, problem: "\(error)")
    }
    var line: [String: Value] = [:]
    for text in overrides {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw .badOverride(text)
      }
      let key = String(text[..<equals])
      let value = String(text[text.index(after: equals)...])
      line[key] =
        Self.structured.contains(key) && !value.isEmpty && value != "null"
        ? .text(value) : Self.value(of: value)
    }
    // Layer by layer: a command line may give under one name what the file gives under the other.
    values = try synonyms.translate(file, isFile: true, names: &foreignNames)
    var lineNames: [String: String] = [:]
    for (key, value) in try synonyms.translate(line, isFile: false, names: &lineNames) {
      values[key] = value
      foreignNames[key] = lineNames[key]
    }
    try synonyms.checkNeeds(values)
  }

  /// Options whose value is YAML of any shape; they are read as its text in one line.
  private static let structured: Set<String> = ["filter.rules"]

  private static func value(of text: String) -> Value {
    if text.isEmpty || text == "null" || text == "~" { return .null }
    if text.hasPrefix("[") && text.hasSuffix("]") {
      let items = text.dropFirst().dropLast().split(separator: ",")
      return .list(items.map { unquoted(trimmed($0)) })
    }
    return .text(text)
  }

  /// The item of a list without the quotes around it: '["a", "b"]' is how many write one.
  private static func unquoted(_ text: String) -> String {
    guard text.count > 1, let first = text.first, first == "\"" || first == "'", text.last == first
    else { return text }
    return String(text.dropFirst().dropLast())
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  private static func flatten(_ node: Node, prefix: String, _ values: inout [String: Value]) throws
  {
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

  /// The key as the user gave it, with this program's name behind a foreign one.
  private func shown(_ key: String) -> String {
    foreignNames[key].map { "\($0) (here \(key))" } ?? key
  }

  private mutating func take(_ key: String, tuning isTuning: Bool) -> Value? {
    if isTuning { tuning.insert(key) }
    guard let value = values[key], value != .null else { return nil }
    return value
  }

  /// What stands under a key and the keys below it, by their names there.
  mutating func members(
    of key: String, alone: String
  ) throws(RecipeError) -> [(name: String, text: String)] {
    var found: [(name: String, text: String)] = []
    if let whole = try text(key, take(key, tuning: false)) {
      if whole.hasPrefix("{") && whole.hasSuffix("}") {
        for part in whole.dropFirst().dropLast().split(separator: ",") {
          let words = part.split(separator: ":", omittingEmptySubsequences: false)
          guard words.count == 2 else {
            throw .badValue(key: shown(key), value: whole, expected: "a map of numbers")
          }
          found.append((Self.trimmed(words[0]), Self.trimmed(words[1])))
        }
      } else {
        found.append((alone, whole))
      }
    }
    for below in values.keys.sorted() where below.hasPrefix(key + ".") {
      members.insert(below)
      if let text = try text(below, take(below, tuning: false)) {
        found.append((String(below.dropFirst(key.count + 1)), text))
      }
    }
    return found
  }

  mutating func resolve(_ key: String, _ value: String) {
    resolved.append((key, value))
    if stages[key] == nil { stages[key] = stage }
  }

  private func text(_ key: String, _ value: Value?) throws(RecipeError) -> String? {
    switch value {
    case .text(let text): return text
    case .list(let items):
      throw .badValue(key: shown(key), value: "\(items)", expected: "one value")
    case .null, nil: return nil
    }
  }

  public mutating func string(_ key: String, default fallback: String? = nil, tuning: Bool = false)
    throws(RecipeError) -> String?
  {
    let value = try text(key, take(key, tuning: tuning)) ?? fallback
    resolve(key, value ?? "null")
    return value
  }

  public mutating func int(
    _ key: String, default fallback: Int, in range: ClosedRange<Int>, tuning: Bool = false
  ) throws(RecipeError) -> Int {
    var value = fallback
    if let text = try text(key, take(key, tuning: tuning)) {
      guard let number = Int(text.filter { $0 != "_" }), range.contains(number) else {
        throw .badValue(
          key: shown(key), value: text,
          expected: "a whole number of \(range.lowerBound) to \(range.upperBound)")
      }
      value = number
    }
    resolve(key, String(value))
    return value
  }

  public mutating func optionalInt(
    _ key: String, in range: ClosedRange<Int>, tuning: Bool = false
  ) throws(RecipeError) -> Int? {
    // What is absent resolves to null, and a number as the plain reader has it.
    guard let value = values[key], value != .null else {
      _ = take(key, tuning: tuning)
      resolve(key, "null")
      return nil
    }
    return try int(key, default: range.lowerBound, in: range, tuning: tuning)
  }

  public mutating func double(
    _ key: String, default fallback: Double, in range: ClosedRange<Double>, tuning: Bool = false
  ) throws(RecipeError) -> Double {
    try optionalDouble(key, in: range, fallback: fallback, tuning: tuning) ?? fallback
  }

  public mutating func optionalDouble(
    _ key: String, in range: ClosedRange<Double>, fallback: Double? = nil, tuning: Bool = false
  ) throws(RecipeError) -> Double? {
    var value = fallback
    if let text = try text(key, take(key, tuning: tuning)) {
      guard let number = Double(text), range.contains(number) else {
        throw .badValue(
          key: shown(key), value: text,
          expected: "a number of \(range.lowerBound) to \(range.upperBound)")
      }
      value = number
    }
    resolve(key, value.map { "\($0)" } ?? "null")
    return value
  }

  public mutating func bool(
    _ key: String, default fallback: Bool, tuning: Bool = false
  ) throws(RecipeError) -> Bool {
    var value = fallback
    if let text = try text(key, take(key, tuning: tuning)) {
      // YAML's three spellings of each (YAML 1.2.2 §10.3.2).
      switch text {
      case "true", "True", "TRUE": value = true
      case "false", "False", "FALSE": value = false
      default: throw .badValue(key: shown(key), value: text, expected: "true or false")
      }
    }
    resolve(key, String(value))
    return value
  }

  /// A list, or one text with commas.
  public mutating func list(_ key: String, tuning: Bool = false) throws(RecipeError) -> [String] {
    var items: [String] = []
    switch take(key, tuning: tuning) {
    case .list(let list): items = list
    case .text(let text): items = text.split(separator: ",").map { Self.trimmed($0) }
    case .null, nil: break
    }
    resolve(key, "[" + items.joined(separator: ", ") + "]")
    return items
  }

  /// Some words of a closed list.
  public mutating func choices<T: RawRepresentable & CaseIterable & Hashable>(
    _ key: String, tuning: Bool = false
  ) throws(RecipeError) -> Set<T> where T.RawValue == String {
    var chosen: Set<T> = []
    for word in try list(key, tuning: tuning) {
      guard let choice = T(rawValue: word) else {
        throw .badValue(
          key: shown(key), value: word,
          expected: "one of " + T.allCases.map(\.rawValue).joined(separator: ", "))
      }
      chosen.insert(choice)
    }
    return chosen
  }

  /// One word of a closed list.
  public mutating func choice<T: RawRepresentable & CaseIterable>(
    _ key: String, default fallback: T
  ) throws(RecipeError) -> T where T.RawValue == String {
    try choice(key, among: Array(T.allCases), default: fallback)
  }

  /// One word among `choices`.
  public mutating func choice<T: RawRepresentable>(
    _ key: String, among choices: [T], default fallback: T
  ) throws(RecipeError) -> T where T.RawValue == String {
    var value = fallback
    if let text = try text(key, take(key, tuning: false)) {
      guard let choice = choices.first(where: { $0.rawValue == text }) else {
        throw .badValue(
          key: shown(key), value: text,
          expected: "one of " + choices.map(\.rawValue).joined(separator: ", "))
      }
      value = choice
    }
    resolve(key, value.rawValue)
    return value
  }

  /// Refuses keys that nobody read, naming the one that was meant where that can be told.
  public func finish() throws(RecipeError) {
    let known = resolved.map(\.key)
    for key in values.keys.sorted() where !known.contains(key) && !members.contains(key) {
      // A block whose keys are all commented out, or an unset option of the other program.
      let isBlock = known.contains { $0.hasPrefix(key + ".") }
      if values[key] == .null && (isBlock || foreignNames[key] != nil) { continue }
      throw .unknownKey(shown(key), nearest: NearestWord.nearest(to: key, among: known))
    }
  }
}
