import Foundation
import ParquetFile
import Testing

/// The spelling of values that `Fixtures/matrix.py` describes, so that JSON can hold them all.
enum Spelling {
  indirect enum Value: Decodable, Equatable, CustomStringConvertible {
    case null
    case text(String)
    case list([Value])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        self = .null
      } else if let text = try? container.decode(String.self) {  // else it is a list, or an error
        self = .text(text)
      } else {
        self = .list(try container.decode([Value].self))
      }
    }

    var description: String {
      switch self {
      case .null: "null"
      case .text(let text): text
      case .list(let items): "\(items)"
      }
    }
  }

  static func spell(_ value: ParquetValue) -> Value {
    switch value {
    case .null: .null
    case .bool(let value): .text("b:\(value)")
    case .int(let value): .text("i:\(value)")
    case .float(let value): .text(value.isNaN ? "f:nan" : "f:" + hex(value.bitPattern, 8))
    case .double(let value): .text(value.isNaN ? "d:nan" : "d:" + hex(value.bitPattern, 16))
    case .text(let text): .text("t:" + text)
    case .bytes(let bytes): .text("x:" + bytes.map { hex($0, 2) }.joined())
    case .list(let items): .list(items.map(spell))
    }
  }

  static func json(_ value: ParquetValue) -> Any {
    func plain(_ value: Value) -> Any {
      switch value {
      case .null: NSNull()
      case .text(let text): text
      case .list(let items): items.map(plain)
      }
    }
    return plain(spell(value))
  }

  private static func hex(_ value: some FixedWidthInteger, _ digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: digits - text.count) + text
  }

  /// All rows of a file, by the column's name.
  static func read(_ reader: ParquetReader, rowsPerBatch: Int) throws -> [String: [Value]] {
    let batches = try reader.batches(rowsPerBatch: rowsPerBatch)
    var values: [String: [Value]] = [:]
    for column in reader.columns { values[column.name] = [] }
    while let batch = try batches.next() {
      for (index, column) in batch.columns.enumerated() {
        #expect(batch.values[index].count == batch.rowCount)
        values[column.name]?.append(contentsOf: batch.values[index].map(spell))
      }
    }
    return values
  }

  /// Notes where what was read differs from what was expected.
  static func compare(
    _ read: [String: [Value]], _ expected: [String: [Value]], _ file: String
  ) {
    #expect(Set(read.keys) == Set(expected.keys), "\(file)")
    for (name, values) in expected {
      let found = read[name] ?? []
      #expect(found.count == values.count, "\(file), column \(name)")
      // Text of String is equal by canonical equivalence, which damage could hide behind.
      let row = zip(found, values).enumerated().first {
        "\($1.0)".utf8.elementsEqual("\($1.1)".utf8) == false
      }
      if let row {
        Issue.record(
          "\(file), column \(name), row \(row.offset): \(row.element.0), expected \(row.element.1)")
      }
    }
  }
}
