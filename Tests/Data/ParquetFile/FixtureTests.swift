import Foundation
import ParquetFile
import Testing

/// Files that `Fixtures/make_fixtures.py` wrote with pyarrow or byte by byte, and what they hold.
@Suite struct FixtureTests {
  struct Fixtures: Decodable {
    struct File: Decodable {
      var table: String?
      var unsupported: [String]?
      var error: String?
    }
    var tables: [String: [String: [Spelling.Value]]]
    var files: [String: File]
  }

  static func fixtures() throws -> Fixtures {
    let url = Peers.fixtures.appendingPathComponent("fixtures.json")
    return try JSONDecoder().decode(Fixtures.self, from: Data(contentsOf: url))
  }

  static func path(_ name: String) -> String {
    Peers.fixtures.appendingPathComponent(name + ".parquet").path
  }

  @Test(
    "every fixture holds what pyarrow put there, whatever the batches", arguments: [1, 7, 1_000])
  func values(rowsPerBatch: Int) throws {
    let fixtures = try Self.fixtures()
    var count = 0
    for (name, file) in fixtures.files {
      guard let table = file.table, let expected = fixtures.tables[table] else { continue }
      let reader = try ParquetReader(path: Self.path(name))
      #expect(reader.unsupportedColumns.map(\.name) == file.unsupported ?? [], "\(name)")
      let read = try Spelling.read(reader, rowsPerBatch: rowsPerBatch)
      Spelling.compare(read, expected, name)
      count += 1
    }
    #expect(count == 15)
  }

  @Test("what cannot be read is named in the error")
  func errors() throws {
    var count = 0
    for (name, file) in try Self.fixtures().files {
      guard let words = file.error else { continue }
      #expect {
        _ = try Spelling.read(try ParquetReader(path: Self.path(name)), rowsPerBatch: 10)
      } throws: { error in
        "\(error)".contains(words) && "\(error)".contains("\(name).parquet")
      }
      count += 1
    }
    #expect(count == 7)
  }

  @Test("what is not encrypted is read beside what is")
  func besideEncrypted() throws {
    let reader = try ParquetReader(path: Self.path("encrypted-column"))
    let batch = try reader.batches(columns: ["open"], rowsPerBatch: 10).next()
    #expect(batch?.values == [[.int(1), .int(2)]])
  }

  @Test("types, metadata and the writer are given")
  func schema() throws {
    let reader = try ParquetReader(path: Self.path("some-plain-v1-none"))
    let types = Dictionary(uniqueKeysWithValues: reader.columns.map { ($0.name, $0.type) })
    #expect(types["uint32"] == .uint32)
    #expect(types["half"] == .float16)
    #expect(types["fixed"] == .fixedBytes(5))
    #expect(types["identity"] == .uuid)
    #expect(types["json"] == .json)
    #expect(types["date"] == .date)
    #expect(types["time_ns"] == .time(.nanos))
    #expect(types["stamp_us"] == .timestamp(.micros, isUTC: false))
    #expect(types["stamp_ms_utc"] == .timestamp(.millis, isUTC: true))
    #expect(types["decimal_76_30"] == .decimal(precision: 76, scale: 30))
    #expect(types["list_words"] == .string)
    #expect(reader.columns.allSatisfy { $0.isList == $0.name.hasPrefix("list_") && $0.isOptional })
    #expect(reader.metadata["ARROW:schema"] != nil)
    #expect(reader.createdBy?.hasPrefix("parquet-cpp-arrow version") == true)
    let required = try ParquetReader(path: Self.path("none-split-v2-none"))
    #expect(required.columns.allSatisfy { !$0.isOptional })
  }

  @Test("files that are none are refused, and the words say why")
  func noParquet() throws {
    func words(_ bytes: [UInt8]) -> String {
      do {
        _ = try ParquetReader(bytes: bytes, name: "list.parquet")
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Self.path("int96"))))
    #expect(words([]).contains("list.parquet: footer: not a Parquet file: it has only 0 bytes"))
    #expect(words(Array("url,caption\na,b\n".utf8)).contains("does not begin with PAR1"))
    #expect(words(Array(whole.dropLast(9))).contains("does not end with PAR1"))
    #expect(words(whole.dropLast(8) + [255, 255, 255, 127] + whole.suffix(4)).contains("longer"))
    #expect {
      _ = try ParquetReader(path: "/no/such/file.parquet")
    } throws: { error in
      "\(error)".contains("/no/such/file.parquet: cannot open it: No such file")
    }
  }
}

/// Files that ask for more memory than their size warrants.
@Suite struct BoundTests {
  private func read(_ name: String, rows: Int, _ change: (inout ParquetLimits) -> Void) throws {
    var limits = ParquetLimits()
    change(&limits)
    let path = FixtureTests.path(name)
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    let reader = try ParquetReader(bytes: bytes, name: name, limits: limits)
    let batches = try reader.batches(rowsPerBatch: rows)
    while try batches.next() != nil {}
  }

  @Test("a page beyond the bound is refused before it is unpacked")
  func pages() {
    #expect {
      try read("some-plain-v1-none", rows: 10) { $0.page = 100 }
    } throws: { "\($0)".contains("bytes, of at most 100") }
  }

  @Test("strings that share prefixes are bounded by the batch, so fewer rows help")
  func unfolding() throws {
    #expect {
      try read("some-delta-v2-zstd", rows: 60) { $0.unfoldedBytes = 1_500 }
    } throws: { "\($0)".contains("of more than 1500 bytes in a batch. Ask for fewer rows") }
    try read("some-delta-v2-zstd", rows: 10) { $0.unfoldedBytes = 1_500 }
  }

  @Test("lists are bounded by the batch, so fewer rows help")
  func lists() throws {
    #expect {
      try read("some-plain-v1-none", rows: 60) { $0.batchElements = 60 }
    } throws: { "\($0)".contains("more than 60 elements in a batch. Ask for fewer rows") }
    try read("some-plain-v1-none", rows: 5) { $0.batchElements = 60 }
  }
}
