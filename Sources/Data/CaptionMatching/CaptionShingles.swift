/// The set of small parts by whose overlap captions are near each other.
///
/// A caption of four words or more is the set of its words and of its pairs of neighbouring words: the
/// words find captions that differ in one of them, and the pairs tell "a red cube on a blue ball" from
/// "a blue cube on a red ball", which hold the same words. Letters, digits and their marks make up a
/// word; punctuation separates. In scripts that are written without spaces (Han, kana, Thai, Lao, Khmer,
/// Burmese, Tibetan) each character is a word, and so is each symbol, emoji among them.
///
/// A shorter caption is the set of its trigrams of characters, with a space before and after: one word
/// of three that differs would leave too little of the words. So captions of fewer than four words are
/// near each other only.
///
/// Only the first 256 words count. CLIP reads 77 tokens.
package enum CaptionShingles {
  package static let fewestWords = 4
  package static let mostWords = 256

  /// Hashes of the parts of a caption.
  ///
  /// 32 bits: two captions of 20 words have two parts with the same hash, and so appear more similar than
  /// they are, once in three million times.
  ///
  /// - Parameter text: Normalised UTF-8.
  /// - Returns: Ascending, each once; none for the empty caption.
  package static func hashes(of text: [UInt8]) -> [UInt32] {
    let words = CaptionWords.hashes(of: text, most: mostWords)
    var hashes =
      words.count < fewestWords ? trigrams(of: text) : words.map { Self.hash($0, Seed.word) }
    if words.count >= fewestWords {
      for (left, right) in zip(words, words.dropFirst()) {
        hashes.append(hash(left &* 0x9FB2_1C65_1E98_DF25 ^ right, Seed.neighbours))
      }
    }
    return distinct(&hashes)
  }

  /// What keeps kinds of parts apart.
  private enum Seed {
    static let word: UInt64 = 0x243F_6A88_85A3_08D3
    static let neighbours: UInt64 = 0x1319_8A2E_0370_7344
    static let trigram: UInt64 = 0xA409_3822_299F_31D0
  }

  private static func hash(_ value: UInt64, _ seed: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: WordMixing.mix(value ^ seed) >> 32)
  }

  private static func trigrams(of text: [UInt8]) -> [UInt32] {
    // Symbols that are no words, such as a line of dashes, may be of any length.
    let scalars = String(decoding: text, as: UTF8.self).unicodeScalars.prefix(4 * mostWords)
    guard !scalars.isEmpty else { return [] }
    let padded = [0x20] + scalars.map { UInt64($0.value) } + [0x20]
    return (0..<padded.count - 2).map {
      hash(padded[$0] << 42 | padded[$0 + 1] << 21 | padded[$0 + 2], Seed.trigram)
    }
  }

  private static func distinct(_ hashes: inout [UInt32]) -> [UInt32] {
    hashes.sort()
    var kept = 0
    for hash in hashes where kept == 0 || hashes[kept - 1] != hash {
      hashes[kept] = hash
      kept += 1
    }
    hashes.removeLast(hashes.count - kept)
    return hashes
  }
}

/// The finisher of SplitMix64, by which every bit of a word moves every other.
enum WordMixing {
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
