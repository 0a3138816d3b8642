/// ftfy 6.3 `fix_text`, with its defaults.
///
/// Line by line, in ftfy's order and until nothing changes: entities, mojibake, C1 controls, Latin
/// ligatures, character width, curly quotes, line breaks, terminal escapes, control characters, NFC.
/// Surrogates cannot occur in a Swift string.
enum TextRepair {
  /// ftfy cuts longer lines.
  private static let longestSegment = 1_000_000
  /// The characters that the passes over one segment may handle together: below a second.
  ///
  /// ftfy has no limit. It matters for text made to be slow: thousands of levels of `&#38;#38;`.
  private static let mostWork = 1 << 24

  static func repaired(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var mayUnescape = true
    // A `<` says that this line, and all that follow, are true HTML.
    for segment in segments(text) {
      if segment.contains("<") { mayUnescape = false }
      result += stable(segment, unescaping: mayUnescape)
    }
    return result
  }

  private static func stable(_ segment: [Unicode.Scalar], unescaping: Bool) -> [Unicode.Scalar] {
    var current = segment
    var work = 0
    while work <= mostWork {
      let next = pass(current, unescaping: unescaping)
      if next == current { break }
      // Each pass opens one level of `&amp;amp;`: deep ones are brought up at once.
      current =
        unescaping && next == EntityNesting.opened(current, levels: 1)
        ? EntityNesting.withoutIdleLevels(next) : next
      work += next.count
    }
    return current
  }

  private static func segments(_ text: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
    var segments: [[Unicode.Scalar]] = []
    var start = 0
    while start < text.count {
      let longest = min(text.count, start + longestSegment)
      let end = text[start..<longest].firstIndex(of: "\n").map { $0 + 1 } ?? longest
      segments.append(Array(text[start..<end]))
      start = end
    }
    return segments
  }

  private static func pass(_ text: [Unicode.Scalar], unescaping: Bool) -> [Unicode.Scalar] {
    let unescaped = unescaping ? HTMLEntities.unescapeCarefully(text) : text
    // No other step touches it.
    if unescaped.allSatisfy({ (0x20..<0x7F).contains($0.value) || $0 == "\n" }) { return unescaped }
    let decoded = Mojibake.repaired(unescaped)
    var mapped: [Unicode.Scalar] = []
    mapped.reserveCapacity(decoded.count)
    for scalar in decoded { appendMapped(scalar, to: &mapped) }
    return Composition.composed(
      withoutControls(withoutTerminalEscapes(withUnixLineBreaks(mapped))))
  }

  /// The maps of one scalar to others: C1 controls, ligatures, widths and quotes.
  private static func appendMapped(_ scalar: Unicode.Scalar, to result: inout [Unicode.Scalar]) {
    switch scalar.value {
    case 0..<0x80: result.append(scalar)
    case 0x80...0x9F: append(straight: Windows1252.scalar(forControl: scalar), to: &result)
    case 0x132...0x133, 0x149, 0x1C4...0x1CC, 0x1F1...0x1F3, 0xFB00...0xFB06:
      // The letter that ʼn begins with counts as a curly quote.
      for part in ligature(scalar) { append(straight: part, to: &result) }
    case 0x3000: result.append(" ")
    case 0xFF01..<0xFFF0:
      for part in CharacterWidth.standard(scalar) { append(straight: part, to: &result) }
    default: append(straight: scalar, to: &result)
    }
  }

  private static func append(
    straight scalar: Unicode.Scalar, to result: inout [Unicode.Scalar]
  ) {
    switch scalar.value {
    case 0x2BC, 0x2018...0x201B: result.append("'")
    case 0x201C...0x201F: result.append("\"")
    default: result.append(scalar)
    }
  }

  private static let ligatures: [Unicode.Scalar: String] = [
    "\u{132}": "IJ", "\u{133}": "ij", "\u{149}": "\u{2BC}n", "\u{1F1}": "DZ", "\u{1F2}": "Dz",
    "\u{1F3}": "dz", "\u{1C4}": "D\u{17D}", "\u{1C5}": "D\u{17E}", "\u{1C6}": "d\u{17E}",
    "\u{1C7}": "LJ", "\u{1C8}": "Lj", "\u{1C9}": "lj", "\u{1CA}": "NJ", "\u{1CB}": "Nj",
    "\u{1CC}": "nj", "\u{FB00}": "ff", "\u{FB01}": "fi", "\u{FB02}": "fl", "\u{FB03}": "ffi",
    "\u{FB04}": "ffl", "\u{FB05}": "\u{17F}t", "\u{FB06}": "st",
  ]

  private static func ligature(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    ligatures[scalar].map { Array($0.unicodeScalars) } ?? [scalar]
  }

  private static func withUnixLineBreaks(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    for (index, scalar) in text.enumerated() {
      switch scalar {
      case "\n" where index > 0 && text[index - 1] == "\r": continue
      case "\r", "\u{2028}", "\u{2029}", "\u{85}": result.append("\n")
      default: result.append(scalar)
      }
    }
    return result
  }

  /// Removes `ESC [ digits-and-semicolons letter`.
  private static func withoutTerminalEscapes(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    guard text.contains("\u{1B}") else { return text }
    var result: [Unicode.Scalar] = []
    var index = 0
    while index < text.count {
      if text[index] == "\u{1B}", index + 1 < text.count, text[index + 1] == "[" {
        var end = index + 2
        while end < text.count,
          text[end] == ";" || TextTables.shared.characters[text[end]].contains(.decimal)
        {
          end += 1
        }
        if end < text.count, text[end].isASCII, text[end].properties.isAlphabetic {
          index = end + 1
          continue
        }
      }
      result.append(text[index])
      index += 1
    }
    return result
  }

  private static func withoutControls(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    text.filter {
      switch $0.value {
      case 0...8, 0x0B, 0x0E...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: false
      default: true
      }
    }
  }
}
