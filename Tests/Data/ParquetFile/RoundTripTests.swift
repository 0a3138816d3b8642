import Compression
import Foundation
import ParquetFile
import Testing

/// Rows written and read again.
@Suite struct RoundTripTests {
  @Test(
    "what is written is read, over several row groups and pages",
    arguments: [nil, BlockCodec.snappy, .zstd, .gzip, .lz4Raw])
  func roundTrip(codec: BlockCodec?) throws {
    try TemporaryFolder.use { folder in
      let path = folder + "/rows.parquet"
      let rows = SampleRows(count: 70_000)
      let writer = try ParquetWriter(
        path: path, columns: rows.columns, codec: codec, rowsPerGroup: 30_000,
        metadata: [("made", "by a test"), ("empty", "")])
      try writer.append(rows.values)
      try writer.finish()

      let reader = try ParquetReader(path: path)
      #expect(reader.columns == rows.columns)
      #expect(reader.rowCount == 70_000)
      #expect(reader.rowGroupCount == 3)
      #expect(reader.metadata == ["made": "by a test", "empty": ""])
      var read = [[ParquetValue]](repeating: [], count: rows.columns.count)
      let batches = try reader.batches(rowsPerBatch: 7_777)
      while let batch = try batches.next() {
        #expect(batch.rowCount == min(7_777, 70_000 - read[0].count))
        for index in read.indices { read[index] += batch.values[index] }
      }
      for (index, column) in rows.columns.enumerated() {
        #expect(read[index] == rows.values[index], "column \(column.name)")
      }
    }
  }

  @Test("the same rows give the same bytes, however they are split over calls")
  func deterministic() throws {
    try TemporaryFolder.use { folder in
      let rows = SampleRows(count: 5_000)
      var files: [[UInt8]] = []
      for step in [5_000, 1, 333] {
        let path = folder + "/\(step).parquet"
        let writer = try ParquetWriter(path: path, columns: rows.columns, rowsPerGroup: 2_000)
        for start in stride(from: 0, to: 5_000, by: step) {
          let end = min(start + step, 5_000)
          try writer.append(rows.values.map { Array($0[start..<end]) })
        }
        try writer.finish()
        files.append([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
      }
      #expect(files[0] == files[1])
      #expect(files[0] == files[2])
    }
  }

  @Test("columns are read by name, in the order asked for")
  func someColumns() throws {
    try TemporaryFolder.use { folder in
      let path = folder + "/rows.parquet"
      let rows = SampleRows(count: 100)
      let writer = try ParquetWriter(path: path, columns: rows.columns)
      try writer.append(rows.values)
      try writer.finish()
      let reader = try ParquetReader(path: path)
      let batches = try reader.batches(columns: ["count", "url"], rowsPerBatch: 1_000)
      let batch = try #require(try batches.next())
      #expect(batch.columns.map(\.name) == ["count", "url"])
      #expect(batch.values == [rows.values[2], rows.values[0]])
      #expect(try batches.next() == nil)
      #expect {
        _ = try reader.batches(columns: ["URL"], rowsPerBatch: 1)
      } throws: { error in
        "\(error)".contains("there is no column URL, but url, caption, count")
      }
    }
  }
}
