import Foundation
import ParquetFile
import Testing

/// Memory while reading: pages and a batch, not row groups.
@Suite struct StreamingTests {
  @Test("a row group is read by pages: memory does not grow with it")
  func byPages() async throws {
    let path = FileManager.default.temporaryDirectory.path + "/parquet-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }  // the system clears what stays
    // 400,000 rows of 200 bytes in one row group: 80 MB of values.
    let rows = 400_000
    let columns = [ParquetColumn("caption", .string), ParquetColumn("row", .int64)]
    let writer = try ParquetWriter(path: path, columns: columns, codec: nil, rowsPerGroup: rows)
    let filler = String(repeating: "kitten ", count: 27)
    for start in stride(from: 0, to: rows, by: 1_000) {
      try writer.append([
        (start..<start + 1_000).map { .text("\($0) \(filler)") },
        (start..<start + 1_000).map { .int(Int64($0)) },
      ])
    }
    try writer.finish()
    await #expect(processExitsWith: .success) { [path = path as String, rows = rows as Int] in
      let reader = try ParquetReader(path: path)
      guard reader.rowGroupCount == 1, reader.rowCount == rows else { exit(2) }
      let before = try Self.peakKilobytes()
      let batches = try reader.batches(rowsPerBatch: 1_000)
      var row: Int64 = 0
      while let batch = try batches.next() {
        for index in 0..<batch.rowCount {
          guard batch.values[1][index] == .int(row) else { exit(3) }
          row += 1
        }
      }
      guard row == rows else { exit(4) }
      // A page of 1 MiB per column, a batch of 0.3 MB, and what the allocator keeps of them.
      guard try Self.peakKilobytes() - before < 16_000 else { exit(5) }
    }
  }

  static func peakKilobytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM") })
    return try #require(line.split(separator: " ").dropLast().last.flatMap { Int($0) })
  }
}
