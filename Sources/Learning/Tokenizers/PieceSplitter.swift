/// Cuts cleaned text into the pieces that are encoded one by one.
///
/// The alternatives of CLIP's regular expression in their order, at each place the first that fits:
/// the special strings, `'s 't 're 've 'm 'll 'd`, a run of letters, one digit, a run of anything
/// else but space. Letters are `\p{L}` without marks, digits `\p{N}`.
struct PieceSplitter {
  private enum Kind { case letter, digit, space, other }

  private static let contractions = ["s", "t", "re", "ve", "m", "ll", "d"].map {
    Array($0.unicodeScalars)
  }
  /// The special strings of open_clip's tokenizer: start, end.
  static let specials = ["<start_of_text>", "<end_of_text>"].map { Array($0.unicodeScalars) }

  private static func kind(of scalar: Unicode.Scalar) -> Kind {
    switch scalar.value {
    case 0x61...0x7A, 0x41...0x5A: .letter
    case 0x30...0x39: .digit
    case 0x20, 0x09...0x0D: .space
    case 0..<0x80: .other
    // Ignoring case, the `regex` module takes this mark for a letter and for none: it vanishes.
    case 0x345: .space
    default:
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
        .letter
      case .decimalNumber, .letterNumber, .otherNumber: .digit
      default: scalar.properties.isWhitespace ? .space : .other
      }
    }
  }

  /// The pieces of `text`; a special string is a piece of its own if `keepsSpecials`.
  static func pieces(of text: [Unicode.Scalar], keepsSpecials: Bool) -> [ArraySlice<Unicode.Scalar>]
  {
    var pieces: [ArraySlice<Unicode.Scalar>] = []
    var index = 0
    while index < text.count {
      let start = index
      let kind = kind(of: text[index])
      if kind == .space {
        index += 1
        continue
      }
      if keepsSpecials, let special = specials.first(where: { matches($0, text, at: start) }) {
        index += special.count
      } else if text[index] == "'",
        let tail = contractions.first(where: { matches($0, text, at: start + 1) })
      {
        index += 1 + tail.count
      } else {
        index += 1
        while kind != .digit, index < text.count, Self.kind(of: text[index]) == kind { index += 1 }
      }
      pieces.append(text[start..<index])
    }
    return pieces
  }

  /// Whether `text` goes on with `pattern`, where ſ counts as s: the one letter of a lower-cased text
  /// that a pattern that ignores case takes for another.
  private static func matches(
    _ pattern: [Unicode.Scalar], _ text: [Unicode.Scalar], at start: Int
  ) -> Bool {
    guard start + pattern.count <= text.count else { return false }
    return pattern.indices.allSatisfy {
      text[start + $0] == pattern[$0] || (pattern[$0] == "s" && text[start + $0] == "ſ")
    }
  }
}
