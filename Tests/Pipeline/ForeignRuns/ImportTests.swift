import DurableFiles
import ForeignRuns
import Foundation
import JobLedger
import PairDataset
import PipelineCore
import Testing
import URLPipeline

/// Folders of img2dataset as runs.
@Suite struct ImportTests {
  /// Two shards with every kind of fate.
  static let first: [ImportWeb.Row] = [
    .ok(0), .failed("/late/1", "HTTP Error 503: Service Unavailable"), .ok(2),
    .failed("/gone/3", "HTTP Error 404: Not Found"),
    .failed("/ok/4", "Image decoding error", status: "failed_to_resize"),
    .failed("/ok/5", "Use of image disallowed by X-Robots-Tag directive"),
    .failed("no url", "unknown url type: 'no url'"), .ok(7), .ok(8),
    .failed("/ok/9", "<urlopen error timed out>"),
  ]
  static let second: [ImportWeb.Row] = [.ok(10), .ok(11), .failed("/ok/12", "no words of mine")]

  private func web() throws -> ImportWeb {
    let web = try ImportWeb()
    try web.write(0, Self.first, to: "i2d")
    try web.write(1, Self.second, to: "i2d")
    return web
  }

  @Test("a folder is a finished run with img2dataset's own counts, and nothing in it changes")
  func whole() async throws {
    let web = try web()
    let before = try web.files("i2d")
    let outcome = try await web.load("i2d", into: "run")
    #expect(try web.files("i2d") == before)
    #expect(outcome.findings.isEmpty)
    #expect((outcome.shards, outcome.linked, outcome.rows, outcome.pairs) == (2, 2, 13, 6))
    #expect(
      outcome.failures == [
        .httpStatus: 2, .corrupt: 1, .robots: 1, .badURL: 1, .timeout: 1, .protocolError: 1,
      ])
    #expect((outcome.transient, outcome.mayHeal) == (2, 5))
    let report = try await web.verify("run")
    #expect(report.isWhole, "\(report.problems)")
    #expect(report.pairs == 6)
    let status = try await PipelineRun.status(folder: web.folder + "/run")
    #expect(status.isFinished && status.quarantined.isEmpty)
    #expect(status.funnel.map(\.pairs) == [13, 7, 6, 6, 6, 6])
    #expect(status.failures.values.reduce(0, +) == 7 && status.transient == 2)
    #expect(
      try web.pairs("run").map(\.key) == [
        "000000", "000002", "000007", "000008", "000010", "000011",
      ])
    // The tables say what img2dataset's say, word for word.
    for number in 0...1 {
      let name = "\(RunFolder.digits(number)).parquet"
      let (old, new) = (
        try PairTable.read("\(web.folder)/i2d/\(name)"),
        try PairTable.read("\(web.folder)/run/shards/\(name)")
      )
      #expect(
        old.map { $0.members.map(\.key).sorted() } == new.map { $0.members.map(\.key).sorted() })
      for (one, other) in zip(old, new) {
        for member in one.members { #expect(other[member.key] == member.value) }
      }
      let stats = try JSONValue.parse(
        DurableFile.read("\(web.folder)/i2d/\(RunFolder.digits(number))_stats.json"))
      let mine = try JSONValue.parse(
        DurableFile.read("\(web.folder)/run/shards/\(RunFolder.digits(number))_stats.json"))
      for key in ["count", "successes", "failed_to_download", "failed_to_resize"] {
        #expect(mine[key] == stats[key], "\(key) of shard \(number)")
      }
    }
  }

  @Test("what heals goes into a further shard under img2dataset's key, and no old byte changes")
  func healing() async throws {
    let web = try web()
    try await web.load("i2d", into: "run")
    let before = try web.files("run/shards").filter { $0.key != "__len__" }
    web.heal()
    let outcome = try await web.retry("run")
    #expect(outcome.status.retried == 2 && outcome.status.pairs("kept") == 8)
    for (name, bytes) in before {
      #expect(try DurableFile.read("\(web.folder)/run/shards/\(name)") == bytes)
    }
    #expect(try web.pairs("run").suffix(2).map(\.key) == ["000001", "000009"])
    let report = try await web.verify("run")
    #expect(report.isWhole, "\(report.problems)")
    // A 404 and a picture that Python could not read, for whoever asks.
    try await web.retry("run", where: "status = 404 OR reason = 'corrupt'")
    #expect(try web.pairs("run").suffix(2).map(\.key) == ["000003", "000004"])
    #expect(try await web.verify("run").isWhole)
    let rows = try PairTable.read("\(web.folder)/run/shards/00003.parquet")
    #expect(rows.map { $0["note"]?.text } == ["note 3", "note 4"])
  }

  @Test("a healed pair is dropped where a shard holds its bytes, unless dedup is off")
  func duplicates() async throws {
    let web = try ImportWeb()
    // Twice in the shards, as img2dataset leaves it, and a third time as a failure.
    try web.write(
      0, [.ok(3), .ok(3), .failed("/late/3", "HTTP Error 503: Service Unavailable")], to: "i2d")
    try await web.load("i2d", into: "exact")
    try await web.load("i2d", into: "off", ["dedup=off"])
    #expect(try web.pairs("exact").count == 2)
    web.heal()
    let exact = try await web.retry("exact")
    #expect(exact.status.failures == ["duplicate_bytes": 1])
    #expect(try web.pairs("exact").count == 2)
    try await web.retry("off")
    #expect(try web.pairs("off").map(\.key) == ["000000", "000001", "000002"])
    for name in ["exact", "off"] { #expect(try await web.verify(name).isWhole) }
  }

  @Test("our own layout of that name imports as well, its supplementary shards included")
  func ownLayout() async throws {
    let web = try ImportWeb()
    let paths = (0..<8).map { "/ok/\($0)" } + ["/late/8", "/gone/9", "/ok/3", "/ok/11"]
    let list = "\(web.folder)/list.csv"
    try DurableFile.write(
      "url,caption\n" + paths.map { "\(web.server.url($0)),words for \($0)\n" }.joined(), to: list)
    let recipe = try PipelineRecipe(
      yaml: "", path: "test",
      overrides: [
        "input=\(list)", "allow_addresses=127.0.0.0/8", "chunk_rows=10", "image_size=16",
        "download.attempts=1", "layout=img2dataset", "encode_format=png", "resize_mode=border",
      ])
    _ = try await PipelineRun(recipe: recipe, folder: web.folder + "/own", workers: 1).run()
    let outcome = try await web.load("own/shards", into: "run")
    #expect(outcome.findings.isEmpty)
    #expect(outcome.failures == [.httpStatus: 2, .duplicateURL: 1])
    #expect((outcome.rows, outcome.pairs) == (12, 9))
    #expect(try web.pairs("run") == web.pairs("own"))
    #expect(try await web.verify("run").isWhole)
    for name in ["00000.parquet", "00001.parquet"] {
      #expect(
        try PairTable.read("\(web.folder)/run/shards/\(name)")
          == PairTable.read("\(web.folder)/own/shards/\(name)"))
    }
  }

  @Test("an import that stops anywhere is repeated by the same call, to the same files")
  func repetition() async throws {
    let web = try web()
    try await web.load("i2d", into: "whole")
    struct Stop: Error {}
    // Killed behind the first shard, as the marker and the files tell.
    try await web.load("i2d", into: "run")
    let run = web.folder + "/run"
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "dataset.json"] {
      try DurableFile.remove("\(run)/\(name)")
    }
    try DurableFile.remove("\(run)/shards/00001.tar")
    try DurableFile.write("half", to: "\(run)/chunks/00007.jsonl")
    try DurableFile.write(
      "{\"program\":\"img2dataset\",\"folder\":\"\(web.folder)/i2d\"}\n", to: "\(run)/import.json")
    await #expect(throws: ImportError.otherImport(folder: run, from: web.folder + "/i2d")) {
      try web.write(0, Self.second, to: "other")
      try await web.load("other", into: "run")
    }
    let outcome = try await web.load("i2d", into: "run")
    #expect(outcome.pairs == 6)
    for part in ["chunks", "fetched", "decoded", "deduplicated", "shards"] {
      #expect(try web.files("run/" + part) == web.files("whole/" + part), "\(part)")
    }
    #expect(try await web.verify("run").isWhole)
    // Killed behind the ledger's transaction: only the marker is left over.
    try DurableFile.write(
      "{\"program\":\"img2dataset\",\"folder\":\"\(web.folder)/i2d\"}\n", to: "\(run)/import.json")
    #expect(try await web.load("i2d", into: "run").wasEnded)
    #expect(!DurableFile.exists("\(run)/import.json"))
    await #expect(throws: ImportError.holdsRun(folder: run)) {
      try await web.load("i2d", into: "run")
    }
  }

  @Test("what is no folder of webdataset shards is refused with what to do")
  func refusals() async throws {
    let web = try ImportWeb()
    func refusal(_ name: String, _ files: [String]) async throws -> String {
      try FileManager.default.createDirectory(
        atPath: "\(web.folder)/\(name)", withIntermediateDirectories: true)
      for file in files { try DurableFile.write("x", to: "\(web.folder)/\(name)/\(file)") }
      do {
        try await web.load(name, into: "new")
        return ""
      } catch let error as ImportError {
        #expect(!DurableFile.exists("\(web.folder)/new"))
        return "\(error)"
      }
    }
    #expect(try await refusal("nothing", []).contains("there are no shards"))
    #expect(
      try await refusal("files", ["00000", "00000.parquet", "00000_stats.json"])
        .contains("(cd 00000 && tar --sort=name -cf ../00000.tar *)"))
    #expect(
      try await refusal("records", ["00000.tfrecord", "00000.parquet"]).contains("tfrecord"))
    #expect(
      try await refusal("parquet", ["00000.parquet", "00000_stats.json"]).contains("parquet"))
    #expect(try await refusal("dummy", ["00000_stats.json"]).contains("no pictures"))
    #expect(try await refusal("twice", ["00000.tar", "000000.tar"]).contains("one shard"))
    #expect(try await refusal("gaps", ["99999.tar"]).contains("begin at 0"))
    #expect(try await refusal("run", ["ledger.sqlite"]).contains("a Pairloom run already"))
    let full = try self.web()
    try DurableFile.write("mine", to: full.folder + "/mine")
    await #expect(throws: ImportError.notEmpty(folder: full.folder, file: "i2d")) {
      try await RunImporter.importImg2dataset(full.folder + "/i2d", to: full.folder)
    }
    for setting in ["layout=pairloom", "model=x.safetensors", "chunk_rows=3", "chunk_rows=11"] {
      await #expect(throws: ImportError.self, "\(setting)") {
        try await full.load("i2d", into: "new-\(setting)", [setting])
      }
    }
  }
}
