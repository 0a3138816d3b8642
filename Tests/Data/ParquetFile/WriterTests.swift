import Foundation
import ParquetFile
import Testing

/// What the writer refuses, and what it leaves behind.
@Suite struct WriterTests {
  @Test(
    "a value that does not fit is an error that names the column and the row",
    arguments: [
      (ParquetColumn("c", .int32), ParquetValue.int(1 << 31), "int(2147483648)"),
      (ParquetColumn("c", .uint8), .int(256), "int(256)"),
      (ParquetColumn("c", .uint64), .int(-1), "int(-1)"),
      (ParquetColumn("c", .int64), .double(1), "double(1.0)"),
      (ParquetColumn("c", .string), .bytes([1]), "bytes([1])"),
      (ParquetColumn("c", .fixedBytes(2)), .bytes([1]), "bytes([1])"),
      (ParquetColumn("c", .uuid), .text("0123"), "text(\"0123\")"),
      (ParquetColumn("c", .string, isList: true), .text("a"), "text(\"a\")"),
      (ParquetColumn("c", .string), .list([]), "list([])"),
    ])
  func misfit(column: ParquetColumn, value: ParquetValue, words: String) throws {
    try TemporaryFolder.use { folder in
      let path = folder + "/rows.parquet"
      let writer = try ParquetWriter(path: path, columns: [column], rowsPerGroup: 2)
      try writer.append([[.null, .null, .null]])
      do {
        try writer.append([[.null, value]])
        Issue.record("\(value) was written as \(column.type)")
      } catch {
        #expect("\(error)".hasPrefix("\(path): column c, row 4: \(words) in a column"))
      }
    }
  }

  @Test("null in a required column is an error")
  func requiredNull() throws {
    try TemporaryFolder.use { folder in
      let columns = [ParquetColumn("url", .string, isOptional: false)]
      let writer = try ParquetWriter(path: folder + "/rows.parquet", columns: columns)
      #expect {
        try writer.append([[.null]])
      } throws: {
        "\($0)".contains("column url, row 0: null, which the column does not allow")
      }
    }
  }

  @Test("a file that is not finished leaves nothing, not even what it was to replace changed")
  func unfinished() throws {
    try TemporaryFolder.use { folder in
      let path = folder + "/rows.parquet"
      try Data("old".utf8).write(to: URL(fileURLWithPath: path))
      do {
        let writer = try ParquetWriter(path: path, columns: [ParquetColumn("n", .int64)])
        try writer.append([[.int(1)]])
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["rows.parquet"])
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
    }
  }

  @Test("columns that cannot be are refused, and a folder that is not there")
  func refusals() throws {
    try TemporaryFolder.use { folder in
      let path = folder + "/rows.parquet"
      #expect {
        _ = try ParquetWriter(
          path: path, columns: [ParquetColumn("d", .decimal(precision: 5, scale: 2))])
      } throws: { "\($0)".contains("column d: a column of type decimal") }
      #expect {
        _ = try ParquetWriter(
          path: path, columns: [ParquetColumn("n", .int64), ParquetColumn("n", .string)])
      } throws: { "\($0)".contains("column n: two columns have this name") }
      #expect {
        _ = try ParquetWriter(
          path: folder + "/no/rows.parquet", columns: [ParquetColumn("n", .int64)])
      } throws: { "\($0)".hasPrefix("\(folder)/no/rows.parquet: cannot open: No such file") }
    }
  }

  @Test("a dictionary is kept where it pays, and only there")
  func dictionaries() throws {
    try TemporaryFolder.use { folder in
      func size(_ values: [ParquetValue], _ type: ParquetType) throws -> Int {
        let path = folder + "/rows.parquet"
        let column = ParquetColumn("c", type, isOptional: false)
        let writer = try ParquetWriter(
          path: path, columns: [column], codec: nil, rowsPerGroup: 100_000)
        try writer.append([values])
        try writer.finish()
        return try #require(
          try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
      }
      let rows = 0..<50_000
      // 100 labels of 14 bytes: indices of 7 bits instead of 18 bytes each.
      let labels = try size(rows.map { .text("label number \($0 % 100)") }, .string)
      #expect(labels < 50_000)
      // All different: 4 bytes and the text each, and little more.
      let texts = rows.map { "https://example.org/\($0)" }
      let plain = texts.reduce(0) { $0 + $1.utf8.count + 4 }
      #expect(try size(texts.map { .text($0) }, .string) < plain + 2_000)
      // Different at first, then the same over and over; and the other way around.
      let late = rows.map { ParquetValue.text($0 < 9_000 ? "first \($0)" : "the same label") }
      #expect(try size(late, .string) < 50_000 * 18)
      let integers = try size(rows.map { .int(Int64($0 % 3) << 40) }, .int64)
      #expect(integers < 20_000)
      #expect(try size(rows.map { .bool($0 % 2 == 0) }, .bool) < 8_000)
    }
  }
}
