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
      string.unicodeScalars.append(contentsOf: ordered(part))
      result += string._nfc
    }
    return result
  }

  /// The text with the marks on each letter in canonical order, which is of equal normal form.
  ///
  /// Swift's library takes the square of their number for it, and in Swift 6.3 leaves what ``parts`` names
  /// out of order.
  private static func ordered(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var marks: [(rank: UInt8, place: Int, scalar: Unicode.Scalar)] = []
    func finishRun() {
      // Marks of one rank keep their order.
      if marks.count > 1 { marks.sort { ($0.rank, $0.place) < ($1.rank, $1.place) } }
      result += marks.map(\.scalar)
      marks.removeAll(keepingCapacity: true)
    }
    for scalar in text {
      for part in parts[scalar] ?? [scalar] {
        let rank = part.properties.canonicalCombiningClass.rawValue
        if rank == 0 {
          finishRun()
          result.append(part)
        } else {
          marks.append((rank, marks.count, part))
        }
      }
    }
    finishRun()
    return result
  }

  /// The three characters without a rank that come apart into marks; form C leaves them apart.
  private static let parts: [Unicode.Scalar: [Unicode.Scalar]] = [
    "\u{F73}": ["\u{F71}", "\u{F72}"], "\u{F75}": ["\u{F71}", "\u{F74}"],
    "\u{F81}": ["\u{F71}", "\u{F80}"],
  ]
}
