/// Makes sure that a text is one expression of SQL before it is put between parentheses.
///
/// What passes has balanced parentheses that never close what they did not open, and no comment, no
/// semicolon, no parameter and no word that begins a statement or a sub-query; so, whatever else it
/// is, SQLite reads all of it as what stands between the two parentheses around it.
enum ExpressionCheck {
  /// Words that no expression over the columns of one row holds.
  private static let statements: Set<String> = [
    "SELECT", "VALUES", "WITH", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP",
    "ALTER", "ATTACH", "DETACH", "PRAGMA", "VACUUM", "REINDEX", "ANALYZE", "BEGIN", "COMMIT",
    "ROLLBACK", "SAVEPOINT", "RELEASE", "EXPLAIN", "UNION", "EXCEPT", "INTERSECT", "LIMIT",
    "GROUP", "ORDER", "HAVING", "FROM", "WHERE", "OVER", "RAISE",
  ]

  /// What is wrong with `text`; nil for an expression.
  static func problem(of text: String) -> String? {
    let bytes = Array(text.utf8)
    var depth = 0
    var index = 0
    var isEmpty = true
    var afterIn = false
    while index < bytes.count {
      let byte = bytes[index]
      let next = index + 1 < bytes.count ? bytes[index + 1] : 0
      if byte == 0 { return "it holds a zero byte" }
      if byte == 0x20 || (0x09...0x0D).contains(byte) {
        index += 1
        continue
      }
      isEmpty = false
      // `x IN name` reads a table; `x IN (…)` is a list.
      if afterIn && byte != UInt8(ascii: "(") { return "IN takes a list in parentheses" }
      afterIn = false
      switch byte {
      case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
        guard let end = closing(byte, in: bytes, from: index + 1) else {
          return "a quote is not closed"
        }
        index = end
      case UInt8(ascii: "["):
        guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "]")) else {
          return "a bracket is not closed"
        }
        index = end
      case UInt8(ascii: "-") where next == byte, UInt8(ascii: "/") where next == UInt8(ascii: "*"):
        return "it holds a comment"
      case UInt8(ascii: ";"): return "it holds a semicolon: one expression, no statements"
      case UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "$"),
        UInt8(ascii: "#"):
        return "it holds a parameter (\(Character(UnicodeScalar(byte)))); put the text in quotes"
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")"):
        depth -= 1
        if depth < 0 { return "a parenthesis closes that was not opened" }
      case let byte where isWord(byte):
        let end = bytes[index...].firstIndex { !isWord($0) } ?? bytes.count
        let word = String(decoding: bytes[index..<end], as: UTF8.self).uppercased()
        if statements.contains(word) { return "`\(word)` belongs to a statement or a sub-query" }
        afterIn = word == "IN"
        index = end - 1
      default: break
      }
      index += 1
    }
    if isEmpty { return "it is empty" }
    if afterIn { return "IN takes a list in parentheses" }
    return depth == 0 ? nil : "a parenthesis is not closed"
  }

  /// The index of the quote that ends a text which began before `start`; a doubled one is a character.
  private static func closing(_ quote: UInt8, in bytes: [UInt8], from start: Int) -> Int? {
    var index = start
    while index < bytes.count {
      if bytes[index] == quote {
        guard index + 1 < bytes.count, bytes[index + 1] == quote else { return index }
        index += 1
      }
      index += 1
    }
    return nil
  }

  /// What SQLite takes for a part of a name: letters, digits, underscore, and all beyond ASCII.
  private static func isWord(_ byte: UInt8) -> Bool {
    byte >= 0x80 || byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte)
      || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
}
