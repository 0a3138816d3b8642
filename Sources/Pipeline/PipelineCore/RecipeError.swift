/// Why a recipe was refused, by the key that is wrong.
public enum RecipeError: Error, Sendable, Equatable, CustomStringConvertible {
  case unreadable(path: String, problem: String)
  case badOverride(String)
  case unknownKey(String, nearest: String?)
  case badValue(key: String, value: String, expected: String)
  case missing(key: String, hint: String)
  /// An option of another program that this one does not take, with what to do instead.
  case foreign(key: String, program: String, advice: String)
  /// One option under two names.
  case twice(key: String, program: String, other: String)

  /// A filter's plan that cannot be read, with its file, line and what is wrong.
  case badPlan(String)

  public var description: String {
    switch self {
    case .badPlan(let words): words
    case .unreadable(let path, let problem): "\(path): the recipe cannot be read: \(problem)"
    case .badOverride(let text):
      "--set \(text): write it as key=value, for instance image_size=224."
    case .unknownKey(let key, let nearest):
      "unknown key `\(key)`." + (nearest.map { " Did you mean `\($0)`?" } ?? "")
    case .badValue(let key, let value, let expected):
      "\(key): `\(value)` is not \(expected)."
    case .missing(let key, let hint): "`\(key)` is missing: \(hint)"
    case .foreign(let key, let program, let advice): "\(key) (\(program)'s option): \(advice)"
    case .twice(let key, let program, let other):
      "`\(other)` is given twice: `\(key)` is \(program)'s name for it. Keep one of the two."
    }
  }
}
