import Foundation
import IngestStage
import PipelineCore
import Testing

@Suite struct IngestStageTests {
  /// The same two pairs in every format; the second caption holds all that needs quoting.
  static let nasty = "a \"b\", c\td\r\ne\nü🎨"
  static let lists: [(String, String)] = [
    (
      "x.csv",
      "id,url,caption\n1,http://a.test/1,one\n2,http://a.test/2,\"a \"\"b\"\", c\td\r\ne\nü🎨\"\n"
    ),
    (
      "x.tsv",
      "id\turl\tcaption\r\n1\thttp://a.test/1\tone\r\n2\thttp://a.test/2\t\"a \"\"b\"\", c\td\r\ne\nü🎨\""
    ),
    (
      "x.jsonl",
      "{\"id\":\"1\",\"url\":\"http://a.test/1\",\"caption\":\"one\"}\n\n{\"id\":\"2\",\"url\":\"http:\\/\\/a.test\\/2\",\"caption\":\"a \\\"b\\\", c\\td\\r\\ne\\n\\u00fc\\ud83c\\udfa8\"}"
    ),
  ]

  @Test("every format gives the same rows, with a byte order mark or gzipped too", arguments: lists)
  func formats(_ name: String, _ text: String) async throws {
    let plain = Array(text.utf8)
    for (name, bytes) in [
      (name, plain), (name, [0xEF, 0xBB, 0xBF] + plain), (name + ".gz", try gzipped(plain)),
      (name.uppercased(), plain),
    ] {
      let fixture = try ListFixture()
      defer { fixture.remove() }
      let list = try await fixture.ingest(bytes, name: name)
      let (report, rows, rejects) = (list.report, list.rows, list.rejects)
      #expect(rows.map(\.url) == ["http://a.test/1", "http://a.test/2"])
      #expect(rows.map(\.caption) == ["one", Self.nasty])
      #expect(rows.map(\.columns) == ["1", "2"].map { [.init("id", .string($0))] })
      #expect(rows.map(\.row) == [0, 1])
      #expect(rejects.isEmpty)
      #expect(
        report
          == StageReport(
            input: 2, kept: 2, facts: ["rows": 2, "rejected": 0, "chunks": 1, "files": 1]))
    }
  }

  @Test("a plain list is a URL a line, commas and quotes included, and an empty line is a bad URL")
  func plainList() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let list = try await fixture.ingest(
      "http://a.test/1,\"x\"\r\n\nhttp://a.test/3", name: "x.txt")
    let (report, rows) = (list.report, list.rows)
    #expect(rows.map(\.url) == ["http://a.test/1,\"x\"", "", "http://a.test/3"])
    #expect(rows.map(\.drop?.reason) == [nil, .badURL, nil])
    #expect(rows.allSatisfy { $0.caption.isEmpty })
    #expect(report.dropped == ["bad_url": 1])
  }

  @Test("bad rows are rejected with line and reason, keep their number, and stop nothing")
  func rejects() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let csv: [UInt8] =
      Array("url,caption\nhttp://a.test/0,\"two\nlines\"\nhttp://a.test/1\nhttp://a.test/2,".utf8)
      + [0xFF, 0xFE]
      + Array("\nhttp://a.test/3,x,y\nhttp://a.test/4,ok\nhttp://a.test/5,\"open".utf8)
    let list = try await fixture.ingest(csv, name: "x.csv")
    let (report, rows, rejects) = (list.report, list.rows, list.rejects)
    #expect(rows.map(\.row) == [0, 4])
    #expect(rejects.map { $0["line"]?.integer } == [4, 5, 6, 8])
    #expect(rejects.map { $0["row"]?.integer } == [1, 2, 3, 5])
    #expect(
      rejects.map { $0["reason"]?.text } == [
        "1 fields where the header has 2", "column caption is not UTF-8",
        "3 fields where the header has 2", "a quoted field has no end",
      ])
    #expect(report.facts == ["rows": 6, "rejected": 4, "chunks": 1, "files": 1])
    #expect(report.input == 2)
  }

  @Test(
    "a stray quote costs its own row, near the end of the list or megabytes before it",
    arguments: [3, 60_000])
  func strayQuote(rowsAfter: Int) async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let after = (1...rowsAfter).map { "http://a.test/after/\($0),plain words" }
    let text = "url,caption\nhttp://a.test/0,fine\nhttp://a.test/1,\"open\n"
    let list = try await fixture.ingest(
      text + after.joined(separator: "\n") + "\n", name: "x.csv")
    let (report, rows, rejects) = (list.report, list.rows, list.rejects)
    #expect(rejects.map { $0["line"]?.integer } == [3])
    #expect(rows.map(\.url).first == "http://a.test/0")
    #expect(rows.count == rowsAfter + 1)
    #expect(report.facts["rows"] == rowsAfter + 2)
  }

  @Test(
    "a JSONL line that is no usable object is rejected",
    arguments: [
      "{\"url\":", "[1]", "{\"caption\":\"x\"}", "{\"url\":7}", "{\"url\":null}",
      "{\"url\":\"http://a.test\",\"caption\":[]}", "{\"url\":\"\\ud800\"}", "nul",
      "{\"url\":\"a\"} x", String(repeating: "[", count: 100_000),
    ])
  func badJSON(_ line: String) async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let list = try await fixture.ingest(
      line + "\n{\"url\":\"http://a.test/ok\",\"text\":null}\n", name: "x.jsonl")
    let (rows, rejects) = (list.rows, list.rejects)
    #expect(rejects.map { $0["line"]?.integer } == [1])
    #expect(rows.map(\.row) == [1])
    #expect(rows.map(\.caption) == [""])
  }

  @Test("JSONL columns keep their order and the exact text of their numbers")
  func carriedColumns() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let list = try await fixture.ingest(
      "{\"z\":1.50,\"url\":\"http://a.test\",\"a\":{\"k\":[1e3,null,true]},\"TEXT\":\"c\"}",
      name: "x.jsonl")
    let rows = list.rows
    #expect(
      JSONValue.object(rows[0].columns).serialized == "{\"z\":1.50,\"a\":{\"k\":[1e3,null,true]}}")
  }

  @Test("a URL that an earlier row has under another spelling is its duplicate; bad URLs are not")
  func duplicates() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let urls = [
      "HTTP://A.test:80/x%2f?q#f", "nonsense", "http://a.test/x%2F?q", "nonsense",
      "http://a.test/X%2F?q",
      "http://a.test/x%2F?q#g", "https://a.test/x%2F?q",
    ]
    let list = try await fixture.ingest(
      urls.joined(separator: "\n"), name: "x.txt", chunkRows: 2)
    let (report, rows) = (list.report, list.rows)
    #expect(rows.map(\.drop?.survivor) == [nil, nil, 0, nil, nil, 0, nil])
    #expect(report.dropped == ["bad_url": 2, "duplicate_url": 2])
    #expect(report.facts["chunks"] == 4)
  }

  @Test("chunks hold rows by number, even when all of them were rejected")
  func chunks() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let text = "{\"url\":\"http://a.test/0\"}\nx\nx\nx\n{\"url\":\"http://a.test/4\"}\n"
    let list = try await fixture.ingest(text, name: "x.jsonl", chunkRows: 2)
    let (report, rows) = (list.report, list.rows)
    #expect(report.facts["chunks"] == 3)
    #expect(try JSONLines.read(fixture.folder.chunkTable(1)).isEmpty)
    #expect(rows.map(\.row) == [0, 4])
  }

  @Test("a limit ends the list early; an empty list has no chunk", arguments: [0, 1, 3])
  func limits(_ limit: Int) async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let list = try await fixture.ingest(
      Array("http://a.test/0\nhttp://a.test/1\n".utf8), name: "x.txt", chunkRows: 1, limit: limit)
    let (report, rows) = (list.report, list.rows)
    #expect(rows.count == min(limit, 2))
    #expect(report.facts["chunks"] == min(limit, 2))
    for (name, text) in [
      ("e.csv", ""), ("e.csv", "url,caption\n"), ("e.jsonl", "\n"), ("e.txt", ""),
    ] {
      #expect(try await fixture.ingest(text, name: name).report.facts["rows"] == 0)
    }
  }

  @Test("columns are found by option; a missing one, an unknown format and a cut gzip are errors")
  func listErrors() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let named = try await fixture.ingest(
      Array("link,alt,c\nhttp://a.test/0,shown,cap\n".utf8), name: "x.csv", url: "link",
      caption: "c")
    #expect(named.rows.map(\.caption) == ["cap"])
    await #expect(throws: ListError.self) {
      try await fixture.ingest("link\nhttp://a.test\n", name: "y.csv")
    }
    await #expect(throws: ListError.self) { try await fixture.ingest("x", name: "y.dat") }
    let gzip = try gzipped(Array(String(repeating: "http://a.test/\n", count: 9_999).utf8))
    await #expect(throws: ListError.self) {
      try await fixture.ingest(Array(gzip.dropLast(9)), name: "y.txt.gz")
    }
    await #expect(throws: ListError.self) {
      try await fixture.ingest(Array("http://a.test/".utf8), name: "z.txt.gz")
    }
  }

  @Test("records cut at any piece border are the same", arguments: [",", "\t"])
  func pieces(_ delimiter: String) async throws {
    // 70,000 bytes of quoting after a filler of every length near a piece's border (64 KiB).
    let fixture = try ListFixture()
    defer { fixture.remove() }
    for filler in [65_400, 65_500, 65_517, 65_518, 65_519, 65_520, 65_521, 65_522, 65_523] {
      let long = String(repeating: "x", count: filler)
      let text =
        "url\(delimiter)caption\r\n\(long)\(delimiter)\"q\"\"\r\n\"\"\"\r\nhttp://a.test/\(delimiter)z\r\n"
      let list = try await fixture.ingest(
        text, name: delimiter == "," ? "p.csv" : "p.tsv")
      let (rows, rejects) = (list.rows, list.rejects)
      #expect(rows.map(\.caption) == ["q\"\r\n\"", "z"], "filler \(filler)")
      #expect(rejects.isEmpty)
    }
  }
}
