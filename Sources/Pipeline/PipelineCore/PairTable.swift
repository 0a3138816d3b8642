import Compression
import ParquetFile

/// A Parquet table of a run: named columns, one row per pair.
///
/// In memory a row is a ``JSONValue`` object whose members are the columns with a value, in the
/// table's order; a column without a member is null.
public enum PairTable {
  /// Publishes `rows` under `path`.
  ///
  /// - Parameters:
  ///   - rows: Objects whose keys are all names of columns.
  ///   - columns: The table's schema, the same for every chunk.
  ///   - path: Where the table goes.
  ///   - metadata: Facts about the whole table, kept in its footer.
  /// - Throws: `ParquetError` where the file cannot be written.
  public static func write(
    _ rows: [JSONValue], columns: [TableColumn], to path: String,
    metadata: [(key: String, value: String)] = []
  ) throws {
    let writer = try PairTableWriter(path, columns: columns, metadata: metadata)
    try writer.append(rows)
    try writer.finish()
  }

  /// The rows of the table at `path`.
  ///
  /// - Parameters:
  ///   - path: The table.
  ///   - limit: Rows after which reading ends, to the next few thousand; all by default.
  /// - Returns: The rows in their order.
  /// - Throws: ``TableError`` where it is damaged.
  public static func read(_ path: String, limit: Int = .max) throws -> [JSONValue] {
    var rows: [JSONValue] = []
    let reader = try ParquetReader(path: path)
    let batches = try reader.batches(columns: nil, rowsPerBatch: min(limit, 4_096))
    while rows.count < limit, let batch = try batches.next() {
      for row in 0..<batch.rowCount {
        var members: [JSONValue.Member] = []
        for (index, column) in batch.columns.enumerated() {
          let value = try value(
            batch.values[index][row], of: column, path: path, row: rows.count)
          if let value { members.append(JSONValue.Member(column.name, value)) }
        }
        rows.append(.object(members))
      }
    }
    return rows
  }

  /// The facts in the footer of the table at `path`.
  public static func metadata(of path: String) throws -> [String: String] {
    try ParquetReader(path: path).metadata
  }

  /// The columns of the table at `path`, as ``write(_:columns:to:metadata:)`` takes them.
  ///
  /// - Throws: ``TableError`` for a table that no run has written.
  public static func columns(of path: String) throws -> [TableColumn] {
    try ParquetReader(path: path).columns.map { column in
      guard let kind = TableColumn.Kind(column.type) else {
        throw TableError(path: path, row: 0, problem: "\(column.name) has a type of no table")
      }
      return TableColumn(column.name, kind, isOptional: column.isOptional)
    }
  }

  /// Reads a table whose rows are all of one kind.
  ///
  /// - Throws: ``TableError`` naming the first row that is not.
  public static func read<T>(_ path: String, as make: (JSONValue) -> T?) throws -> [T] {
    try read(path).enumerated().map { index, row in
      guard let value = make(row) else {
        throw TableError(path: path, row: index, problem: "a field is missing")
      }
      return value
    }
  }

  private static func value(
    _ value: ParquetValue, of column: ParquetColumn, path: String, row: Int
  ) throws -> JSONValue? {
    switch value {
    case .null: return nil
    case .bool(let flag): return .bool(flag)
    case .int(let number): return .number(String(number))
    case .float(let number): return .number("\(number)")
    case .double(let number): return .number("\(number)")
    case .text(let text):
      guard column.type == .json else { return .string(text) }
      do {
        return try JSONValue.parse(Array(text.utf8))
      } catch {
        throw TableError(path: path, row: row, problem: "\(column.name) is \(error)")
      }
    case .bytes, .list:
      throw TableError(path: path, row: row, problem: "\(column.name) has a type of no table")
    }
  }
}

/// A column of a run's table.
public struct TableColumn: Sendable, Hashable {
  public enum Kind: String, Sendable, Codable {
    case int, int32, float, double, bool, text
    /// Any value, as JSON text.
    case json

    var parquet: ParquetType {
      switch self {
      case .int: .int64
      case .int32: .int32
      case .float: .float
      case .double: .double
      case .bool: .bool
      case .text: .string
      case .json: .json
      }
    }

    /// The kind that is stored as `type`; nil where none is.
    init?(_ type: ParquetType) {
      let kinds: [Kind] = [.int, .int32, .float, .double, .bool, .text, .json]
      guard let kind = kinds.first(where: { $0.parquet == type }) else { return nil }
      self = kind
    }
  }

  public var name: String
  public var kind: Kind
  /// Whether rows may go without a value.
  public var isOptional: Bool

  public init(_ name: String, _ kind: Kind, isOptional: Bool = true) {
    self.name = name
    self.kind = kind
    self.isOptional = isOptional
  }

  var parquet: ParquetColumn { ParquetColumn(name, kind.parquet, isOptional: isOptional) }

  /// The column's cell of a row; a value of another kind is a mistake of the stage that made it.
  func cell(_ value: JSONValue?) -> ParquetValue {
    switch (kind, value ?? .null) {
    case (_, .null):
      precondition(isOptional, "a row without \(name)")
      return .null
    case (.json, let value): return .text(value.serialized)
    case (.text, .string(let text)): return .text(text)
    case (.bool, .bool(let flag)): return .bool(flag)
    case (.int, .number(let digits)), (.int32, .number(let digits)):
      if let number = Int64(digits) { return .int(number) }
    case (.float, .number(let digits)): if let number = Float(digits) { return .float(number) }
    case (.double, .number(let digits)): if let number = Double(digits) { return .double(number) }
    default: break
    }
    preconditionFailure("\(name) is no \(kind): \(value?.serialized ?? "")")
  }
}

/// Writes a table of a run row by row; nothing is visible before ``finish()``.
public final class PairTableWriter {
  private let columns: [TableColumn]
  private let names: Set<String>
  private let writer: ParquetWriter
  private var pending: [JSONValue] = []
  private static let batch = 4_096

  public init(
    _ path: String, columns: [TableColumn], metadata: [(key: String, value: String)] = []
  ) throws {
    self.columns = columns
    names = Set(columns.map(\.name))
    writer = try ParquetWriter(
      path: path, columns: columns.map(\.parquet), codec: .zstd,
      metadata: metadata.map { ($0.key, $0.value) })
  }

  public func append(_ row: JSONValue) throws {
    pending.append(row)
    if pending.count == Self.batch { try flush() }
  }

  public func append(_ rows: [JSONValue]) throws {
    for row in rows { try append(row) }
  }

  public func finish() throws {
    try flush()
    try writer.finish()
  }

  private func flush() throws {
    guard !pending.isEmpty else { return }
    var values = columns.map { _ in [ParquetValue]() }
    for index in values.indices { values[index].reserveCapacity(pending.count) }
    for row in pending {
      precondition(
        row.members.allSatisfy { names.contains($0.key) },
        "the table has no column for one of \(row.members.map(\.key))")
      for (index, column) in columns.enumerated() {
        values[index].append(column.cell(row[column.name]))
      }
    }
    try writer.append(values)
    pending = []
  }
}

/// A table of the run that cannot be read: it was changed or damaged after it was published.
public struct TableError: Error, Sendable, Equatable, CustomStringConvertible {
  public var path: String
  /// From 0.
  public var row: Int
  public var problem: String

  public init(path: String, row: Int, problem: String) {
    self.path = path
    self.row = row
    self.problem = problem
  }

  public var description: String {
    "\(path), row \(row): \(problem). The run's own table is damaged; run again in a new folder."
  }
}
