import ContentHashing
import ParquetFile
import PipelineCore

/// The rows of `NNNNN.parquet`.
struct ForeignTable {
  /// In the order of the file, which is that of the tar.
  var rows: [ForeignRow] = []
  /// The list's other columns with their kinds.
  var columns: [(name: String, kind: TableColumn.Kind)] = []
  /// Columns that cannot be read, and why.
  var unread: [(name: String, why: String)] = []
  var hasCaptions: Bool
  var hasEXIF: Bool
  var hasSHA256: Bool

  /// The most rows of a shard.
  static let mostRows = 1_000_000
  private static let rowsPerBatch = 1_024

  /// Reads a table whole.
  ///
  /// - Throws: `ParquetError` for what is none, or cut; ``ImportError/tooManyRows(shard:rows:limit:)``.
  init(path: String) throws {
    let reader = try ParquetReader(path: path)
    guard reader.rowCount <= Self.mostRows else {
      throw ImportError.tooManyRows(shard: path, rows: reader.rowCount, limit: Self.mostRows)
    }
    let names = Set(reader.columns.map(\.name))
    hasCaptions = names.contains("caption")
    hasEXIF = names.contains("exif")
    hasSHA256 = names.contains("sha256")
    unread = reader.unsupportedColumns
    let batches = try reader.batches(columns: nil, rowsPerBatch: Self.rowsPerBatch)
    // A name that comes twice counts once.
    var known: Set<String> = []
    let places = reader.columns.indices.filter { known.insert(reader.columns[$0].name).inserted }
    columns = places.map { reader.columns[$0] }.filter { !ForeignRow.fields.contains($0.name) }
      .map { ($0.name, Self.kind(of: $0)) }
    while let batch = try batches.next() {
      for index in 0..<batch.rowCount {
        var row = ForeignRow()
        for place in places {
          let column = batch.columns[place]
          row.set(column.name, Self.json(batch.values[place][index], column.type))
        }
        rows.append(row)
      }
    }
  }

  /// Only the keys of a table, in order.
  static func keys(path: String) throws -> [String] {
    let batches = try ParquetReader(path: path).batches(columns: ["key"], rowsPerBatch: 4_096)
    var keys: [String] = []
    while let batch = try batches.next(), keys.count <= mostRows {
      for case .text(let key) in batch.values[0] { keys.append(key) }
    }
    return keys
  }

  private static func kind(of column: ParquetColumn) -> TableColumn.Kind {
    if column.isList { return .json }
    return switch column.type {
    case .bool: .bool
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32: .int
    case .float, .float16, .double: .double
    // Values beyond 63 bits come as text.
    case .json, .uint64: .json
    default: .text
    }
  }

  /// A value as the tables of a run have it: NaN and infinities null, bytes that are no text in digits.
  private static func json(_ value: ParquetValue, _ type: ParquetType) -> JSONValue {
    switch value {
    case .null: return .null
    case .bool(let flag): return .bool(flag)
    case .int(let number): return .number(String(number))
    case .float(let number): return number.isFinite ? .number("\(number)") : .null
    case .double(let number): return number.isFinite ? .number("\(number)") : .null
    case .text(let text):
      guard type == .json else { return .string(text) }
      do throws(JSONError) { return try JSONValue.parse(Array(text.utf8)) } catch {
        return .string(text)
      }
    case .bytes(let bytes):
      return .string(String(validating: bytes, as: UTF8.self) ?? ContentHash.hex(bytes))
    case .list(let values): return .array(values.map { json($0, type) })
    }
  }
}
