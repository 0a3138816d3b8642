/// Cuts a normalised caption into words.
enum CaptionWords {
  /// What a scalar does to the word at hand.
  enum Role {
    /// Belongs to it: a letter, a digit.
    case letter
    /// Belongs to it too, and to a word of one character as well.
    case mark
    /// Is a word of its own.
    case word
    case separator
  }

  /// A hash of each word in order, up to `most` words.
  static func hashes(of text: [UInt8], most: Int) -> [UInt64] {
    var words: [UInt64] = []
    var hash = Self.start
    var isInside = false
    // After a word of one character a letter begins another.
    var isComplete = false
    func end() {
      if isInside { words.append(hash) }
      hash = Self.start
      isInside = false
      isComplete = false
    }
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      guard words.count < most else { return words }
      switch role(of: scalar) {
      case .separator: end()
      case .mark where !isInside: break
      case .mark: hash = (hash ^ UInt64(scalar.value)) &* Self.prime
      case .letter:
        if isComplete { end() }
        hash = (hash ^ UInt64(scalar.value)) &* Self.prime
        isInside = true
      case .word:
        end()
        hash = (hash ^ UInt64(scalar.value)) &* Self.prime
        isInside = true
        isComplete = true
      }
    }
    end()
    return Array(words.prefix(most))
  }

  // FNV-1a over scalars; every use mixes it further.
  private static let start: UInt64 = 0xCBF2_9CE4_8422_2325
  private static let prime: UInt64 = 0x100_0000_01B3

  private static func role(of scalar: Unicode.Scalar) -> Role {
    if scalar.isASCII {
      switch UInt8(scalar.value) {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        return .letter
      case UInt8(ascii: "$"), UInt8(ascii: "+"): return .word
      default: return .separator
      }
    }
    if isWrittenWithoutSpaces(scalar.value) { return isMark(scalar) ? .mark : .word }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .decimalNumber, .letterNumber, .otherNumber:
      return .letter
    case .nonspacingMark, .spacingMark, .enclosingMark: return .mark
    case .mathSymbol, .currencySymbol, .otherSymbol: return .word
    // Tones of the skin, which belong to the emoji before them.
    case .modifierSymbol: return .mark
    default: return .separator
    }
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .modifierLetter: true
    default: false
    }
  }

  /// The blocks of scripts whose words no space separates.
  private static func isWrittenWithoutSpaces(_ value: UInt32) -> Bool {
    switch value {
    case 0x0E00...0x0EFF,  // Thai, Lao
      0x0F40...0x0FBC,  // Tibetan's letters
      0x1000...0x109F, 0xA9E0...0xA9FF, 0xAA60...0xAA7F,  // Burmese
      0x1780...0x17DD,  // Khmer
      0x3005...0x3007, 0x3031...0x3035, 0x303B, 0x3041...0x3096, 0x309D...0x30FA, 0x30FC...0x312F,
      0x31F0...0x31FF,  // kana, bopomofo
      0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x1_AFF0...0x1_B16F,
      0x2_0000...0x3_FFFF:  // Han
      true
    default: false
    }
  }
}
