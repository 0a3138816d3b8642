@_spi(_Unicode) import Swift

/// Normalisation form C (Unicode Standard Annex #15), as Python's Unicode has it.
enum Composition {
  static func composed(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    let characters = TextTables.shared.characters
    guard text.contains(where: { characters[$0].contains(.composable) }) else { return text }
    // What Python's Unicode does not know yet neither moves nor composes there, and stands between.
    // Unicode promises that all the rest is composed alike in all later versions.
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    for (index, part) in text.split(
      omittingEmptySubsequences: false, whereSeparator: { characters[$0].contains(.unassigned) }
    ).enumerated() {
      if index > 0 { result.append(text[part.startIndex - 1]) }
      var string = ""
      string.unicodeScalars.append(contentsOf: part)
      result += string._nfc
    }
    return result
  }
}
