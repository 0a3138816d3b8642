/// Undoes readings in a wrong encoding (`Ã©` was `é`): ftfy 6.3 `fix_encoding`.
///
/// Text that looks wrong (``MojibakeDetector``) is encoded in each of ten single-byte encodings that can
/// hold it; the first whose bytes are UTF-8, some common damage forgiven, tells what was meant.
enum Mojibake {
  static func repaired(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    // ASCII is never suspicious.
    guard text.contains(where: { !$0.isASCII }) else { return text }
    return repaired(text[...], TextTables.shared)
  }

  private static func repaired(
    _ text: ArraySlice<Unicode.Scalar>, _ tables: TextTables
  ) -> [Unicode.Scalar] {
    var current = Array(text)
    while tables.badness.isBad(current[...], tables.characters) {
      let next = step(current, tables)
      if next == current { break }
      current = next
    }
    return current
  }

  private static func step(_ text: [Unicode.Scalar], _ tables: TextTables) -> [Unicode.Scalar] {
    for encoding in tables.encodings {
      guard var bytes = encoding.encode(text[...]) else { continue }
      // In Mac Roman that would take a dash before a space for half a character.
      if encoding.name != "macroman" { bytes = DamagedUTF8.withRestoredSpaces(bytes) }
      if encoding.isSloppy { bytes = DamagedUTF8.withReplacedLosses(bytes) }
      if let meant = UTF8Variants.decode(bytes) { return meant }
    }
    let parts = withRepairedParts(text, tables)
    if parts != text { return parts }
    // ftfy has two rules for controls of Latin-1; both come to this.
    return text.map {
      (0x80...0x9F).contains($0.value) ? Windows1252.scalar(forControl: $0) : $0
    }
  }

  /// ftfy's `decode_inconsistent_utf8`: text of which only parts were read wrongly.
  private static func withRepairedParts(
    _ text: [Unicode.Scalar], _ tables: TextTables
  ) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var index = 0
    var isAfterContinuation = false
    while index < text.count {
      var end = index
      while !isAfterContinuation,
        let next = endOfCharacter(text, from: end, tables.characters)
      {
        end = next
      }
      if end > index {
        let part = text[index..<end]
        // The whole text would come back here for ever.
        let isWrong = part.count < text.count && tables.badness.isBad(part, tables.characters)
        result += isWrong ? repaired(part, tables) : Array(part)
      } else {
        result.append(text[index])
        end = index + 1
      }
      isAfterContinuation = tables.characters[text[end - 1]].contains(.utf8ContinuationStrict)
      index = end
    }
    return result
  }

  /// The end of characters that stand for the bytes of one character of UTF-8.
  private static func endOfCharacter(
    _ text: [Unicode.Scalar], from start: Int, _ characters: CharacterTable
  ) -> Int? {
    guard start < text.count else { return nil }
    let first = characters[text[start]]
    var end = start + 1
    for (kind, count) in [
      (CharacterProperties.utf8First2, 2), (.utf8First3, 3), (.utf8First4, 4),
    ] {
      // The kinds are asked in their order; each wants one more than the one before.
      while end < min(text.count, start + count),
        characters[text[end]].contains(.utf8Continuation)
      {
        end += 1
      }
      if first.contains(kind), end - start >= count { return start + count }
    }
    return nil
  }
}
