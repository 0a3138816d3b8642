import Compression
import Foundation
import ParquetFile

/// Rows of all types that are written and read alike, nulls and repeated values among them.
struct SampleRows {
  let columns = [
    ParquetColumn("url", .string, isOptional: false),
    ParquetColumn("caption", .string),
    ParquetColumn("count", .int64),
    ParquetColumn("width", .int32, isOptional: false),
    ParquetColumn("small", .uint8),
    ParquetColumn("large", .uint64),
    ParquetColumn("score", .double),
    ParquetColumn("half", .float, isOptional: false),
    ParquetColumn("kept", .bool),
    ParquetColumn("json", .json),
    ParquetColumn("hash", .fixedBytes(3)),
    ParquetColumn("bytes", .bytes),
    ParquetColumn("identity", .uuid),
    ParquetColumn("empty", .string),
    ParquetColumn("tags", .string, isList: true),
    ParquetColumn("box", .float, isOptional: false, isList: true),
    ParquetColumn("flags", .bool, isList: true),
  ]
  var values: [[ParquetValue]]

  init(count: Int) {
    values = columns.map { _ in [] }
    for row in 0..<count {
      let cells: [ParquetValue] = [
        .text("https://example.org/\(row)/é.jpg"),
        row % 7 == 0 ? .null : .text("caption \(row % 50)"),
        row % 11 == 0 ? .null : .int(Int64(row) * 0x1_0000_0001),
        .int(Int64(row % 640) - 320),
        .int(Int64(row % 256)),
        row % 2 == 0 ? .text("\(UInt64.max - UInt64(row))") : .int(Int64(row)),
        row % 3 == 0 ? .null : .double(Double(row) / 3),
        .float(Float(row % 5) - 2.5),
        row % 13 == 0 ? .null : .bool(row % 3 == 0),
        .text("{\"row\":\(row % 9)}"),
        row % 4 == 0 ? .null : .bytes([UInt8(row % 256), 0, UInt8(row % 3)]),
        .bytes([UInt8](repeating: UInt8(row % 256), count: row % 5)),
        .text("00112233-4455-6677-8899-aabbccddee\(row % 2 == 0 ? "00" : "ff")"),
        .null,
        row % 6 == 0
          ? .null : .list((0..<row % 4).map { $0 == 2 ? .null : .text("tag \(row % 3 + $0)") }),
        .list((0..<row % 3).map { .float(Float(row + $0)) }),
        row < 20_000 ? .list([.bool(row % 2 == 0)]) : .list([]),
      ]
      for (column, cell) in cells.enumerated() { values[column].append(cell) }
    }
  }
}

extension SampleRows {
  /// The bytes of a file of these rows.
  func file(codec: BlockCodec?) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try TemporaryFolder.use { folder in
      let path = folder + "/rows.parquet"
      let writer = try ParquetWriter(
        path: path, columns: columns, codec: codec, rowsPerGroup: 25, metadata: [("key", "value")])
      try writer.append(values)
      try writer.finish()
      bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
    return bytes
  }
}

/// A folder that is gone after its use.
enum TemporaryFolder {
  static func use(_ body: (String) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "parquet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }  // the system clears what stays
    try body(url.path)
  }
}
