import CaptionLanguage

/// A test of a caption; words and characters are counted as Python counts them.
public enum CaptionTest: Sendable, Equatable {
  /// `len(caption.split())`.
  case minWords(Int)
  case maxWords(Int)
  /// `len(caption)`: Unicode scalars.
  case minCharacters(Int)
  case maxCharacters(Int)
  /// Every letter is of one of these scripts; other characters are free.
  case scripts([CaptionScript])
  /// The language model names one of these, with at least this confidence.
  case language([String], minConfidence: Double)

  func words(_ column: String) -> String {
    switch self {
    case .minWords(let count): "\(column): \(count) words or more"
    case .maxWords(let count): "\(column): \(count) words or fewer"
    case .minCharacters(let count): "\(column): \(count) characters or more"
    case .maxCharacters(let count): "\(column): \(count) characters or fewer"
    case .scripts(let scripts):
      "\(column): letters \(scripts.map(\.rawValue).joined(separator: ", "))"
    case .language(let codes, let confidence):
      "\(column): language \(codes.joined(separator: ", "))"
        + (confidence > 0 ? " (confidence \(confidence))" : "")
        + " by model \(CaptionLanguageModel.shared.version)"
    }
  }

  func holds(for caption: String) -> Bool {
    switch self {
    case .minWords(let count): Self.wordCount(caption) >= count
    case .maxWords(let count): Self.wordCount(caption) <= count
    case .minCharacters(let count): caption.unicodeScalars.count >= count
    case .maxCharacters(let count): caption.unicodeScalars.count <= count
    case .scripts(let scripts):
      caption.unicodeScalars.allSatisfy { scalar in
        CaptionScript.isFree(scalar) || scripts.contains { $0.holds(scalar) }
      }
    case .language(let codes, let confidence):
      CaptionLanguageModel.shared.language(of: caption).map {
        codes.contains($0.code) && $0.confidence >= confidence
      } ?? false
    }
  }

  /// The words of `caption.split()`: runs of characters for which Python's `str.isspace` is false.
  static func wordCount(_ caption: String) -> Int {
    var count = 0
    var isInWord = false
    for scalar in caption.unicodeScalars {
      let isSpace = isPythonSpace(scalar.value)
      if !isSpace && !isInWord { count += 1 }
      isInWord = !isSpace
    }
    return count
  }

  private static func isPythonSpace(_ value: UInt32) -> Bool {
    switch value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
      0x205F, 0x3000:
      true
    default: false
    }
  }
}

/// Letters that belong together, by blocks of Unicode.
public enum CaptionScript: String, Sendable, CaseIterable {
  case ascii, latin, greek, cyrillic, armenian, hebrew, arabic, devanagari, bengali, thai, georgian
  case hangul, kana, han

  private var ranges: [ClosedRange<UInt32>] {
    switch self {
    case .ascii: [0x41...0x5A, 0x61...0x7A]
    case .latin:
      [
        0x41...0x5A, 0x61...0x7A, 0xAA...0xAA, 0xBA...0xBA, 0xC0...0x2AF, 0x1D00...0x1DBF,
        0x1E00...0x1EFF, 0x2C60...0x2C7F, 0xA720...0xA7FF, 0xFB00...0xFB06, 0xFF21...0xFF3A,
        0xFF41...0xFF5A,
      ]
    case .greek: [0x370...0x3FF, 0x1F00...0x1FFF]
    case .cyrillic: [0x400...0x52F, 0x1C80...0x1C8F, 0x2DE0...0x2DFF, 0xA640...0xA69F]
    case .armenian: [0x530...0x58F, 0xFB13...0xFB17]
    case .hebrew: [0x590...0x5FF, 0xFB1D...0xFB4F]
    case .arabic: [0x600...0x6FF, 0x750...0x77F, 0x8A0...0x8FF, 0xFB50...0xFDFF, 0xFE70...0xFEFF]
    case .devanagari: [0x900...0x97F, 0xA8E0...0xA8FF]
    case .bengali: [0x980...0x9FF]
    case .thai: [0xE00...0xE7F]
    case .georgian: [0x10A0...0x10FF, 0x1C90...0x1CBF, 0x2D00...0x2D2F]
    case .hangul: [0x1100...0x11FF, 0x3130...0x318F, 0xA960...0xA97F, 0xAC00...0xD7FF]
    case .kana: [0x3040...0x30FF, 0x31F0...0x31FF, 0xFF66...0xFF9F]
    case .han:
      [
        0x2E80...0x2FDF, 0x3005...0x3007, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF,
        0x20000...0x323AF,
      ]
    }
  }

  func holds(_ scalar: Unicode.Scalar) -> Bool { ranges.contains { $0.contains(scalar.value) } }

  /// Whether a character is no letter, and so of no script.
  static func isFree(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return !("a"..."z" ~= scalar || "A"..."Z" ~= scalar) }
    return !scalar.properties.isAlphabetic
  }
}
