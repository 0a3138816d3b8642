import FilterPlans
import ParquetFile
import PipelineCore

/// Numbers of pairs out of other tables, as `pairloom score` writes them, joined by uid or key.
///
/// Every column of numbers counts, under its own name. Memory: 24 bytes a row, and 8 for each column. Of a pair
/// that is there twice the first row counts.
public struct JoinedScores: Sendable {
  /// What a row is known by.
  enum Identity: Sendable { case uid, key }

  let identity: Identity
  /// The columns of numbers.
  public let columns: [String]
  private let names: [PairUID]
  private let rows: [Int]
  private let values: [[Double?]]

  /// Reads tables that have the same columns.
  ///
  /// - Throws: ``FilterPlanError`` for a table that cannot be joined; `ParquetError`.
  public init(_ paths: [String]) throws {
    var names: [PairUID] = []
    var columns: [String] = []
    var values: [[Double?]] = []
    var identity = Identity.uid
    for (number, path) in paths.enumerated() {
      let reader = try ParquetReader(path: path)
      let own = reader.columns.filter { !$0.isList && $0.type.isNumber }.map(\.name)
      let there = Set(reader.columns.map(\.name))
      if number == 0 {
        guard there.contains("uid") || there.contains("key"), !own.isEmpty else {
          throw FilterPlanError(
            path: path, line: 0,
            "scores are joined by a column `uid` or `key`, and there are columns "
              + there.sorted().joined(separator: ", "))
        }
        identity = there.contains("uid") ? .uid : .key
        columns = own
        values = own.map { _ in [] }
      }
      let wanted = [identity == .uid ? "uid" : "key"] + columns
      guard wanted.allSatisfy(there.contains) else {
        throw FilterPlanError(path: path, line: 0, "it has other columns than \(paths[0])")
      }
      let batches = try reader.batches(columns: wanted, rowsPerBatch: 16_384)
      while let batch = try batches.next() {
        for row in 0..<batch.rowCount {
          guard case .text(let name) = batch.values[0][row] else { continue }
          names.append(PairUID(name))
          for column in columns.indices {
            values[column].append(batch.values[column + 1][row].number)
          }
        }
      }
    }
    let order = names.indices.sorted { (names[$0], $0) < (names[$1], $1) }
    self.identity = identity
    self.columns = columns
    self.names = order.map { names[$0] }
    rows = order
    self.values = values
  }

  /// The row of a pair; nil for one that has none.
  func row(of name: PairUID) -> Int? {
    var (low, high) = (0, names.count)
    while low < high {
      let middle = (low + high) / 2
      if names[middle] < name { low = middle + 1 } else { high = middle }
    }
    return low < names.count && names[low] == name ? rows[low] : nil
  }

  /// A column's values at some rows; null where there is none.
  func column(_ name: String, at rows: [Int?]) -> FilterColumn? {
    guard let number = columns.firstIndex(of: name) else { return nil }
    return .numbers(rows.map { $0.flatMap { values[number][$0] } })
  }
}

extension ParquetType {
  /// Whether its values are numbers or flags.
  var isNumber: Bool {
    switch self {
    case .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float, .float16,
      .double:
      true
    default: false
    }
  }
}

extension ParquetValue {
  /// The value as a number; nil for null and for what is none.
  var number: Double? {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .int(let value): Double(value)
    case .float(let value): Double(value)
    case .double(let value): value
    case .text(let text): Double(text)
    case .null, .bytes, .list: nil
    }
  }

  var text: String? {
    switch self {
    case .text(let text): text
    case .bool(let flag): flag ? "true" : "false"
    case .int(let value): String(value)
    case .float(let value): "\(value)"
    case .double(let value): "\(value)"
    case .null, .bytes, .list: nil
    }
  }
}
