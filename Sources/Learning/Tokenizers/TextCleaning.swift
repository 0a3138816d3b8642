/// Text as CLIP's tokenizer sees it: repaired, unescaped twice, in lower case, single spaces.
///
/// open_clip's `_clean_lower` (`tokenizer.py`), with ``TextRepair`` for ftfy.
enum TextCleaning {
  static func cleaned(_ text: String) -> [Unicode.Scalar] {
    var scalars = Array(text.unicodeScalars)
    // Printable ASCII without entities stays as it is in all steps but the last two.
    if !scalars.allSatisfy({ (0x20..<0x7F).contains($0.value) && $0 != "&" }) {
      scalars = HTMLEntities.unescape(HTMLEntities.unescape(TextRepair.repaired(scalars)))
    }
    return lowercased(singleSpaced(scalars))
  }

  /// Python's `" ".join(text.split())`.
  private static func singleSpaced(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var isSpacePending = false
    for scalar in text {
      if isPythonSpace(scalar) {
        isSpacePending = !result.isEmpty
      } else {
        if isSpacePending { result.append(" ") }
        isSpacePending = false
        result.append(scalar)
      }
    }
    return result
  }

  /// Python's `str.isspace`: White_Space and the four information separators U+001C to U+001F.
  private static func isPythonSpace(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20, 0x09...0x0D, 0x1C...0x1F: true
    case 0..<0x80: false
    default: scalar.properties.isWhitespace
    }
  }

  /// Python's `str.lower`: full mappings (İ becomes two scalars) and the rule for the final sigma.
  static func lowercased(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    for (index, scalar) in text.enumerated() {
      switch scalar {
      case "A"..."Z": result.append(Unicode.Scalar(UInt8(scalar.value) + 32))
      case "\u{0}"..."\u{7F}": result.append(scalar)
      case "Σ": result.append(isFinalSigma(text, index) ? "ς" : "σ")
      default: result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      }
    }
    return result
  }

  /// Final_Sigma of the Unicode Standard §3.13: after a cased letter, and before none.
  private static func isFinalSigma(_ text: [Unicode.Scalar], _ index: Int) -> Bool {
    let before = text[..<index].last { !$0.properties.isCaseIgnorable }
    let after = text[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    return before?.properties.isCased == true && after?.properties.isCased != true
  }
}
