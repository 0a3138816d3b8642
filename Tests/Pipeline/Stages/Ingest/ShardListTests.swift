import Foundation
import IngestStage
import PairDataset
import ParquetFile
import PipelineCore
import SeededRandom
import Testing

/// Lists that are no text: WebDataset shards and Parquet files.
@Suite struct ShardListTests {
  /// Pairs as a foreign shard may hold them: with a URL, without, with a uid, without JSON.
  static func pairs() -> [Pair] {
    var random = RandomStream(seed: 11)
    func picture(_ bytes: Int) -> [UInt8] {
      (0..<bytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
    return [
      Pair(
        key: "0000", caption: "with a URL", image: picture(5_000),
        metadata: Array(#"{"url":"HTTP://a.test/0","width":7,"x":[1]}"#.utf8)),
      Pair(
        key: "0001", caption: "without", image: picture(700_000), imageExtension: "webp",
        metadata: Array(#"{"width":8.5}"#.utf8)),
      Pair(
        key: "0002", caption: "named", image: picture(1), imageExtension: "png",
        metadata: Array(#"{"url":null,"uid":"0a1b2c"}"#.utf8)),
      Pair(
        key: "0003", caption: "bad name", image: picture(1_500_000),
        metadata: Array(#"{"url":"nonsense","uid":"../etc"}"#.utf8)),
      Pair(
        key: "0004", caption: "with a URL", image: picture(10),
        metadata: Array(#"{"url":"http://a.test:80/0"}"#.utf8)),
    ]
  }

  static func shard(in folder: String, _ compression: ShardCompression) throws -> String {
    let writer = try ShardWriter(folder: folder, name: "00000", compression: compression)
    for pair in pairs() { try writer.append(pair) }
    return folder + "/" + (try writer.finish()).file
  }

  @Test(
    "a shard's pairs are taken with their pictures, plain or compressed",
    arguments: ["tar", "lz4", "gz", "zst", "1.lz4"])
  func shards(_ form: String) async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    var path = try Self.shard(in: fixture.path, form == "lz4" ? .lz4 : .none)
    let plain = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    switch form {
    case "gz": path = try fixture.write(try gzipped(plain), to: "x.tar.gz")
    case "zst": path = try fixture.write(try zstandard(plain), to: "x.tar.zst")
    // One frame for all, as lz4(1) makes it.
    case "1.lz4": path = try fixture.write(try piped(["lz4", "-c"], plain), to: "x.tar.lz4")
    default: break
    }
    let list = try await fixture.ingest(IngestOptions(input: path))
    let pairs = Self.pairs()
    #expect(list.rejects.isEmpty)
    #expect(list.rows.map(\.caption) == pairs.map(\.caption))
    #expect(list.rows.map(\.url) == ["HTTP://a.test/0", "", "", "nonsense", "http://a.test:80/0"])
    #expect(list.rows.map { $0.drop?.survivor } == [nil, nil, nil, nil, 0])
    #expect(list.report.dropped == ["duplicate_url": 1])
    // The rule for any shard's pair; a uid that is no name of ours is passed over.
    var expected = pairs.map { PairIdentity.uid(of: $0) }
    expected[3] = PairIdentity.uid(
      of: Pair(key: "", caption: pairs[3].caption, image: pairs[3].image, metadata: []))
    #expect(list.rows.map(\.uid) == expected)
    #expect(try fixture.columns().prefix(2) == ["width:double", "x:json"])
    // Each alone, then in order and backwards with one reader.
    let sources = try list.rows.map { try #require($0.picture) }
    #expect(try sources.map { try $0.read() } == pairs.map(\.image))
    var reader = TarMemberReader()
    for index in Array(0..<5) + [3, 0, 4, 1] {
      #expect(try sources[index].read(with: &reader) == pairs[index].image)
    }
    #expect(sources.map(\.key) == pairs.map(\.key))
    // The lines are those of the value that others read, to the byte.
    let table = try String(contentsOfFile: fixture.folder.chunkTable(0), encoding: .utf8)
    #expect(table == list.rows.map { $0.json.serialized + "\n" }.joined())
  }

  @Test("a sample without a picture and one with broken JSON are rejected; a cut shard is an error")
  func badSamples() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    for (name, text) in [
      ("a.txt", "no picture"), ("b.jpg", "picture"), ("b.json", "{"), ("c.jpg", "picture"),
      ("c.json", #"{"text":"from JSON"}"#), ("d.jpg", "picture"),
    ] {
      try fixture.write(text, to: "in/" + name)
    }
    let bytes = try piped(
      [
        "tar", "-C", fixture.path + "/in", "--sort=name", "-cf", "-", "a.txt", "b.jpg", "b.json",
        "c.jpg", "c.json", "d.jpg",
      ], [])
    let list = try await fixture.ingest(bytes, name: "x.tar")
    #expect(list.rows.map(\.caption) == ["from JSON", ""])
    #expect(list.rejects.map { $0["line"]?.integer } == [1, 2])
    for cut in [bytes.count / 2, 700] {
      await #expect(throws: ListError.self) {
        try await fixture.ingest(Array(bytes[..<cut]), name: "cut.tar")
      }
    }
    await #expect(throws: ListError.self) {
      try await fixture.ingest(bytes, name: "x.tar.gz")
    }
  }

  @Test("a folder with shards gives these alone, not the tables beside them")
  func folder() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let folder = fixture.path + "/in"
    try fixture.write("{\"count\": 5}", to: "in/00000_stats.json")
    _ = try Self.shard(in: folder, .none)
    let list = try await fixture.ingest(IngestOptions(input: folder))
    #expect(list.report.facts["rows"] == 5 && list.report.facts["files"] == 1)
  }

  @Test("a Parquet list gives its values with their types; nulls are rejected or empty")
  func parquet() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let path = fixture.path + "/x.parquet"
    let writer = try ParquetWriter(
      path: path,
      columns: [
        ParquetColumn("id", .int64), ParquetColumn("url", .string), ParquetColumn("text", .string),
        ParquetColumn("score", .double), ParquetColumn("ok", .bool), ParquetColumn("meta", .json),
        ParquetColumn("boxes", .float, isList: true), ParquetColumn("raw", .bytes),
        ParquetColumn("sha256", .string),
      ], rowsPerGroup: 2)
    let hash = String(repeating: "AB", count: 32)
    try writer.append([
      [.int(1), .int(.min), .null],
      [.text("http://a.test/\u{fc}"), .null, .text("http://a.test/%C3%BC")],
      [.text("a\"b"), .text("x"), .null], [.double(0.5), .double(1e300), .double(.nan)],
      [.bool(true), .null, .bool(false)],
      [.text("{ \"k\" : [1] }"), .null, .text("broken")],
      [.list([.float(0.25), .null]), .null, .list([])],
      [.bytes([0xFF, 0x01]), .null, .bytes(Array("ok".utf8))],
      [.text(hash), .text(hash), .text(hash)],
    ])
    try writer.finish()
    let list = try await fixture.ingest(IngestOptions(input: path, hashColumn: "sha256"))
    #expect(list.rows.map(\.row) == [0, 2])
    #expect(list.rejects.map { $0["line"]?.integer } == [2])
    #expect(list.rows.map(\.caption) == ["a\"b", ""])
    #expect(list.rows.map { $0.drop?.survivor } == [nil, 0])
    #expect(list.rows.map(\.expectedHash) == [hash.lowercased(), hash.lowercased()])
    #expect(
      list.rows.map { JSONValue.object($0.columns).serialized } == [
        #"{"id":1,"score":0.5,"ok":true,"meta":{"k":[1]},"boxes":[0.25,null],"raw":"ff01","sha256":"\#(hash)"}"#,
        #"{"id":null,"score":null,"ok":false,"meta":"broken","boxes":[],"raw":"ok","sha256":"\#(hash)"}"#,
      ])
    #expect(
      try fixture.columns() == [
        "id:int", "score:double", "ok:bool", "meta:json", "boxes:json", "raw:string",
        "sha256:string",
      ])
    for options in [
      IngestOptions(input: path, urlColumn: "score"), IngestOptions(input: path, urlColumn: "none"),
      IngestOptions(input: path, captionColumn: "boxes"),
    ] {
      await #expect(throws: ListError.self) { try await fixture.ingest(options) }
    }
    await #expect(throws: ListError.self) {
      try await fixture.ingest(Array("PAR1 not so".utf8), name: "y.parquet")
    }
  }
}
