import DurableFiles
import FilterPlans
import FilterStage
import Foundation
import PairDataset
import PipelineCore
import Testing

@Suite struct FilterStageTests {
  @Test("both rules at once are refused")
  func bothRules() throws {
    var reader = try RecipeReader(
      yaml: "", path: "r", overrides: ["filter.min_score=0.1", "filter.top_fraction=0.5"])
    #expect(throws: RecipeError.self) { try FilterRule(from: &reader) }
  }

  /// Writes shards 0 and 2 of three pairs each, with scores 0.0 … 0.5; chunk 1 kept nothing.
  static func makeRun(
    key: (Int) -> String = { "k\($0)" }
  ) throws -> (RunFolder, StageContext) {
    let folder = RunFolder(
      FileManager.default.temporaryDirectory.path + "/filter-" + UUID().uuidString)
    try folder.make()
    try DurableFile.makeFolder(folder.scores(of: "toy"))
    var reports: [(chunk: Int, report: StageReport)] = []
    for chunk in 0..<3 {
      var scores: [JSONValue] = []
      var fates: [JSONValue] = []
      var summary: ShardSummary?
      if chunk != 1 {
        let writer = try ShardWriter(
          folder: folder.shards, name: RunFolder.digits(chunk), compression: .lz4)
        for index in 0..<3 {
          let number = chunk / 2 * 3 + index
          try writer.append(
            Pair(
              key: key(number), caption: "c\(number)", image: [UInt8(number)],
              metadata: Array(#"{"key":"\#(key(number))","n":\#(number)}"#.utf8)))
          // A row that was dropped stands before each pair.
          for status in ["failed_to_download", "success"] {
            fates.append(
              .object([
                .init("key", .string(key(number))), .init("status", .string(status)),
                .init("n", .int(number)),
              ]))
          }
          scores.append(
            ScoreTable.row(uid: "u\(number)", key: key(number), score: Float(number) / 10))
        }
        summary = try writer.finish()
      }
      try PairTable.write(
        fates,
        columns: [TableColumn("key", .text), TableColumn("status", .text), TableColumn("n", .int)],
        to: folder.shardTable(chunk))
      try PairTable.write(
        scores, columns: ScoreTable.columns, to: folder.scoreTable(chunk, scorer: "toy"))
      reports.append((chunk, StageReport(input: scores.count, kept: scores.count, shard: summary)))
    }
    let all = reports
    return (folder, StageContext(folder: folder) { _ in all })
  }

  @Test("nothing is published while a request to forget is not ended")
  func interruptedRequest() async throws {
    let (folder, context) = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = FilterStage(
      rule: .none, scorer: nil, packing: ShardPacking(compression: .none), recipeSHA256: "r")
    var forgotten = ForgottenPairs()
    forgotten.add(try ForgetRequest(.uid, "u1"), at: 0, uids: ["u1"])
    try forgotten.write(to: folder)
    await #expect(throws: ForgetInterruptedError(folder: folder.path)) {
      try await stage.run(Chunk(number: 0, attempt: 1), in: context)
    }
    #expect(!DurableFile.exists(folder.dataset))
    forgotten.finish()
    try forgotten.write(to: folder)
    #expect(try await stage.run(Chunk(number: 0, attempt: 1), in: context).kept == 6)
  }

  @Test(
    "a plan goes by the tables' columns and by scores, needs no scorer, and its verdicts name the rule"
  )
  func plans() async throws {
    func verdicts(_ rules: String, scorer: String?) async throws -> (StageReport, [String]) {
      let (folder, context) = try Self.makeRun()
      defer { try? FileManager.default.removeItem(atPath: folder.path) }
      var reader = try RecipeReader(yaml: "filter:\n  rules: \(rules)\n", path: "r")
      let stage = FilterStage(
        rule: try FilterRule(from: &reader), scorer: scorer,
        packing: ShardPacking(compression: .none, maxPairs: 2), recipeSHA256: "r")
      let report = try await stage.run(Chunk(number: 0, attempt: 1), in: context)
      let words = try [0, 2].flatMap { chunk in
        try PairTable.read(folder.filterTable(chunk)).map { row in
          "\(row["key"]?.text ?? "") \(Drop(row).map { "\($0.reason.rawValue): \($0.detail)" } ?? "kept")"
        }
      }
      return (report, words)
    }
    let rules =
      "[{max: {column: n, value: 3}}, {top_fraction: {column: clip_score, fraction: 0.5, of: kept}}]"
    let (report, words) = try await verdicts(rules, scorer: "toy")
    #expect(
      report == StageReport(input: 6, kept: 2, dropped: [.filterRule: 4], facts: ["shards": 1]))
    let share = "filter_rule: clip_score in the top 0.5 of what is left"
    #expect(
      words == [
        "k0 \(share)", "k1 \(share)", "k2 kept", "k3 kept", "k4 filter_rule: n <= 3",
        "k5 filter_rule: n <= 3",
      ])
    let (alone, _) = try await verdicts("[{one_of: {column: n, values: [1, 5]}}]", scorer: nil)
    #expect(alone.kept == 2)
    await #expect(throws: FilterPlanError.self) {
      try await verdicts("[{min: {column: score, value: 0.2}}]", scorer: nil)
    }
  }

  @Test("a plan beside the older rules, or with a mistake, is refused where it stands")
  func badPlans() throws {
    func rule(_ yaml: String, _ overrides: [String] = []) throws -> FilterRule {
      var reader = try RecipeReader(yaml: yaml, path: "r.yaml", overrides: overrides)
      return try FilterRule(from: &reader, yaml: yaml, path: "r.yaml")
    }
    let yaml = "filter:\n  rules:\n    - min: {column: score, value: 0.2}\n    - is_null: url\n"
    guard case .plan(let plan) = try rule(yaml) else {
      Issue.record("no plan")
      return
    }
    #expect(plan.rules.map(\.name) == ["score >= 0.2", "url is null"])
    #expect(try rule("", ["filter.plan=coyo"]).identity.first?.value.contains("5120 bytes") == true)
    // What a run keeps of its recipe reads as the same rules again.
    var reader = try RecipeReader(yaml: yaml, path: "r")
    let text = try reader.string("filter.rules") ?? ""
    #expect(
      try rule("", ["filter.rules=\(text)"]).identity.map(\.value)
        == rule(yaml).identity.map(\.value))
    for (yaml, overrides, words) in [
      (yaml, ["filter.min_score=0.2"], "one of them"), (yaml, ["filter.plan=coyo"], "one of them"),
      (yaml.replacing("is_null", with: "is_nul"), [], "r.yaml:4: there is no rule `is_nul`"),
      ("", ["filter.plan=datacomp-basc"], "Did you mean `datacomp-basic`?"),
    ] {
      let error = #expect(throws: RecipeError.self) { try rule(yaml, overrides) }
      #expect(error.map { "\($0)" }?.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
    }
  }

  @Test("an attempt that has lost its lease leaves the manifest as it is")
  func lateAttempt() async throws {
    struct LostLease: Error {}
    for rule in [FilterRule.none, .minScore(0.1)] {
      var (folder, context) = try Self.makeRun()
      defer { try? FileManager.default.removeItem(atPath: folder.path) }
      let stage = FilterStage(
        rule: rule, scorer: "toy", packing: ShardPacking(compression: .none, maxPairs: 2),
        recipeSHA256: "r")
      _ = try await stage.run(Chunk(number: 0, attempt: 2), in: context)
      // A retry has added to it since.
      try DurableFile.write("newer", to: folder.dataset)
      try DurableFile.write("newer", to: folder.filtered + "/sizes.json")
      context.requireLease = { throw LostLease() }
      await #expect(throws: LostLease.self) {
        try await stage.run(Chunk(number: 0, attempt: 1), in: context)
      }
      for path in [folder.dataset, folder.filtered + "/sizes.json"] {
        #expect(try DurableFile.read(path) == Array("newer".utf8))
      }
    }
  }

  @Test("kept pairs are packed densely, in order, unchanged, with a verdict for every pair")
  func filtering() async throws {
    let (folder, context) = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = FilterStage(
      rule: .minScore(0.1), scorer: "toy", packing: ShardPacking(compression: .none, maxPairs: 2),
      recipeSHA256: "r")
    let report = try await stage.run(Chunk(number: 0, attempt: 1), in: context)
    #expect(
      report
        == StageReport(input: 6, kept: 5, dropped: [.lowScore: 1], facts: ["shards": 3]))
    let manifest = try DatasetManifest.read(folder.dataset)
    #expect(
      manifest.shards.map(\.file) == [
        "filtered/00000.tar", "filtered/00001.tar", "filtered/00002.tar",
      ])
    #expect(manifest.shards.map(\.pairs) == [2, 2, 1])
    #expect(manifest.funnel.last == .init(stage: "kept", pairs: 5))
    var images: [[UInt8]] = []
    for shard in manifest.shards {
      try ShardReader(path: folder.path + "/" + shard.file).forEach { images.append($0.image) }
    }
    #expect(images == [[1], [2], [3], [4], [5]])
    let tables = try manifest.shards.map {
      try PairTable.read(folder.path + "/" + (try #require($0.table)))
    }
    #expect(tables.map { $0.map { $0["n"]?.integer } } == [[1, 2], [3, 4], [5]])
    #expect(tables.joined().allSatisfy { $0["status"]?.text == "success" })
    #expect(
      try String(decoding: DurableFile.read(folder.filtered + "/sizes.json"), as: UTF8.self)
        == "{\n  \"00000.tar\": 2,\n  \"00001.tar\": 2,\n  \"00002.tar\": 1\n}\n")
    let verdicts = try [0, 2].map { try PairTable.read(folder.filterTable($0)) }
    #expect(verdicts.map(\.count) == [3, 3])
    #expect(verdicts.joined().map { $0["drop"]?.text } == ["low_score", nil, nil, nil, nil, nil])
    let once = try DurableFile.read(folder.dataset)
    _ = try await stage.run(Chunk(number: 0, attempt: 2), in: context)
    #expect(try DurableFile.read(folder.dataset) == once)
  }

  @Test(
    "a table that is not that of its shard stops the packing with its name, and moves no row",
    arguments: [0, 2], [FilterRule.none, .minScore(0.1)])
  func damagedTable(_ chunk: Int, _ rule: FilterRule) async throws {
    for isCut in [true, false] {
      let (folder, context) = try Self.makeRun()
      defer { try? FileManager.default.removeItem(atPath: folder.path) }
      let path = folder.shardTable(chunk)
      var rows = try PairTable.read(path)
      // One success less, or two of them in each other's place.
      if isCut { rows.removeLast() } else { rows.swapAt(1, 3) }
      try PairTable.write(rows, columns: try PairTable.columns(of: path), to: path)
      let stage = FilterStage(
        rule: rule, scorer: rule == .none ? nil : "toy",
        packing: ShardPacking(compression: .none, maxPairs: 2), recipeSHA256: "r")
      let error = await #expect(throws: TableError.self) {
        try await stage.run(Chunk(number: 0, attempt: 1), in: context)
      }
      #expect(error?.path == path)
      #expect(!DurableFile.exists(folder.dataset))
    }
  }

  @Test("a job that is done again and keeps nothing leaves no sizes of before")
  func emptied() async throws {
    let (folder, context) = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    for (rule, isThere) in [(FilterRule.minScore(0), true), (.minScore(0.9), false)] {
      let stage = FilterStage(
        rule: rule, scorer: "toy", packing: ShardPacking(compression: .none, maxPairs: 2),
        recipeSHA256: "r")
      _ = try await stage.run(Chunk(number: 0, attempt: 1), in: context)
      #expect(DurableFile.exists(folder.filtered + "/sizes.json") == isThere)
    }
  }

  @Test("pairs of two shards that have one key are kept both")
  func repeatedKeys() async throws {
    let (folder, context) = try Self.makeRun { "k\($0 % 3)" }
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = FilterStage(
      rule: .minScore(0.1), scorer: "toy", packing: ShardPacking(compression: .none, maxPairs: 4),
      recipeSHA256: "r")
    #expect(try await stage.run(Chunk(number: 0, attempt: 1), in: context).kept == 5)
    let keys = try DatasetManifest.read(folder.dataset).shards.map {
      try ShardReader(path: folder.path + "/" + $0.file).keys
    }
    #expect(keys == [["k1", "k2", "k0", "k1-2"], ["k2"]])
    let rows = try PairTable.read(folder.filtered + "/00000.parquet")
    #expect(rows.map { $0["key"]?.text } == keys[0])
    let renamed = try ShardReader(path: folder.filtered + "/00000.tar").pair(at: 3)
    #expect(String(decoding: renamed.metadata, as: UTF8.self) == #"{"key":"k1-2","n":4}"#)
  }

  @Test("without a rule all pairs are packed by count and by bytes, and nothing is judged")
  func packing() async throws {
    // A pair is three members of one block and their headers, and two blocks end a tar.
    let blocks = 512
    for (packing, counts) in [
      (ShardPacking(compression: .none, maxPairs: 4), [4, 2]),
      (ShardPacking(compression: .none, maxBytes: blocks * (6 * 5 + 2)), [5, 1]),
      (ShardPacking(compression: .none, maxBytes: blocks * (6 * 5 + 1)), [4, 2]),
      (ShardPacking(compression: .none, maxPairs: 3, maxBytes: 1 << 20), [3, 3]),
      (ShardPacking(compression: .none, maxPairs: 9, maxBytes: 1), [1, 1, 1, 1, 1, 1]),
    ] {
      let (folder, context) = try Self.makeRun()
      defer { try? FileManager.default.removeItem(atPath: folder.path) }
      let stage = FilterStage(rule: .none, scorer: nil, packing: packing, recipeSHA256: "r")
      let report = try await stage.run(Chunk(number: 0, attempt: 1), in: context)
      #expect(report == StageReport(input: 6, kept: 6, facts: ["shards": counts.count]))
      let manifest = try DatasetManifest.read(folder.dataset)
      #expect(manifest.shards.map(\.pairs) == counts, "\(packing)")
      var numbers: [Int?] = []
      for shard in manifest.shards {
        let path = folder.path + "/" + shard.file
        #expect(try DurableFile.read(path).count == shard.bytes)
        let pairs = try PairTable.read(folder.path + "/" + (try #require(shard.table)))
        #expect(try ShardReader(path: path).keys == pairs.compactMap { $0["key"]?.text })
        numbers += pairs.map { $0["n"]?.integer }
      }
      #expect(numbers == [0, 1, 2, 3, 4, 5])
      #expect(!DurableFile.exists(folder.filtered + "/verdicts"))
    }
  }

  @Test("in a folder of img2dataset's layout the sizes stand where that program takes no offence")
  func sizesBesideImg2dataset() async throws {
    let (folder, context) = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    for isImg2dataset in [true, false] {
      let stage = FilterStage(
        rule: .none, scorer: nil, packing: ShardPacking(compression: .none),
        isImg2dataset: isImg2dataset, recipeSHA256: "r")
      _ = try await stage.run(Chunk(number: 0, attempt: 1), in: context)
      let files = try DurableFile.names(in: folder.shards)
      #expect(files.contains("sizes.json") == !isImg2dataset)
      let text = try DurableFile.read(
        (isImg2dataset ? folder.path : folder.shards) + "/sizes.json")
      #expect(
        try JSONValue.parse(text).members.map(\.key) == ["00000.tar.lz4", "00002.tar.lz4"])
      if isImg2dataset {
        #expect(try DurableFile.read(folder.shards + "/__len__") == Array("6\n".utf8))
      }
    }
  }

  @Test("without a rule the manifest lists the shards as they are")
  func unfiltered() async throws {
    let (folder, context) = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = FilterStage(
      rule: .none, scorer: nil, packing: ShardPacking(compression: .none), recipeSHA256: "r")
    let report = try await stage.run(Chunk(number: 0, attempt: 1), in: context)
    #expect(report.kept == 6)
    let manifest = try DatasetManifest.read(folder.dataset)
    #expect(manifest.shards.map(\.file) == ["shards/00000.tar.lz4", "shards/00002.tar.lz4"])
    #expect(manifest.shards.map(\.table) == ["shards/00000.parquet", "shards/00002.parquet"])
    #expect(!DurableFile.exists(folder.filtered))
  }
}
