/// Text as CLIP's tokenizer sees it: repaired, unescaped twice, in lower case, single spaces.
///
/// open_clip's `_clean_lower` (`tokenizer.py`), with ``TextRepair`` for ftfy.
enum TextCleaning {
  /// The cleaned text in UTF-8.
  static func cleaned(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    // Printable ASCII without entities stays as it is in all steps but the last two.
    if bytes.allSatisfy({ isPlain($0) }) { return cleaned(plain: bytes) }
    let repaired = TextRepair.repaired(Array(text.unicodeScalars))
    let unescaped = HTMLEntities.unescape(HTMLEntities.unescape(repaired))
    let characters = TextTables.shared.characters
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    for scalar in lowercased(singleSpaced(unescaped, characters), TextTables.shared) {
      if scalar.isASCII {
        result.append(UInt8(scalar.value))
      } else {
        result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
    return result
  }

  /// Whether a byte is ASCII that no repair touches; vertical tabs are not, ftfy drops them.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "&"): false
    case 0x20..<0x7F, 0x09, 0x0A, 0x0C, 0x0D: true
    default: false
    }
  }

  private static func cleaned(plain text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for byte in text {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): result.append(byte + 32)
      case 0x21...: result.append(byte)
      default:
        // Of a run of spaces one; none at the beginning.
        if let last = result.last, last != 0x20 { result.append(0x20) }
      }
    }
    if result.last == 0x20 { result.removeLast() }
    return result
  }

  /// Python's `" ".join(text.split())`.
  private static func singleSpaced(
    _ text: [Unicode.Scalar], _ characters: CharacterTable
  ) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var isSpacePending = false
    for scalar in text {
      if characters[scalar].contains(.space) {
        isSpacePending = !result.isEmpty
      } else {
        if isSpacePending { result.append(" ") }
        isSpacePending = false
        result.append(scalar)
      }
    }
    return result
  }

  /// Python's `str.lower`: full mappings (İ becomes two scalars) and the rule for the final sigma.
  private static func lowercased(
    _ text: [Unicode.Scalar], _ tables: TextTables
  ) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    for (index, scalar) in text.enumerated() {
      if !tables.characters[scalar].contains(.lowered) {
        result.append(scalar)
      } else if scalar == "Σ" {
        result.append(isFinalSigma(text, index, tables.characters) ? "ς" : "σ")
      } else {
        result += tables.lower[scalar] ?? [scalar]
      }
    }
    return result
  }

  /// Final_Sigma of the Unicode Standard §3.13: after a cased letter, and before none.
  private static func isFinalSigma(
    _ text: [Unicode.Scalar], _ index: Int, _ characters: CharacterTable
  ) -> Bool {
    func isCased(_ scalar: Unicode.Scalar?) -> Bool {
      scalar.map { characters[$0].contains(.cased) } ?? false
    }
    func counts(_ scalar: Unicode.Scalar) -> Bool { !characters[scalar].contains(.caseIgnorable) }
    return isCased(text[..<index].last(where: counts))
      && !isCased(text[(index + 1)...].first(where: counts))
  }
}
