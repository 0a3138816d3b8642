import Foundation
import PairDataset
import PipelineCore
import SeededRandom
import Testing

/// Decisions by scores of bytes, as a user asks for them.
@Suite(.serialized) struct PrecisionCommandTests {
  static let int8 = ["--precision", "int8", "--top-fraction", "0.4"]

  static func rows(_ folder: String) throws -> [JSONValue] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      .flatMap { try PairTable.read("\(folder)/\($0)") }
  }

  @Test("int8 without a cut, and a cut without int8, end with 2 and say what to do instead")
  func usage() throws {
    for (options, words) in [
      (["--precision", "int8"], "--top-fraction F"),
      (["--min-score", "0.2"], "is the filter's"), (["--audit-share", "0.1"], "is the filter's"),
      (["--precision", "int8", "--min-score", "0.2", "--top-fraction", "0.5"], "one of them"),
      (["--precision", "int8", "--top-fraction", "1.5"], "give 0 to 1"),
      (["--precision", "int8", "--min-score", "nan"], "between -1 and 1"),
    ] {
      let result = try Program.run(
        ["score", "none.tar", "--model", "scenes", "--out", "none"] + options)
      #expect(result.status == 2 && result.error.contains(words), "\(options): \(result.error)")
    }
  }

  @Test("tables decide as float32 does; killed and shared by processes they are the same")
  func killed() throws {
    // More pairs than the audit's sample.
    let scenes = try ScoreCommandTests.Scenes(rows: 900, perShard: 150)
    let root = scenes.folder.path
    let begin = Date()
    let whole = try scenes.score(root + "/whole", Self.int8 + ["--json"])
    let seconds = Date().timeIntervalSince(begin)
    #expect(whole.status == 0, "\(whole.error)")
    let json = try JSONValue.parse(Array(whole.output.utf8))
    let pairs = try #require(json["pairs"]?.integer)
    let audit = try #require(json["audit"])
    #expect(audit["is_derived"] == .bool(false) && audit["sampled"]?.integer == 256)
    #expect(audit["rescored"]?.integer ?? 0 > 0 && audit["beyond_bound"] != nil)
    #expect(json["rescored_here"]?.integer == 256 + (audit["rescored"]?.integer ?? 0))
    // ceil(0.4·n) of them, the best by float32; of equal scores the lower keys.
    #expect(try scenes.score(root + "/exact").status == 0)
    let exact = try Self.rows(root + "/exact").map {
      (score: $0["score"]?.double ?? -9, key: $0["key"]?.text ?? "")
    }
    let kept = exact.sorted { (-$0.score, $0.key) < (-$1.score, $1.key) }.prefix(
      (pairs * 4 + 9) / 10)
    let rows = try Self.rows(root + "/whole")
    #expect(rows.count == pairs && json["kept"]?.integer == kept.count)
    #expect(
      rows.filter { $0["kept"] == .bool(true) }.compactMap { $0["key"]?.text }.sorted()
        == kept.map(\.key).sorted())
    #expect(Set(rows.compactMap { $0["kind"]?.text }) == ["int8", "float32"])

    try Self.requireItsCut(root + "/whole", of: scenes, kept: kept.count)

    let expected = try contents(of: root, ["whole"])
    let seed = UInt64(Date.now.timeIntervalSince1970)
    var random = RandomStream(seed: seed)
    let arguments =
      ["score"] + scenes.shards + ["--model", "scenes", "--out", root + "/cut"] + Self.int8
    var kills = 0
    for _ in 0..<6 {
      guard try Program.runAndKill(arguments, after: random.uniform(in: 0.1..<1) * seconds) else {
        break
      }
      kills += 1
    }
    #expect(kills > 0, "seed \(seed)")
    let others = (0..<2).map { _ in Program.make(arguments, environment: [:]) }
    for other in others {
      other.standardError = FileHandle.nullDevice
      other.standardOutput = FileHandle.nullDevice
      try other.run()
    }
    for other in others {
      other.waitUntilExit()
      #expect(other.terminationStatus == 0)
    }
    let last = try Program.run(arguments)
    #expect(last.status == 0 && last.error.contains("complete already"), "\(last.error)")
    #expect(last.error.contains("audited, not derived"))
    // What a killed writer leaves has a name of its own.
    let there = try contents(of: root, ["cut"]).filter { !$0.key.hasSuffix(".tmp") }
    #expect(there.count == expected.count)
    for (name, bytes) in expected {
      #expect(
        there[name.replacingOccurrences(of: "whole/", with: "cut/")] == bytes,
        "\(name), seed \(seed)")
    }
    #expect(!FileManager.default.fileExists(atPath: root + "/cut.audit"))
    let refused = try scenes.score(root + "/cut")
    #expect(refused.status != 0 && refused.error.contains("precision"), "\(refused.error)")
  }

  /// Other cuts of the tables are refused; what they keep is a column to go by.
  static func requireItsCut(
    _ tables: String, of scenes: ScoreCommandTests.Scenes, kept: Int
  ) throws {
    let root = scenes.folder.path
    for (rule, isFine) in [
      ("min: {column: kept, value: 1}", true),
      ("top_fraction: {column: clip_score, fraction: 0.2, of: all}", false),
    ] {
      let plan = "\(root)/plan.yaml"
      try Data("rules:\n  - \(rule)\n".utf8).write(to: URL(fileURLWithPath: plan))
      let result = try Program.run(
        ["filter"] + scenes.shards + ["--plan", plan, "--scores", tables, "--dry-run", "--json"])
      #expect((result.status == 0) == isFine, "\(rule): \(result.error)")
      if isFine {
        let json = try JSONValue.parse(Array(result.output.utf8))
        #expect(json["kept"]?.integer == kept, "\(result.output)")
      } else {
        #expect(result.error.contains("for one cut alone, top_fraction 0.4"), "\(result.error)")
      }
    }
    for (fraction, isFine) in [("0.4", true), ("0.2", false)] {
      let result = try Program.run(
        ["run", "scenes", "--folder", "\(root)/by-tables-\(fraction)"]
          + [
            "input=\(scenes.origin.list)", "model=null", "scores=[\(tables)]",
            "filter.top_fraction=\(fraction)",
          ].flatMap { ["--set", $0] })
      #expect((result.status == 0) == isFine, "\(fraction): \(result.error)")
      if !isFine { #expect(result.error.contains("for one cut alone"), "\(result.error)") }
    }
  }

  @Test("a retry in int8 adds what a float32 run's retry adds")
  func retried() throws {
    let folder = try TemporaryFolder()
    let web = try RetryCommandTests.Web()
    let list = try web.list(700, in: folder.path)
    var shards: [[String: Data]] = []
    let names = ["exact", "rough"]
    for name in names {
      let arguments =
        RetryCommandTests.run(list, "\(folder.path)/\(name)") + ["--force-scorer"]
        + [
          "model=scenes", "filter.top_fraction=0.3",
          "model_precision=\(name == "exact" ? "float32" : "int8")",
        ].flatMap { ["--set", $0] }
      let run = try Program.run(arguments)
      #expect(run.status == 0, "\(run.error)")
    }
    web.heal()
    for name in names {
      let before = try contents(of: "\(folder.path)/\(name)", ["filtered"])
      let retried = try Program.run(["retry", "\(folder.path)/\(name)"])
      #expect(retried.status == 0, "\(retried.error)")
      let files = try contents(of: "\(folder.path)/\(name)", ["filtered"])
      #expect(files.count > before.count)
      shards.append(files.filter { !$0.key.contains("verdicts") })
      let verified = try Program.run(["verify", "\(folder.path)/\(name)"])
      #expect(verified.status == 0, "\(verified.output)")
    }
    #expect(shards[0] == shards[1])
    // What a killed job has scored is no job's any more, and of pairs that are to be forgotten.
    let (run, left) = ("\(folder.path)/rough", "\(folder.path)/rough/filtered/rescored")
    for command in [["gc", run], ["forget", run, "--url", web.server.url("/3")]] {
      try FileManager.default.createDirectory(atPath: left, withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: run + "/filtered/verdicts/00000.parquet", toPath: left + "/00000.parquet")
      let result = try Program.run(command)
      #expect(result.status == 0, "\(command): \(result.error)")
      #expect(!FileManager.default.fileExists(atPath: left), "\(command)")
    }
  }

  static func run(_ folder: String, _ origin: DemoOrigin, _ options: [String]) -> [String] {
    ["run", "scenes", "--folder", folder]
      + (["input=\(origin.list)", "chunk_rows=100", "filter.top_fraction=0.4"] + options)
      .flatMap { ["--set", $0] }
  }

  @Test("a run in int8 ends with a float32 run's shards, killed or not, and tells what decided")
  func runs() throws {
    let folder = try TemporaryFolder()
    let origin = try DemoOrigin(rows: 800, seed: 4, folder: folder.path)
    let root = folder.path
    #expect(try Program.run(Self.run(root + "/exact", origin, [])).status == 0)
    let whole = Self.run(root + "/whole", origin, ["model_precision=int8"])
    let first = try Program.run(whole)
    #expect(first.status == 0, "\(first.error)")
    // dataset.json holds the recipe's digest, which differs.
    func shards(_ name: String) throws -> [String: Data] {
      let files = try contents(of: "\(root)/\(name)", ["filtered"])
      return files.filter { !$0.key.contains("verdicts") }
    }
    let expected = try shards("exact")
    #expect(try shards("whole") == expected)
    let decided = try FileManager.default.contentsOfDirectory(
      atPath: root + "/whole/filtered/verdicts"
    ).sorted().flatMap { try PairTable.read("\(root)/whole/filtered/verdicts/\($0)") }
    #expect(Set(decided.compactMap { $0["kind"]?.text }) == ["int8", "float32"])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: root + "/whole/scores") == ["scenes-int8"]
    )

    let parts = ["shards", "scores", "filtered", "dataset.json"]
    let all = try contents(of: root + "/whole", parts)
    let seed = UInt64(Date.now.timeIntervalSince1970)
    var random = RandomStream(seed: seed)
    let cut = Self.run(root + "/cut", origin, ["model_precision=int8"])
    var kills = 0
    for _ in 0..<12 {
      guard try Program.runAndKill(cut, after: random.uniform(in: 0.1..<0.8)) else { break }
      kills += 1
    }
    #expect(kills > 0, "seed \(seed)")
    #expect(try Program.run(cut).status == 0)
    let found = try contents(of: root + "/cut", parts)
    #expect(found.keys.sorted() == all.keys.sorted(), "seed \(seed)")
    for (name, bytes) in all { #expect(found[name] == bytes, "\(name), seed \(seed)") }

    for name in ["whole", "cut"] {
      let verified = try Program.run(["verify", "\(root)/\(name)"])
      #expect(verified.status == 0, "\(verified.output)")
    }
    let dropped = try #require(decided.first { $0["drop"] != nil && $0["kind"]?.text == "float32" })
    let told = try Program.run(["explain", root + "/whole", dropped["key"]?.text ?? ""])
    #expect(told.output.contains("audited, not derived"), "\(told.output)")
    #expect(told.output.contains("float32"), "\(told.output)")
    let page = try String(contentsOfFile: root + "/whole/report.html", encoding: .utf8)
    #expect(page.contains("audited, not derived"))
    let exactPage = try String(contentsOfFile: root + "/exact/report.html", encoding: .utf8)
    #expect(!exactPage.contains("audited"))

    // Another share is another cut of the same scores: what was scored exactly is not again.
    let redo = Self.run(root + "/cut", origin, ["model_precision=int8", "filter.top_fraction=0.5"])
    #expect(try Program.run(redo + ["--redo", "filter"]).status == 0)
    #expect(
      try Program.run(
        Self.run(root + "/half", origin, ["filter.top_fraction=0.5"])
      ).status == 0)
    #expect(try shards("cut") == shards("half"))
  }
}
