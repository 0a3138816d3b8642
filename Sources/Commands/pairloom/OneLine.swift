/// Text that shows as one line, whatever it holds.
enum OneLine {
  /// The start of `text`, control characters as blanks: a caption or a key must not steer the terminal.
  ///
  /// These are C0, C1 (U+0080 to U+009F, which many terminals obey as ESC and a letter), line and
  /// paragraph separators, and all format characters, among them the marks that turn the direction.
  static func text(_ text: String, longest: Int) -> String {
    var line = ""
    var count = 0
    for scalar in text.unicodeScalars {
      if count == longest { return line + "…" }
      line.unicodeScalars.append(isControl(scalar) ? " " : scalar)
      count += 1
    }
    return line
  }

  /// JSON as one line of the same meaning: the control characters that JSON allows as escapes.
  static func json(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      guard isControl(scalar) else {
        line.unicodeScalars.append(scalar)
        continue
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        line += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      }
    }
    return line
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
