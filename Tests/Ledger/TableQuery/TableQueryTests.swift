import TableQuery
import Testing

@Suite struct TableQueryTests {
  static let columns = [
    QueryColumn("row", .int, "the list's row"), QueryColumn("host", .text, "the host"),
    QueryColumn("class", .text, "transient or permanent"), QueryColumn("status", .int, "HTTP"),
    QueryColumn("seconds", .double, "how long it took"),
  ]
  static let rows: [[TableValue]] = [
    [.int(0), .text("a.org"), .text("transient"), .int(503), .double(0.5)],
    [.int(1), .text("b.com"), .text("transient"), .null, .double(10)],
    [.int(2), .text("c.org"), .text("permanent"), .int(404), .double(0.1)],
    [.int(3), .text("d.org"), .null, .int(200), .double(2)],
    [.int(4), .text("it's; -- (odd"), .text("transient"), .int(500), .null],
  ]

  static let expressions: [(String, [Int])] = [
    ("class = 'transient' and host like '%.org'", [0]),
    ("status >= 500", [0, 4]), ("status IS NULL", [1]), ("NOT class = 'permanent'", [0, 1, 4]),
    ("row IN (1, 3)", [1, 3]), ("seconds BETWEEN 0.2 AND 3", [0, 3]), ("1", [0, 1, 2, 3, 4]),
    ("0", []), ("NULL", []), ("host = 'it''s; -- (odd'", [4]),
    ("\"class\" = 'permanent' OR (status = 200 AND (seconds > 1))", [2, 3]),
    ("length(host) = 5 AND substr(host, 1, 1) < 'c'", [0, 1]),
    ("CASE WHEN status = 404 THEN 1 ELSE 0 END", [2]), ("seconds - -1 > 3 - 1", [1, 3]),
    ("host GLOB '[ab]*'", [0, 1]), ("replace(host, '.org', '') = 'a'", [0]),
    ("row\n=\n2", [2]),
  ]

  @Test("an expression holds for the rows for which SQLite says so", arguments: expressions)
  func matches(expression: String, expected: [Int]) throws {
    let query = try TableQuery(columns: Self.columns, where: expression)
    #expect(try query.matches(Self.rows) == expected)
    // A batch leaves nothing behind for the next.
    #expect(try query.matches([]) == [])
    #expect(try query.matches(Self.rows) == expected)
  }

  @Test(
    "what is more than an expression is refused before SQLite sees it",
    arguments: [
      ("1); DROP TABLE rows; --", "closes that was not opened"),
      ("1; DROP TABLE rows", "semicolon"), ("1) OR (1", "closes that was not opened"),
      ("1) UNION SELECT 1 /*", "closes"), ("(1", "not closed"), ("1 -- and", "comment"),
      ("1 /* and */", "comment"), ("1 /* and", "comment"), ("'a", "quote is not closed"),
      ("\"a", "quote"), ("[a", "bracket"), ("", "empty"), ("  \n", "empty"),
      ("ATTACH DATABASE 'x' AS y", "ATTACH"), ("attach", "ATTACH"),
      ("(SELECT 1)", "SELECT"), ("EXISTS (SELECT * FROM sqlite_master)", "SELECT"),
      ("row IN rows", "IN takes a list"), ("row in", "IN takes a list"),
      ("row IN (VALUES (1))", "VALUES"), ("row = ?1", "parameter"), ("row = :x", "parameter"),
      ("row = @x", "parameter"), ("row = $x", "parameter"),
      ("PRAGMA user_version = 3", "PRAGMA"), ("1 ORDER BY 1", "ORDER"), ("1 LIMIT 1", "LIMIT"),
      ("row\u{0}", "zero byte"), ("sum(row) OVER () > 1", "OVER"),
    ])
  func refused(expression: String, words: String) throws {
    do {
      _ = try TableQuery(columns: Self.columns, where: expression)
      Issue.record("accepted: \(expression)")
    } catch {
      #expect(error.description.contains(words), "\(error)")
      #expect(error.description.contains("row, host, class, status, seconds"))
    }
  }

  @Test(
    "a mistake in an expression is told with the columns that there are",
    arguments: [
      ("clas = 'transient'", "no such column: clas"), ("class = ", "syntax error"),
      ("nonsense(row)", "no such function"), ("count(*) > 1", "misuse of aggregate"),
      ("load_extension('x')", "not authorized"), ("row row", "syntax error"),
    ])
  func mistakes(expression: String, words: String) throws {
    do {
      let query = try TableQuery(columns: Self.columns, where: expression)
      _ = try query.matches(Self.rows)
      Issue.record("accepted: \(expression)")
    } catch {
      #expect(error.description.contains(words), "\(error)")
    }
  }

  @Test("random text is refused or reads, and never writes or crashes")
  func random() throws {
    let words = [
      "row", "host", "'x'", "(", ")", "=", "AND", "OR", "NOT", "1", ";", "--", "/*", "*/", "\"",
      "'",
      "DROP", "TABLE", "rows", "SELECT", "IN", ",", "NULL", "LIKE", "?", "ATTACH", "[", "]", "\\",
    ]
    // A seed of its own kind: a linear congruence is enough to mix words (Numerical Recipes §7.1).
    var state: UInt32 = 20_261_124
    func next(_ bound: Int) -> Int {
      state = state &* 1_664_525 &+ 1_013_904_223
      return Int(state >> 8) % bound
    }
    var accepted = 0
    for _ in 0..<5_000 {
      let text = (0...next(9)).map { _ in words[next(words.count)] }.joined(separator: " ")
      do {
        let query = try TableQuery(columns: Self.columns, where: text)
        let found = try query.matches(Self.rows)
        #expect(found.allSatisfy(Self.rows.indices.contains), "\(text)")
        accepted += 1
      } catch {
        #expect(error.expression == text)
      }
    }
    #expect(accepted > 50)
  }
}
