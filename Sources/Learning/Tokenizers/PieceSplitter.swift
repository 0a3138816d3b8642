/// Cuts cleaned text into the pieces that are encoded one by one.
///
/// The alternatives of CLIP's regular expression in their order, at each place the first that fits:
/// the special strings, `'s 't 're 've 'm 'll 'd`, a run of letters, one digit, a run of anything
/// else but space. Letters are `\p{L}` without marks, digits `\p{N}`, of the `regex` module's Unicode.
struct PieceSplitter: Sequence, IteratorProtocol {
  struct Piece {
    /// The place of its bytes in the text.
    var bytes: Range<Int>
    /// Which special string it is, if it is one to the letter.
    var special: Int?
  }

  /// The special strings of open_clip's tokenizer: start, end.
  private static let specials = ["<start_of_text>", "<end_of_text>"].map { Array($0.utf8) }
  private static let contractions = ["s", "t", "re", "ve", "m", "ll", "d"].map { Array($0.utf8) }

  private let text: [UInt8]
  private let keepsSpecials: Bool
  private let characters = TextTables.shared.characters
  private var index = 0

  /// - Parameters:
  ///   - text: UTF-8, as ``TextCleaning`` gives it.
  ///   - keepsSpecials: Whether a special string is a piece of its own.
  init(_ text: [UInt8], keepsSpecials: Bool) {
    self.text = text
    self.keepsSpecials = keepsSpecials
  }

  mutating func next() -> Piece? {
    while index < text.count {
      let start = index
      let (kind, end) = character(at: start)
      index = end
      switch kind {
      case .space: continue
      case .digit: return Piece(bytes: start..<end)
      case .letter: break
      case .other:
        if keepsSpecials, text[start] == UInt8(ascii: "<"), let special = special(at: start) {
          index = special.bytes.upperBound
          return special
        }
        if text[start] == UInt8(ascii: "'"), let end = endOfContraction(at: start) {
          index = end
          return Piece(bytes: start..<end)
        }
      }
      while index < text.count {
        let (following, end) = character(at: index)
        guard following == kind else { break }
        index = end
      }
      return Piece(bytes: start..<index)
    }
    return nil
  }

  /// The kind of the character that begins at `start`, and where it ends.
  private func character(at start: Int) -> (CharacterProperties.Piece, end: Int) {
    let byte = text[start]
    switch byte {
    case 0x61...0x7A: return (.letter, start + 1)
    case 0x20: return (.space, start + 1)
    case 0x30...0x39: return (.digit, start + 1)
    case 0..<0x80: break
    default:
      let count = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
      var value = UInt32(byte) & (0x7F >> UInt32(count))
      for place in (start + 1)..<(start + count) { value = value << 6 | UInt32(text[place] & 0x3F) }
      let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
      return (characters[scalar].piece, start + count)
    }
    return (characters[Unicode.Scalar(byte)].piece, start + 1)
  }

  private func special(at start: Int) -> Piece? {
    for (number, pattern) in Self.specials.enumerated() {
      if let end = end(of: pattern, at: start) {
        let isExact = end - start == pattern.count
        return Piece(bytes: start..<end, special: isExact ? number : nil)
      }
    }
    return nil
  }

  private func endOfContraction(at start: Int) -> Int? {
    for tail in Self.contractions {
      if let end = end(of: tail, at: start + 1) { return end }
    }
    return nil
  }

  /// Where `pattern` ends if the text has it at `start`.
  ///
  /// ſ (C5 BF) counts as s: the one letter of a lower-cased text that a pattern which ignores case
  /// takes for another.
  private func end(of pattern: [UInt8], at start: Int) -> Int? {
    var place = start
    for byte in pattern {
      if place < text.count, text[place] == byte {
        place += 1
      } else if byte == UInt8(ascii: "s"), text[place...].starts(with: [0xC5, 0xBF]) {
        place += 2
      } else {
        return nil
      }
    }
    return place
  }
}
