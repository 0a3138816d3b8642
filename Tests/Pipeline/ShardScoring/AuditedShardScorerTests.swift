import AuditedScores
import Foundation
import PairDataset
import PipelineCore
import SeededRandom
import ShardScoring
import Testing

@Suite struct AuditedShardScorerTests {
  static let audit = ScoreAudit(share: 0.05, minimum: 20)
  static let cuts: [ScoreCut] = [.minScore(0.3), .topFraction(0.3), .topFraction(1)]

  /// Shards of pairs whose scores lie in no order.
  static func shards(_ toy: ToyShards, _ count: Int = 3, pairs: Int = 120) throws -> [String] {
    var random = RandomStream(seed: 5)
    return try (0..<count).map { shard in
      try toy.shard(
        RunFolder.digits(shard),
        (0..<pairs).map { index in
          var pair = ToyShards.pair(shard * pairs + index)
          pair.image = (0..<2).map { _ in UInt8(random.integer(below: 256)) }
          return pair
        })
    }
  }

  /// What must be kept, by the naive way: keys in the order of the shards.
  static func kept(_ shards: [String], _ cut: ScoreCut) throws -> [String] {
    var pairs: [Pair] = []
    for shard in shards { try ShardReader(path: shard).forEach { pairs.append($0) } }
    let scores = pairs.map { $0.image[0] == 255 ? -.infinity : ByteScorer.score($0) }
    let kept = cut.kept(scores, keys: pairs.map(\.key))
    return zip(pairs, kept).filter { $0.1 }.map(\.0.key)
  }

  static func keptRows(_ tables: [String]) throws -> [String] {
    try tables.flatMap { try PairTable.read($0) }.filter { $0["kept"] == .bool(true) }
      .compactMap { $0["key"]?.text }
  }

  static func tables(_ out: String, _ count: Int) -> [String] {
    (0..<count).map { "\(out)/\(RunFolder.digits($0)).parquet" }
  }

  func scorer(
    _ shards: [String], _ out: String, _ scorer: CoarseScorer, _ cut: ScoreCut = .topFraction(0.3)
  ) -> AuditedShardScorer {
    AuditedShardScorer(shards, to: out, scorer: scorer, cut: cut, audit: Self.audit, batch: 16)
  }

  @Test("decisions are those of the exact scores, and each score says what it is", arguments: cuts)
  func decisions(cut: ScoreCut) async throws {
    let toy = try ToyShards()
    let shards = try Self.shards(toy)
    let out = toy.folder + "/out"
    let coarse = CoarseScorer()
    let outcome = try await scorer(shards, out, coarse, cut).run()
    let tables = Self.tables(out, 3)
    let expected = try Self.kept(shards, cut)
    #expect(try Self.keptRows(tables) == expected && outcome.kept == expected.count)
    let asked = await coarse.asked
    let report = try #require(outcome.audit)
    #expect(report.sampled + report.rescored == asked.exact && outcome.rescoredHere == asked.exact)
    #expect(
      report.pairs == 360 && asked.coarse == 360 && outcome.scoring.faults["undecodable"] ?? 0 > 0)
    // Neither all nor none were worth it.
    if case .topFraction(1) = cut {} else { #expect(report.rescored > 0 && asked.exact < 300) }
    var exact = 0
    for (table, shard) in zip(tables, shards) {
      let footer = try PairTable.metadata(of: table)
      #expect(ScoreAuditReport(footer) == report && footer["cut"] == "\(cut)")
      #expect(footer["precision"] == "int8, audited" && footer["audit"] == "\(Self.audit)")
      let reader = try ShardReader(path: shard)
      for (index, row) in try PairTable.read(table).enumerated() {
        let pair = try reader.pair(at: index)
        let score = row["score"]?.double.map { Float($0) }
        switch row["kind"]?.text {
        case "float32":
          #expect(score == ByteScorer.score(pair))
          exact += 1
        case "int8": #expect(score == CoarseScorer.coarse(pair))
        default: #expect(score == nil && row["fault"]?.text == "undecodable")
        }
      }
    }
    #expect(exact == asked.exact)
    #expect(try ToyShards.files(out).count == 3)
    let single = toy.folder + "/one.parquet"
    _ = try await scorer(shards, single, CoarseScorer(), cut).run()
    #expect(try PairTable.read(single) == tables.flatMap { try PairTable.read($0) })
    let third = CoarseScorer()
    for place in [out, single] {
      let again = try await scorer(shards, place, third, cut).run()
      #expect(again.wasComplete && again.audit == report && again.kept == expected.count)
      #expect(again.scoring.scores == outcome.scoring.scores)
    }
    #expect(await third.asked.calls == 0)
    let left = try FileManager.default.contentsOfDirectory(atPath: toy.folder).sorted()
    #expect(left == ["data", "one.parquet", "out"])
  }

  @Test(
    "killed at any call, the same command goes on to the same bytes", arguments: ["", ".parquet"])
  func killed(ending: String) async throws {
    let toy = try ToyShards()
    let shards = try Self.shards(toy)
    let whole = CoarseScorer()
    _ = try await scorer(shards, toy.folder + "/whole" + ending, whole).run()
    let all = await whole.asked
    let expected = try ToyShards.contents(toy.folder + "/whole" + ending)
    #expect(all.calls > 10)
    for call in stride(from: 1, through: all.calls, by: 2) {
      let out = "\(toy.folder)/cut\(call)\(ending)"
      let first = CoarseScorer(failAt: call)
      await #expect(throws: ByteScorer.Killed.self) {
        try await scorer(shards, out, first).run()
      }
      let second = CoarseScorer()
      _ = try await scorer(shards, out, second).run()
      #expect(try ToyShards.contents(out) == expected, "call \(call)")
      let (before, after) = (await first.asked, await second.asked)
      // A shard's part is lost at most, of one step or round.
      #expect(before.coarse + after.coarse - all.coarse < 120)
      #expect(before.exact + after.exact - all.exact < 120)
      #expect(!FileManager.default.fileExists(atPath: out + ".audit"))
    }
  }

  @Test(
    "workers on one folder divide the work and leave the same bytes", arguments: [2, 4],
    ["", ".parquet"])
  func workers(count: Int, ending: String) async throws {
    let toy = try ToyShards()
    let shards = try Self.shards(toy, 5, pairs: 60)
    let whole = CoarseScorer()
    _ = try await scorer(shards, toy.folder + "/one" + ending, whole).run()
    let out = toy.folder + "/many" + ending
    let coarse = (0..<count).map { _ in CoarseScorer(delay: .milliseconds(3)) }
    try await withThrowingTaskGroup(of: AuditedScoringOutcome.self) { group in
      for one in coarse { group.addTask { try await scorer(shards, out, one).run() } }
      for try await outcome in group { #expect(outcome.audit?.pairs == 300) }
    }
    #expect(try ToyShards.contents(out) == ToyShards.contents(toy.folder + "/one" + ending))
    var sum = (coarse: 0, exact: 0)
    for one in coarse {
      let asked = await one.asked
      sum = (sum.coarse + asked.coarse, sum.exact + asked.exact)
    }
    let all = await whole.asked
    // Nobody has scored what another had.
    #expect(sum.coarse == all.coarse && sum.exact == all.exact)
    #expect(!FileManager.default.fileExists(atPath: out + ".audit"))
  }

  @Test("a shard that cannot be read leaves all undecided, and nothing is scored twice when it can")
  func unread() async throws {
    let toy = try ToyShards()
    let shards = try Self.shards(toy)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: shards[1]))
    try Data("no shard".utf8).write(to: URL(fileURLWithPath: shards[1]))
    let out = toy.folder + "/out"
    let outcome = try await scorer(shards, out, CoarseScorer()).run()
    #expect(outcome.audit == nil && outcome.scoring.unread.keys.sorted() == [shards[1]])
    #expect(!FileManager.default.fileExists(atPath: out))
    try bytes.write(to: URL(fileURLWithPath: shards[1]))
    let second = CoarseScorer()
    #expect(try await scorer(shards, out, second).run().audit != nil)
    #expect(await second.asked.coarse == 120)
    #expect(try Self.keptRows(Self.tables(out, 3)) == Self.kept(shards, .topFraction(0.3)))
  }

  @Test("another cut, audit, model or set of shards is refused, and what is there stays")
  func changed() async throws {
    let toy = try ToyShards()
    let shards = try Self.shards(toy)
    let out = toy.folder + "/out"
    _ = try await scorer(shards, out, CoarseScorer()).run()
    let before = try ToyShards.contents(out)
    for (other, words) in [
      (scorer(shards, out, CoarseScorer(), .topFraction(0.2)), "top_fraction 0.3 there"),
      (scorer(shards, out, CoarseScorer(weights: "w2")), "weights: w1 there, w2 here"),
      (
        AuditedShardScorer(shards, to: out, scorer: CoarseScorer(), cut: .topFraction(0.3)),
        "audit: share 0.05"
      ),
    ] {
      let error = await #expect(throws: ShardScoringError.self) { try await other.run() }
      #expect(error.map { "\($0)" }?.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
    }
    _ = try toy.shard(RunFolder.digits(1), [ToyShards.pair(7)])
    await #expect(throws: ShardScoringError.self) {
      try await scorer(shards, out, CoarseScorer()).run()
    }
    #expect(try ToyShards.contents(out) == before)
    #expect(!FileManager.default.fileExists(atPath: out + ".audit"))
    await #expect(throws: ShardScoringError.self) {
      try await ShardScorer(shards, to: out, scorer: ByteScorer()).run()
    }
  }

  @Test("a damaged final table is made anew")
  func damaged() async throws {
    let toy = try ToyShards()
    let shards = try Self.shards(toy, 2, pairs: 40)
    let out = toy.folder + "/out"
    _ = try await scorer(shards, out, CoarseScorer()).run()
    let whole = try ToyShards.contents(out)
    let first = URL(fileURLWithPath: Self.tables(out, 2)[0])
    let bytes = try Data(contentsOf: first)
    for length in stride(from: 0, to: bytes.count, by: 397) {
      try bytes.prefix(length).write(to: first)
      _ = try await scorer(shards, out, CoarseScorer()).run()
      #expect(try ToyShards.contents(out) == whole, "\(length) bytes")
    }
  }
}
