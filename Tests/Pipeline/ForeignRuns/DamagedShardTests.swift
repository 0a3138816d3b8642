import DurableFiles
import ForeignRuns
import Foundation
import PipelineCore
import Testing
import URLPipeline

/// Shards that img2dataset did not end, and those whose files disagree or are damaged.
@Suite struct DamagedShardTests {
  private static let rows: [ImportWeb.Row] = [
    .ok(0), .ok(1), .failed("/gone/2", "HTTP Error 404: Not Found"),
  ]
  private static let whole: [ImportWeb.Row] = [.ok(10), .ok(11)]

  private func web(_ parts: ImportWeb.Parts = .all) throws -> ImportWeb {
    let web = try ImportWeb()
    try web.write(0, Self.rows, to: "i2d", parts)
    try web.write(1, Self.whole, to: "i2d")
    return web
  }

  @Test("a shard without stats is not done: its successes are asked for again")
  func withoutStats() async throws {
    let web = try web([.tar, .table])
    let outcome = try await web.load("i2d", into: "run")
    #expect((outcome.unfinished, outcome.pairs, outcome.rows, outcome.transient) == (1, 2, 5, 2))
    #expect(outcome.findings.contains { $0.shard == "00000" && $0.words.contains("did not end") })
    #expect(try await web.verify("run").isWhole)
    try await web.retry("run")
    #expect(try web.pairs("run").map(\.key) == ["000010", "000011", "000000", "000001"])
    #expect(try await web.verify("run").isWhole)
    // Where the person says that it is whole, it is read to its end and taken.
    let trusted = try await web.load("i2d", into: "trusted", withoutStats: true)
    #expect((trusted.unfinished, trusted.pairs, trusted.transient) == (0, 4, 0))
  }

  @Test(
    "a tar that is cut is not taken, and its successes are asked for again",
    arguments: [1, 700, 2_000])
  func cut(_ left: Int) async throws {
    let web = try web()
    let tar = web.folder + "/i2d/00000.tar"
    try DurableFile.write(Array(try DurableFile.read(tar).prefix(left)), to: tar)
    let outcome = try await web.load("i2d", into: "run")
    #expect((outcome.unfinished, outcome.pairs, outcome.transient) == (1, 2, 2))
    #expect(outcome.findings.contains { $0.words.contains("its tar is not taken") })
    #expect(!DurableFile.exists(web.folder + "/run/shards/00000.tar"))
    #expect(DurableFile.exists(tar))
    #expect(try await web.verify("run").isWhole)
  }

  @Test("of a shard without tar, table, or both, what is known is kept and the rest is told")
  func missingParts() async throws {
    let noTar = try web([.table, .stats])
    #expect(try await noTar.load("i2d", into: "run").transient == 2)
    #expect(try await noTar.verify("run").isWhole)
    let noTable = try web([.tar, .stats])
    let outcome = try await noTable.load("i2d", into: "run")
    #expect((outcome.pairs, outcome.rows) == (4, 4))
    #expect(outcome.findings.contains { $0.words.contains("1 rows of 3 are not known") })
    #expect(try await noTable.verify("run").isWhole)
    let row = try PairTable.read(noTable.folder + "/run/shards/00000.parquet")[1]
    #expect(row["caption"]?.text == "caption 1" && row["note"]?.text == "note 1")
    let onlyStats = try web([.stats])
    let lost = try await onlyStats.load("i2d", into: "run")
    #expect((lost.pairs, lost.rows, lost.unfinished) == (2, 2, 1))
    #expect(try await onlyStats.verify("run").isWhole)
  }

  @Test("where table and tar disagree the tar's word wins")
  func disagreement() async throws {
    let web = try ImportWeb()
    var lost = ImportWeb.Row.ok(0)
    lost.picture = nil
    var found = ImportWeb.Row.failed("/ok/1", "HTTP Error 404: Not Found")
    found.picture = ImportWeb.picture(1)
    try web.write(0, [lost, found, .ok(2)], to: "i2d", counted: 5)
    let outcome = try await web.load("i2d", into: "run")
    #expect((outcome.pairs, outcome.transient) == (2, 1))
    let words = outcome.findings.map(\.words)
    #expect(words.contains { $0.contains("no picture of 1 rows") })
    #expect(words.contains { $0.contains("1 pairs that are no success") })
    #expect(words.contains { $0.contains("counts 5 rows, its table has 3") })
    #expect(try web.pairs("run").map(\.key) == ["000001", "000002"])
    #expect(try await web.verify("run").isWhole)
    try await web.retry("run")
    #expect(try web.pairs("run").last?.key == "000000")
  }

  @Test("what is no picture, or another than its hash says, is left out of a new tar")
  func badPictures() async throws {
    let web = try ImportWeb()
    var page = ImportWeb.Row.ok(0)
    page.picture = Array("words, and no picture".utf8)
    page.width = nil
    var raw = ImportWeb.Row.ok(1)
    raw.width = nil
    try web.write(0, [page, raw, .ok(2)], to: "i2d")
    let outcome = try await web.load("i2d", into: "run")
    #expect((outcome.pairs, outcome.linked) == (2, 0))
    #expect(outcome.failures == [.notAnImage: 1])
    #expect(try web.pairs("run").map(\.key) == ["000001", "000002"])
    #expect(try await web.verify("run").isWhole)
  }

  @Test("numbers without a shard, other digits and shards of any length keep their names and rows")
  func numbering() async throws {
    let web = try ImportWeb()
    try web.write(2, [.ok(0), .ok(1)], to: "i2d", digits: 8)
    try web.write(
      4, [.failed("/late/2", "HTTP Error 503: Service Unavailable"), .ok(3)], to: "i2d", digits: 8)
    let outcome = try await web.load("i2d", into: "run", ["number_sample_per_shard=10"])
    #expect((outcome.gaps, outcome.shards, outcome.rows) == (3, 2, 4))
    #expect(try await web.verify("run").isWhole)
    web.heal()
    try await web.retry("run", where: "row = 40")
    #expect(
      try web.pairs("run").map(\.key) == ["000000020", "000000021", "000000041", "000000040"])
    #expect(try await web.verify("run").isWhole)
  }

  @Test("a row without caption, and tables without hashes, are rows like others")
  func sparse() async throws {
    let web = try ImportWeb()
    var bare = ImportWeb.Row.ok(0)
    bare.caption = nil
    try web.write(0, [bare, .ok(1)], to: "i2d", hasHash: false)
    let outcome = try await web.load("i2d", into: "run")
    #expect((outcome.pairs, outcome.withoutSHA256) == (2, 2))
    #expect(try await web.verify("run").isWhole)
    let rows = try PairTable.read(web.folder + "/run/shards/00000.parquet")
    #expect(rows.allSatisfy { $0["sha256"] == nil })
  }

  @Test("changed bytes in tar, table or stats end an import in a run or an error, never in a crash")
  func mutations() async throws {
    let web = try web()
    var generator = SystemSeed(state: 7)
    let original = try web.files("i2d")
    let isLong = ProcessInfo.processInfo.environment["PAIRLOOM_LONG"] != nil
    for round in 0..<(isLong ? 300 : 15) {
      for (name, bytes) in original {
        try DurableFile.write(bytes, to: "\(web.folder)/i2d/\(name)")
      }
      let name = ["00000.tar", "00000.parquet", "00000_stats.json"][round % 3]
      var bytes = original[name] ?? []
      for _ in 0...Int(generator.next() % 4) {
        bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(
          truncatingIfNeeded: generator.next())
      }
      if round % 5 == 0 { bytes.removeLast(Int(generator.next() % UInt64(bytes.count))) }
      try DurableFile.write(bytes, to: "\(web.folder)/i2d/\(name)")
      let run = "run-\(round)"
      do {
        _ = try await web.load("i2d", into: run)
        let report = try await web.verify(run)
        #expect(report.isWhole, "round \(round), \(name): \(report.problems)")
      } catch is ImportError {
        continue
      }
    }
  }
}

/// A xorshift generator (Marsaglia 2003), the same everywhere.
struct SystemSeed {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
