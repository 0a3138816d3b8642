import ContentHashing
import ParquetFile
import PipelineCore

/// The rows of a Parquet list, whose columns have the types of the file.
///
/// Bytes that are no UTF-8 are carried as hexadecimal digits, NaN and infinities as null; decimals,
/// dates and times are text. Memory: a batch of rows and a page per column.
final class ParquetRows: RowSource {
  private static let rowsPerBatch = 256

  var hasCaptions: Bool { places.caption != nil }
  private let batches: ParquetBatches
  private let columns: [ParquetColumn]
  private let keys: [[UInt8]?]
  private let places: (url: Int, caption: Int?, hash: Int?)
  private let path: String
  private var batch: ParquetBatch?
  private var index = 0
  private var line = 0
  private var isDeclared = false

  init(path: String, roles: ColumnRoles) throws(ListError) {
    self.path = path
    let reader: ParquetReader
    do throws(ParquetError) {
      reader = try ParquetReader(path: path)
      batches = try reader.batches(columns: nil, rowsPerBatch: Self.rowsPerBatch)
    } catch {
      throw Self.listError(error, path: path, problem: "\(error)")
    }
    columns = reader.columns
    let header = columns.map(\.name)
    let wanted = roles.url + roles.caption + (roles.hash.map { [$0] } ?? [])
    for column in reader.unsupportedColumns
    where wanted.contains(column.name) && !header.contains(column.name) {
      throw .unreadable(path: path, problem: "column \(column.name) is not read: \(column.why)")
    }
    let places = try roles.places(in: header, path: path)
    for place in [places.url, places.caption].compactMap({ $0 }) where !Self.isText(columns[place])
    {
      throw .unreadable(
        path: path, problem: "column \(header[place]) holds \(columns[place].type), not text")
    }
    self.places = places
    keys = header.enumerated().map { place, name in
      if place == places.url || place == places.caption { return nil }
      var key: [UInt8] = []
      JSONText.append(Array(name.utf8), to: &key)
      return key + [UInt8(ascii: ":")]
    }
  }

  private static func isText(_ column: ParquetColumn) -> Bool {
    switch column.type {
    case .string, .bytes, .fixedBytes, .enum, .json: !column.isList
    default: false
    }
  }

  private static func type(of column: ParquetColumn) -> ColumnType {
    if column.isList { return .json }
    return switch column.type {
    case .bool: .bool
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32: .int
    case .float, .float16, .double: .double
    // Values beyond 63 bits come as text.
    case .json, .uint64: .json
    default: .string
    }
  }

  private static func listError(
    _ error: ParquetError, path: String, problem: String
  ) -> ListError {
    if case .file(let cause) = error.problem { return .refused(cause) }
    return .unreadable(path: path, problem: problem)
  }

  func next(_ row: inout ListRow, _ schema: inout ColumnSchema) throws(ListError) -> Bool {
    if !isDeclared {
      isDeclared = true
      for (place, key) in keys.enumerated() where key != nil {
        schema.declare(columns[place].name, Self.type(of: columns[place]))
      }
    }
    if index == batch?.rowCount ?? 0 {
      batch = nil
      do throws(ParquetError) { batch = try batches.next() } catch {
        throw Self.listError(error, path: path, problem: "after row \(line): \(error)")
      }
      index = 0
    }
    guard let batch else { return false }
    line += 1
    row.clear(line: line)
    fill(&row, batch)
    index += 1
    return true
  }

  private func fill(_ row: inout ListRow, _ batch: ParquetBatch) {
    guard take(batch.values[places.url][index], to: &row.url) else {
      row.reject = "column \(columns[places.url].name) is null or not UTF-8"
      return
    }
    if let caption = places.caption {
      let value = batch.values[caption][index]
      guard value == .null || take(value, to: &row.caption) else {
        row.reject = "column \(columns[caption].name) is not UTF-8"
        return
      }
    }
    if let hash = places.hash {
      var digits: [UInt8] = []
      switch batch.values[hash][index] {
      // A digest as it is, not in digits.
      case .bytes(let bytes) where [16, 20, 32, 64].contains(bytes.count):
        digits = Array(ContentHash.hex(bytes).utf8)
      case let value: _ = take(value, to: &digits)
      }
      row.setHash(digits, column: columns[hash].name)
    }
    for (place, key) in keys.enumerated() {
      guard let key else { continue }
      row.beginColumn()
      row.columns += key
      Self.append(batch.values[place][index], columns[place].type, to: &row.columns)
    }
  }

  private func take(_ value: ParquetValue, to text: inout [UInt8]) -> Bool {
    switch value {
    case .text(let words): text += words.utf8
    case .bytes(let bytes) where TextRule.isUTF8(bytes, 0..<bytes.count): text += bytes
    default: return false
    }
    return true
  }

  private static func append(
    _ value: ParquetValue, _ type: ParquetType, to json: inout [UInt8]
  ) {
    switch value {
    case .null: json += "null".utf8
    case .bool(let flag): json += (flag ? "true" : "false").utf8
    case .int(let number): json += String(number).utf8
    case .float(let number): json += (number.isFinite ? "\(number)" : "null").utf8
    case .double(let number): json += (number.isFinite ? "\(number)" : "null").utf8
    case .text(let words):
      let text = Array(words.utf8)
      if type == .json, appendJSON(text, to: &json) { return }
      JSONText.append(text, to: &json)
    case .bytes(let bytes):
      let isText = TextRule.isUTF8(bytes, 0..<bytes.count)
      JSONText.append(isText ? bytes : Array(ContentHash.hex(bytes).utf8), to: &json)
    case .list(let values):
      json.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { json.append(UInt8(ascii: ",")) }
        append(value, type, to: &json)
      }
      json.append(UInt8(ascii: "]"))
    }
  }

  /// Appends a JSON column's value as what it is; false when it is no JSON.
  private static func appendJSON(_ text: [UInt8], to json: inout [UInt8]) -> Bool {
    var walker = JSONWalker(text, 0..<text.count, isCopying: true)
    let before = json.count
    do throws(JSONFault) {
      try walker.value(into: &json)
      walker.skipSpace()
      if walker.isAtEnd { return true }
    } catch {}  // then it is carried as text
    json.removeLast(json.count - before)
    return false
  }
}
