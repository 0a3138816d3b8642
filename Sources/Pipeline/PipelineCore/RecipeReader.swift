/// The options of a recipe, read one by one by those who use them.
///
/// Every read names its key and default; ``finish()`` then refuses keys that nobody read, and
/// ``resolved`` holds what the run goes by.
public struct RecipeReader: Sendable {
  private(set) var values: [String: RecipeValue] = [:]
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
    var file: [String: RecipeValue] = [:]
    do {
      file = try RecipeValue.read(yaml)
    } catch let error as RecipeError {
      throw error
    } catch {
      throw .unreadable(path: path, problem: "\(error)")
    }
    var line: [String: RecipeValue] = [:]
    for text in overrides {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw .badOverride(text)
      }
      let key = String(text[..<equals])
      let value = String(text[text.index(after: equals)...])
      line[key] = RecipeValue(value, of: key)
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

  /// The key as the user gave it, with this program's name behind a foreign one.
  func shown(_ key: String) -> String {
    foreignNames[key].map { "\($0) (here \(key))" } ?? key
  }

  mutating func take(_ key: String, tuning isTuning: Bool) -> RecipeValue? {
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
          found.append((RecipeValue.trimmed(words[0]), RecipeValue.trimmed(words[1])))
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

  func text(_ key: String, _ value: RecipeValue?) throws(RecipeError) -> String? {
    switch value {
    case .text(let text): return text
    case .list(let items):
      throw .badValue(key: shown(key), value: "\(items)", expected: "one value")
    case .null, nil: return nil
    }
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
