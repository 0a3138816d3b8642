internal import GRDB

/// A value of a table's column.
public enum TableValue: Sendable, Equatable {
  case null
  case int(Int)
  case double(Double)
  case text(String)
}

/// A column that an expression may name.
public struct QueryColumn: Sendable, Equatable {
  public enum Kind: String, Sendable { case int = "INTEGER", double = "REAL", text = "TEXT" }

  public var name: String
  public var kind: Kind
  /// What it holds, in a few words.
  public var meaning: String

  public init(_ name: String, _ kind: Kind, _ meaning: String) {
    self.name = name
    self.kind = kind
    self.meaning = meaning
  }
}

/// Why an expression cannot be asked.
public struct TableQueryError: Error, Sendable, Equatable, CustomStringConvertible {
  public var expression: String
  public var problem: String
  /// The columns that there are.
  public var columns: [String]

  public var description: String {
    "`\(expression)` is no expression over the table: \(problem). Its columns are "
      + columns.joined(separator: ", ")
      + ". For instance: class = 'transient' AND host LIKE '%.org'"
  }
}

/// Asks of rows whether an SQL expression holds for them, with SQLite's own meaning of it.
///
/// The rows lie in memory, one batch at a time, in a database that holds nothing else. The expression
/// is only ever an expression: statements, sub-queries, comments and parameters are refused before
/// SQLite sees it, and it runs where nothing can be written.
public final class TableQuery: Sendable {
  private let database: DatabaseQueue
  private let columns: [QueryColumn]
  private let expression: String

  /// - Parameters:
  ///   - columns: Of the rows to come, in their order.
  ///   - expression: What is asked of each; NULL counts as no.
  /// - Throws: ``TableQueryError`` for what is no expression over these columns.
  public init(columns: [QueryColumn], where expression: String) throws(TableQueryError) {
    self.columns = columns
    self.expression = expression
    if let problem = ExpressionCheck.problem(of: expression) {
      throw TableQueryError(
        expression: expression, problem: problem, columns: columns.map(\.name))
    }
    do {
      var configuration = Configuration()
      // A ROLLBACK may fail as well; GRDB would end the process for the transaction that it leaves.
      configuration.allowsUnsafeTransactions = true
      database = try DatabaseQueue(configuration: configuration)
      let fields = columns.map { "\"\($0.name)\" \($0.kind.rawValue)" }
      try database.write {
        try $0.execute(sql: "CREATE TABLE rows(\(fields.joined(separator: ", ")))")
      }
      // Prepared once on no row at all, so that a mistake is told before anything is read.
      try database.read { database in
        let statement = try database.makeStatement(sql: Self.question(expression))
        precondition(statement.isReadonly, "a SELECT that writes: \(expression)")
        _ = try Int.fetchAll(statement)
      }
    } catch {
      throw Self.wrap(error, expression, columns)
    }
  }

  /// Asks of a batch of rows.
  ///
  /// - Parameter rows: Each with a value for every column; a batch of some thousands.
  /// - Returns: The indices of the rows for which the expression holds, ascending.
  /// - Throws: ``TableQueryError`` where SQLite cannot work the expression out for a row.
  public func matches(_ rows: [[TableValue]]) throws(TableQueryError) -> [Int] {
    do {
      let places = columns.map { _ in "?" }.joined(separator: ", ")
      try database.write { database in
        try database.execute(sql: "DELETE FROM rows")
        let insert = try database.cachedStatement(
          sql:
            "INSERT INTO rows(rowid, \(columns.map { "\"\($0.name)\"" }.joined(separator: ", ")))"
            + " VALUES (?, \(places))")
        for (index, row) in rows.enumerated() {
          precondition(row.count == columns.count, "\(row.count) values, \(columns.count) columns")
          var values: [DatabaseValue] = [index.databaseValue]
          values.reserveCapacity(row.count + 1)
          for value in row { values.append(Self.databaseValue(value)) }
          try insert.execute(arguments: StatementArguments(values))
        }
      }
      return try database.read { database in
        try Int.fetchAll(database.cachedStatement(sql: Self.question(expression)))
      }
    } catch {
      throw Self.wrap(error, expression, columns)
    }
  }

  private static func question(_ expression: String) -> String {
    "SELECT rows.rowid FROM rows WHERE (\(expression)\n) ORDER BY rows.rowid"
  }

  private static func databaseValue(_ value: TableValue) -> DatabaseValue {
    switch value {
    case .null: .null
    case .int(let number): number.databaseValue
    case .double(let number): number.databaseValue
    case .text(let text): text.databaseValue
    }
  }

  private static func wrap(
    _ error: any Error, _ expression: String, _ columns: [QueryColumn]
  ) -> TableQueryError {
    let words = (error as? DatabaseError)?.message ?? "\(error)"
    return TableQueryError(
      expression: expression, problem: words, columns: columns.map(\.name))
  }
}
