import DurableFiles
import FilterStage
import Foundation
import PairDataset
import PipelineCore
import Testing

@Suite struct FilterStageTests {
  @Test(
    "a fraction f of n pairs keeps ceil(f·n)",
    arguments: [
      (0.1, 30, 3), (0.3, 10, 3), (0.31, 10, 4), (0, 5, 0), (1, 5, 5), (0.5, 0, 0), (0.01, 1, 1),
    ])
  func fraction(_ fraction: Double, _ count: Int, _ expected: Int) {
    let scored = (0..<count).map { (key: "\($0)", score: Double($0)) }
    #expect(FilterRule.topFraction(fraction).kept(scored).count { $0 } == expected)
  }

  @Test("equal scores are kept in order of their keys; a threshold keeps what equals it")
  func ties() {
    let scored = [("d", 0.5), ("a", 0.5), ("c", 0.9), ("b", 0.5)].map { (key: $0.0, score: $0.1) }
    #expect(FilterRule.topFraction(0.5).kept(scored) == [false, true, true, false])
    #expect(FilterRule.minScore(0.5).kept(scored) == [true, true, true, true])
    #expect(FilterRule.minScore(0.6).kept(scored) == [false, false, true, false])
  }

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
      var summary: ShardSummary?
      if chunk != 1 {
        let writer = try ShardWriter(
          folder: folder.shards, name: RunFolder.digits(chunk), compression: .lz4)
        for index in 0..<3 {
          let number = chunk / 2 * 3 + index
          try writer.append(
            Pair(key: key(number), caption: "c\(number)", image: [UInt8(number)], metadata: []))
          scores.append(
            ScoreTable.row(uid: "u\(number)", key: key(number), score: Float(number) / 10))
        }
        summary = try writer.finish()
      }
      try PairTable.write(
        scores, columns: ScoreTable.columns, to: folder.scoreTable(chunk, scorer: "toy"))
      reports.append((chunk, StageReport(input: scores.count, kept: scores.count, shard: summary)))
    }
    let all = reports
    return (folder, StageContext(folder: folder) { _ in all })
  }

  @Test("kept pairs are packed densely, in order, unchanged, with a verdict for every pair")
  func filtering() async throws {
    let (folder, context) = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = FilterStage(
      rule: .minScore(0.1), scorer: "toy", pairsPerShard: 2, compression: .none, recipeSHA256: "r")
    let report = try await stage.run(Chunk(number: 0, attempt: 1), in: context)
    #expect(report == StageReport(input: 6, kept: 5, dropped: [.lowScore: 1]))
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
    let verdicts = try [0, 2].map { try PairTable.read(folder.filterTable($0)) }
    #expect(verdicts.map(\.count) == [3, 3])
    #expect(verdicts.joined().map { $0["drop"]?.text } == ["low_score", nil, nil, nil, nil, nil])
    let once = try DurableFile.read(folder.dataset)
    _ = try await stage.run(Chunk(number: 0, attempt: 2), in: context)
    #expect(try DurableFile.read(folder.dataset) == once)
  }

  @Test("pairs of two shards that have one key are kept both")
  func repeatedKeys() async throws {
    let (folder, context) = try Self.makeRun { "k\($0 % 3)" }
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = FilterStage(
      rule: .minScore(0.1), scorer: "toy", pairsPerShard: 4, compression: .none,
      recipeSHA256: "r")
    #expect(try await stage.run(Chunk(number: 0, attempt: 1), in: context).kept == 5)
    let keys = try DatasetManifest.read(folder.dataset).shards.map {
      try ShardReader(path: folder.path + "/" + $0.file).keys
    }
    #expect(keys == [["k1", "k2", "k0", "k1-2"], ["k2"]])
  }

  @Test("without a rule the manifest lists the shards as they are")
  func unfiltered() async throws {
    let (folder, context) = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = FilterStage(
      rule: .none, scorer: nil, pairsPerShard: 2, compression: .none, recipeSHA256: "r")
    let report = try await stage.run(Chunk(number: 0, attempt: 1), in: context)
    #expect(report.kept == 6)
    let manifest = try DatasetManifest.read(folder.dataset)
    #expect(manifest.shards.map(\.file) == ["shards/00000.tar.lz4", "shards/00002.tar.lz4"])
    #expect(!DurableFile.exists(folder.filtered))
  }
}
