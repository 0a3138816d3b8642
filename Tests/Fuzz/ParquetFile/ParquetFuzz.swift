import Compression
import FuzzSupport
import ParquetFile

/// Any bytes end in values or in a ``ParquetError``.
@main struct ParquetFuzz {
  static func main() { Fuzz.run(seeds: seeds, test) }

  private static func test(_ bytes: [UInt8]) {
    // Small, so that a mutation which is in order costs little.
    var limits = ParquetLimits()
    limits.page = 1 << 20
    limits.unfoldedBytes = 1 << 20
    limits.batchElements = 20_000
    do {
      let reader = try ParquetReader(bytes: bytes, name: "fuzz.parquet", limits: limits)
      let batches = try reader.batches(rowsPerBatch: 1 + bytes.count % 50)
      // A file may promise rows without end in a few bytes: nulls take none.
      for _ in 0..<50 {
        guard let batch = try batches.next() else { break }
        for values in batch.values where values.count != batch.rowCount { fatalError("ragged") }
      }
    } catch {
      _ = error.description
    }
  }

  /// Beside the fixtures, tables of a few hundred bytes, which are mutated faster.
  private static func seeds() throws -> [[UInt8]] {
    let columns = [
      ParquetColumn("url", .string, isOptional: false), ParquetColumn("n", .int64),
      ParquetColumn("score", .double), ParquetColumn("kept", .bool),
      ParquetColumn("hash", .fixedBytes(3)), ParquetColumn("tags", .string, isList: true),
    ]
    let file = FuzzFile(".parquet")
    defer { file.remove() }
    return try [BlockCodec?.none, .zstd, .snappy].flatMap { codec in
      try columns.map { column in
        let writer = try ParquetWriter(path: file.path, columns: [column], codec: codec)
        try writer.append([(0..<9).map { value($0, of: column) }])
        try writer.finish()
        return file.bytes
      }
    }
  }

  private static func value(_ row: Int, of column: ParquetColumn) -> ParquetValue {
    if column.isList { return .list((0..<row % 3).map { .text("t\($0)") }) }
    if column.isOptional, row % 4 == 3 { return .null }
    return switch column.type {
    case .int64: .int(Int64(row) * 1_000_003)
    case .double: .double(Double(row) / 7)
    case .bool: .bool(row % 2 == 0)
    case .fixedBytes: .bytes([UInt8(row), 0, 255])
    default: .text("u\(row % 5)")
    }
  }
}
