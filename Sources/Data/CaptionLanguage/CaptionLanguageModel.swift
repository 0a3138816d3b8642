import ContentHashing
import Glibc

/// Tells the language of a caption.
///
/// A linear softmax over hashed 1- to 4-grams of letters, as fastText's without its hidden layer: logits are
/// the mean of the n-grams' rows and a bias. 32 languages, 65,536 rows, int8; trained from Debian's translated
/// texts by `Sources/CLibraries/CCaptionLanguage/make_model.py`, whose measure on held-out texts lies beside it
/// in `accuracy.txt`. Looks at the first 1,000 letters of a caption.
///
/// File: "PLCL", UInt32 languages (32), UInt32 rows, Float32 scale, 4 bytes of code and a Float32 bias for each
/// language, then the rows; all little-endian.
public final class CaptionLanguageModel: Sendable {
  /// The model that lives in the program, unpacked at its first use.
  public static let shared = CaptionLanguageModel(BundledModel.packed())

  /// The languages that it knows, by ISO 639-1.
  public let codes: [String]
  /// Names the model's weights: the first eight digits of its file's SHA-256.
  public let version: String
  private let biases: [Float]
  private let scale: Float
  /// Widened once: widening a row at each look-up took 200 times as long as adding it.
  private let rows: [SIMD32<Int16>]
  private static let rowCount = 1 << 16
  private static let longest = 1_000

  private init(_ packed: [UInt8]) {
    version = String(ContentHash.sha256Hex(packed).prefix(8))
    let bytes = BundledModel.unpacked(packed)
    func word(_ place: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
    }
    let count = 32
    let start = 16 + 8 * count
    precondition(
      bytes.count == start + Self.rowCount * count && Int(word(4)) == count
        && Int(word(8)) == Self.rowCount, "the language model has \(bytes.count) bytes")
    scale = Float(bitPattern: word(12))
    codes = (0..<count).map { language in
      let code = bytes[16 + 4 * language..<20 + 4 * language].prefix { $0 != 0 }
      return String(decoding: code, as: UTF8.self)
    }
    biases = (0..<count).map { Float(bitPattern: word(16 + 4 * count + 4 * $0)) }
    rows = (0..<Self.rowCount).map { row in
      var weights = SIMD32<Int16>()
      for lane in 0..<count {
        weights[lane] = Int16(Int8(bitPattern: bytes[start + row * count + lane]))
      }
      return weights
    }
  }

  /// The likeliest language, and how likely it is by the model, 0 to 1.
  ///
  /// Nil for a caption without letters. The confidence is the softmax of the best; it is not calibrated on
  /// captions.
  public func language(of caption: String) -> (code: String, confidence: Double)? {
    guard let logits = logits(of: caption) else { return nil }
    var best = 0
    for language in codes.indices where logits[language] > logits[best] { best = language }
    let sum = codes.indices.reduce(0) { $0 + exp(Double(logits[$1] - logits[best])) }
    return (codes[best], 1 / sum)
  }

  /// A logit for each of ``codes``.
  package func logits(of caption: String) -> [Float]? {
    let letters = Self.letters(of: caption)
    guard letters.count > 1 else { return nil }
    var sums = SIMD32<Int32>()
    var partial = SIMD32<Int16>()
    var count = 0
    for start in letters.indices {
      var hash: UInt32 = 0x811C_9DC5
      for length in 1...4 {
        let end = start + length - 1
        guard end < letters.count else { break }
        // A space may stand only at either end of an n-gram.
        if length > 2, letters[end - 1] == 0x20 { break }
        hash = (hash ^ letters[end]) &* 0x0100_0193
        if length == 1, letters[start] == 0x20 { continue }
        let mixed = (hash ^ hash >> 15) &* 0x85EB_CA6B
        partial &+= rows[Int(mixed >> 16)]
        count += 1
        // 255 weights of at most 127 fit into 16 bits.
        if count % 255 == 0 {
          sums &+= SIMD32<Int32>(truncatingIfNeeded: partial)
          partial = SIMD32<Int16>()
        }
      }
    }
    sums &+= SIMD32<Int32>(truncatingIfNeeded: partial)
    return codes.indices.map { Float(sums[$0]) * scale / Float(count) + biases[$0] }
  }

  /// Letters and marks in lower case, runs of all else as one space, one at each end.
  private static func letters(of caption: String) -> [UInt32] {
    var letters: [UInt32] = [0x20]
    letters.reserveCapacity(min(longest + 8, caption.utf8.count + 2))
    for scalar in caption.unicodeScalars {
      if letters.count > longest { break }
      switch scalar.value {
      case 0x61...0x7A: letters.append(scalar.value)
      case 0x41...0x5A: letters.append(scalar.value | 0x20)
      case 0x80... where isLetterOrMark(scalar):
        for lower in scalar.properties.lowercaseMapping.unicodeScalars {
          letters.append(lower.value)
        }
      default: if letters[letters.count - 1] != 0x20 { letters.append(0x20) }
      }
    }
    if letters[letters.count - 1] != 0x20 { letters.append(0x20) }
    return letters
  }

  private static func isLetterOrMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .nonspacingMark, .spacingMark, .enclosingMark:
      true
    default: false
    }
  }
}
