/// The options of another program, and what becomes of each in a recipe.
public struct RecipeSynonyms: Sendable {
  /// Whose they are, for error messages.
  public var program: String
  public var options: [RecipeSynonym]

  public init(program: String, options: [RecipeSynonym]) {
    self.program = program
    self.options = options
  }

  /// No other program's.
  public static let none = RecipeSynonyms(program: "", options: [])
}

/// One option of another program.
public struct RecipeSynonym: Sendable, Equatable {
  /// What becomes of it.
  public enum Rule: Sendable, Equatable {
    /// It sets the key of this name, which may be its own.
    case sets(String, Spelling = .same)
    /// These values describe what happens anyway and set nothing; others are refused with the advice.
    case accepts([String], otherwise: String)
    /// Whatever is asked for happens anyway.
    case acceptsAll
    /// It is refused, with the name to use instead and why.
    case refuses(String)
  }

  /// How the other program writes the value.
  public enum Spelling: Sendable, Equatable {
    case same
    /// What is true there is false here.
    case opposite
    /// A number of repetitions there is a number of tries here.
    case repetitions
    /// `inf` there is 0 here, and a whole number may be written as 65536.0 or 1e6.
    case unbounded
    /// One of these words stands for another; words that are not here stay.
    case words([String: String])
    /// The first of a list counts.
    case first
    /// A list that must hold something: an empty one on the command line is refused with the advice.
    ///
    /// In a file it is how an option without a value stands.
    case filled(otherwise: String)
  }

  public var name: String
  /// The value that the other program takes when the option is not given, as it writes it.
  public var fallback: String
  public var rule: Rule
  /// What differs, in words; empty where nothing does.
  public var difference: String
  /// A key and the value that it must have beside this option, and what to do where it has not.
  public var needs: Need?

  /// Another key that an option makes no sense without.
  public struct Need: Sendable, Equatable {
    public var key: String
    public var value: String
    public var advice: String

    public init(key: String, value: String, advice: String) {
      self.key = key
      self.value = value
      self.advice = advice
    }
  }

  public init(
    _ name: String, default fallback: String, _ rule: Rule, difference: String = "",
    needs: Need? = nil
  ) {
    self.name = name
    self.fallback = fallback
    self.rule = rule
    self.difference = difference
    self.needs = needs
  }
}

extension RecipeSynonyms {
  /// Puts this program's keys and values in the place of the other's, within one layer of a recipe.
  ///
  /// - Parameters:
  ///   - values: The options of one layer: a file's, or a command line's.
  ///   - isFile: Which of the two.
  ///   - names: Gains, for each key that was set so, the name under which it was given.
  /// - Returns: The layer under this program's keys.
  /// - Throws: ``RecipeError`` for what is refused, and for an option given under both names.
  func translate(
    _ values: [String: RecipeValue], isFile: Bool, names: inout [String: String]
  ) throws(RecipeError) -> [String: RecipeValue] {
    var result = values
    for option in options {
      guard let value = values[option.name] else { continue }
      result[option.name] = nil
      // Python's word; every other reader of a recipe takes it for text.
      let isUnset = value == .null || value == .text("None")
      switch option.rule {
      case .sets(let key, let spelling):
        if key != option.name {
          if let own = values[key], own != .null {
            throw .twice(key: option.name, program: program, other: key)
          }
          names[key] = option.name
        }
        if case .filled(let advice) = spelling, !isUnset, !isFile,
          value.words.isEmpty
        {
          throw .foreign(key: option.name, program: program, advice: advice)
        }
        result[key] = isUnset ? .null : try spelling.translate(value, of: option.name)
      case .accepts(let words, let advice):
        guard isUnset || words.contains(where: { Self.isSame($0, value) }) else {
          throw .foreign(key: option.name, program: program, advice: advice)
        }
      case .acceptsAll: break
      case .refuses(let advice):
        if !isUnset { throw .foreign(key: option.name, program: program, advice: advice) }
      }
    }
    return result
  }

  /// Refuses options whose company is missing once all layers are laid over each other.
  func checkNeeds(_ values: [String: RecipeValue]) throws(RecipeError) {
    for option in options {
      guard let need = option.needs, let value = values[option.name], !value.words.isEmpty,
        values[need.key] != .text(need.value)
      else { continue }
      throw .foreign(key: option.name, program: program, advice: need.advice)
    }
  }

  private static func isSame(_ word: String, _ value: RecipeValue) -> Bool {
    value.words.joined(separator: ",").lowercased() == word.lowercased()
  }
}

extension RecipeSynonym.Spelling {
  func translate(_ value: RecipeValue, of name: String) throws(RecipeError)
    -> RecipeValue
  {
    guard case .text(let text) = value else {
      // A list stays one, but where only its head is asked for.
      return self == .first ? value.words.first.map { .text($0) } ?? .null : value
    }
    switch self {
    case .same, .filled: return value
    case .opposite:
      switch text.lowercased() {
      case "true": return .text("false")
      case "false": return .text("true")
      default: throw .badValue(key: name, value: text, expected: "True or False")
      }
    case .repetitions:
      guard let count = Int(text), count >= 0, count < .max else {
        throw .badValue(key: name, value: text, expected: "a whole number of 0 or more")
      }
      return .text(String(count + 1))
    case .unbounded:
      guard let number = Double(text) else { return value }
      if number == .infinity { return .text("0") }
      // Above 2⁵³ a Double is no exact count, and no picture is that large.
      return number.magnitude < 0x1p53 && number == number.rounded()
        ? .text(String(Int(number))) : value
    case .words(let words): return .text(words[text] ?? text)
    case .first: return value
    }
  }
}
