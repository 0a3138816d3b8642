/// What stands under a key, each kind with its own rule of what is taken.
extension RecipeReader {
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
    case .text(let text): items = text.split(separator: ",").map { RecipeValue.trimmed($0) }
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
}
