import DurableFiles
import Foundation
import PairDataset
import Testing

@Suite struct DatasetManifestTests {
  let folder: String
  let manifest = DatasetManifest(
    shards: [
      ShardSummary(file: "shards/00000.tar.lz4", pairs: 3, bytes: 1000, sha256: "ab"),
      ShardSummary(
        file: "shards/00001.tar.lz4", pairs: 4, bytes: 2000, sha256: "cd",
        table: "shards/00001.parquet"),
    ], recipeSHA256: "ef",
    funnel: [.init(stage: "ingest", pairs: 9), .init(stage: "shard", pairs: 7)])

  init() throws {
    folder = NSTemporaryDirectory() + "pairloom-manifest-\(UUID().uuidString)"
    try DurableFile.makeFolder(folder)
  }

  @Test("a manifest is read as it was written, and its bytes are fixed")
  func roundTrip() throws {
    let path = folder + "/dataset.json"
    try manifest.write(to: path)
    #expect(try DatasetManifest.read(path) == manifest)
    let text = String(decoding: try DurableFile.read(path), as: UTF8.self)
    let expected = [
      #"{"bytes":3000,"funnel":[{"pairs":9,"stage":"ingest"},{"pairs":7,"stage":"shard"}],"#,
      #""pairs":7,"recipeSHA256":"ef","#,
      #""shards":[{"bytes":1000,"file":"shards/00000.tar.lz4","pairs":3,"sha256":"ab"},"#,
      #"{"bytes":2000,"file":"shards/00001.tar.lz4","pairs":4,"sha256":"cd","#,
      #""table":"shards/00001.parquet"}],"version":1}"#,
    ]
    #expect(text.filter { $0 != " " && $0 != "\n" } == expected.joined())
    #expect(text.hasSuffix("}\n"))
  }

  @Test("a manifest of before there were bytes and tables is read, and counts its shards' bytes")
  func withoutBytes() throws {
    let path = folder + "/old.json"
    try DurableFile.write(
      #"{"version":1,"shards":[{"file":"a.tar","pairs":2,"bytes":9,"sha256":""}],"pairs":2,"#
        + #""recipeSHA256":"","funnel":[]}"#, to: path)
    let old = try DatasetManifest.read(path)
    #expect(old.bytes == 9)
    #expect(old.shards.map(\.table) == [nil])
  }

  /// A manifest of shards that claim `pairs` and `bytes` each, without a sum of bytes.
  static func hostile(pairs: [String], bytes: String = "1", sum: String) -> String {
    let shards = pairs.map { #"{"file":"a.tar","pairs":\#($0),"bytes":\#(bytes),"sha256":""}"# }
    return #"{"version":1,"shards":[\#(shards.joined(separator: ","))],"pairs":\#(sum),"#
      + #""recipeSHA256":"","funnel":[]}"#
  }

  @Test("the largest counts are read")
  func largest() throws {
    let path = folder + "/large.json"
    try DurableFile.write(
      Self.hostile(pairs: ["4503599627370496"], sum: "4503599627370496"), to: path)
    #expect(try DatasetManifest.read(path).pairs == 1 << 52)
  }

  @Test(
    "what is no manifest is refused with the reason",
    arguments: [
      ("{", "it is not JSON"), (#"{"version": 2}"#, "it has version 2"),
      (#"{"shards": []}"#, "version is missing"), (#"{"version": 1}"#, "is missing"),
      (
        #"{"version":1,"shards":[],"pairs":5,"recipeSHA256":"","funnel":[]}"#,
        "not the sum"
      ),
      (
        #"{"version":1,"shards":[],"pairs":0,"bytes":5,"recipeSHA256":"","funnel":[]}"#,
        "bytes are not the sum"
      ),
      (
        #"{"version":1,"shards":[{"file":3}],"pairs":5,"recipeSHA256":"","funnel":[]}"#,
        "wrong type, in shards [0] file"
      ),
      (Self.hostile(pairs: ["9223372036854775807", "1"], sum: "0"), "a count is not in 0 … 2^52"),
      (Self.hostile(pairs: ["4503599627370496", "1"], sum: "4503599627370497"), "a count is not"),
      (Self.hostile(pairs: ["-3", "5"], sum: "2"), "a count is not in 0 … 2^52"),
      (
        Self.hostile(pairs: ["1", "1"], bytes: "9223372036854775807", sum: "2"),
        "a count is not in 0 … 2^52"
      ),
      (
        #"{"version":1,"shards":[],"pairs":0,"bytes":0,"recipeSHA256":"","#
          + #""funnel":[{"stage":"rows","pairs":-1}]}"#, "a count is not in 0 … 2^52"
      ),
    ])
  func refuses(text: String, reason: String) throws {
    let path = folder + "/bad.json"
    try DurableFile.write(text, to: path)
    let error = #expect(throws: ShardError.self) { try DatasetManifest.read(path) }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
  }
}
