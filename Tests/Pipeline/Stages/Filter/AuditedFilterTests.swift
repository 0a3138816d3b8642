import AuditedScores
import DurableFiles
import FilterStage
import Foundation
import PairDataset
import PipelineCore
import SeededRandom
import Testing

/// The filter's last word where scores are of bytes.
@Suite struct AuditedFilterTests {
  /// Knows the pairs' exact scores by their pictures.
  final class ToyRescorer: RescoringPairScorer {
    let name = "toy"
    let provenance: [String: String]
    private let failAt: Int?
    private let calls = Calls()

    /// Is killed at a call, if asked: `failAt` counts them, from 1.
    init(weights: String = "w", failAt: Int? = nil) {
      provenance = ["weights": weights]
      self.failAt = failAt
    }

    struct Killed: Error {}
    private actor Calls {
      private(set) var all = (pairs: 0, calls: 0)

      func add(_ pairs: Int, failAt: Int?) throws {
        all.calls += 1
        if all.calls == failAt { throw Killed() }
        all.pairs += pairs
      }
    }

    var asked: (pairs: Int, calls: Int) { get async { await calls.all } }

    func scores(of pairs: [Pair]) async throws -> [Float] {
      Issue.record("the filter has scores of bytes")
      return []
    }

    func exactScores(of pairs: [Pair]) async throws -> [Float] {
      try await calls.add(pairs.count, failAt: failAt)
      return pairs.map(AuditedFilterTests.exact)
    }
  }

  static func exact(_ pair: Pair) -> Float {
    Float(pair.image[0]) / 512 + Float(pair.image[1]) / 131_072
  }

  static let pairs = 200
  static let audit = ScoreAudit(share: 0.05, minimum: 20)

  /// Shards of three chunks with scores by `toy`: those of bytes, or exact ones.
  ///
  /// The last is a retry's. Every tenth pair has no score.
  static func makeRun(isExact: Bool) throws -> (RunFolder, StageContext) {
    let folder = RunFolder(
      FileManager.default.temporaryDirectory.path + "/audited-" + UUID().uuidString)
    try folder.make()
    try DurableFile.makeFolder(folder.scores(of: "toy"))
    var random = RandomStream(seed: 3)
    var reports: [(chunk: Int, report: StageReport)] = []
    for chunk in 0..<3 {
      let writer = try ShardWriter(
        folder: folder.shards, name: RunFolder.digits(chunk), compression: .none)
      var (scores, fates): ([JSONValue], [JSONValue]) = ([], [])
      for index in 0..<pairs {
        let key = "k\(chunk)-\(index)"
        let pair = Pair(
          key: key, caption: "c", image: (0..<2).map { _ in UInt8(random.integer(below: 256)) },
          metadata: [])
        try writer.append(pair)
        fates.append(
          .object([.init("key", .string(key)), .init("status", .string("success"))]))
        let error = Float(random.uniform(in: -0.01..<0.01))
        let outcome =
          index % 10 == 9
          ? PairScore(.undecodable("toy"))
          : PairScore(exact(pair) + (isExact ? 0 : error), kind: isExact ? nil : "int8")
        scores.append(ScoreTable.row(uid: "u\(key)", key: key, outcome))
      }
      try PairTable.write(
        fates, columns: [TableColumn("key", .text), TableColumn("status", .text)],
        to: folder.shardTable(chunk))
      try PairTable.write(
        scores, columns: ScoreTable.columns(hasFaults: true, hasKinds: true),
        to: folder.scoreTable(chunk, scorer: "toy"))
      reports.append(
        (chunk, StageReport(input: pairs, kept: pairs, shard: try writer.finish())))
    }
    let all = reports
    return (
      folder,
      StageContext(folder: folder) { stage in
        switch stage {
        case .ingest:
          [
            (0, StageReport(input: 0, kept: 0, facts: ["chunks": 2])),
            (
              1,
              StageReport(
                input: 0, kept: 0,
                facts: ["generation": 1, "first_chunk": 2, "chunks": 1, "previous_generation": 0])
            ),
          ]
        case .filter:
          // The first has packed as many shards as the manifest lists.
          (try? DatasetManifest.read(folder.dataset)).map { manifest in
            [
              (
                0,
                StageReport(
                  input: 0, kept: 0, facts: ["shards": manifest.shards.count])
              )
            ]
          } ?? []
        default: all
        }
      }
    )
  }

  static func stage(_ rule: FilterRule, _ rescorer: ToyRescorer?) -> FilterStage {
    FilterStage(
      rule: rule, scorer: "toy", rescorer: rescorer, audit: audit,
      packing: ShardPacking(compression: .none, maxPairs: 50), recipeSHA256: "r")
  }

  /// The shards and what the verdicts keep, which are a float32 run's.
  static func outputs(_ folder: RunFolder) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = ["dataset": try DurableFile.read(folder.dataset)]
    for name in try DurableFile.names(in: folder.filtered) where name != "verdicts" {
      files[name] = try DurableFile.read("\(folder.filtered)/\(name)")
    }
    return files
  }

  static func verdicts(_ folder: RunFolder) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in try DurableFile.names(in: folder.filtered + "/verdicts") {
      files[name] = try DurableFile.read("\(folder.filtered)/verdicts/\(name)")
    }
    return files
  }

  static let rules: [FilterRule] = [
    .minScore(0.3), .topFraction(0.3), .topFraction(0), .topFraction(0.95), .topFraction(1),
  ]

  @Test("a run and its retry keep what exact scores would, to the byte", arguments: rules)
  func decisions(rule: FilterRule) async throws {
    let (exact, exactContext) = try Self.makeRun(isExact: true)
    let (rough, roughContext) = try Self.makeRun(isExact: false)
    defer {
      for folder in [exact, rough] { try? FileManager.default.removeItem(atPath: folder.path) }
    }
    var asked = 0
    for generation in 0...1 {
      let chunk = Chunk(number: generation, attempt: 1)
      let expected = try await Self.stage(rule, nil).run(chunk, in: exactContext)
      let rescorer = ToyRescorer()
      #expect(try await Self.stage(rule, rescorer).run(chunk, in: roughContext) == expected)
      #expect(try Self.outputs(rough) == Self.outputs(exact))
      let number = generation == 0 ? 0 : 2
      let table = rough.filterTable(number)
      let footer = try PairTable.metadata(of: table)
      let report = try #require(ScoreAuditReport(footer))
      #expect(footer["cut"] == rule.cut.map { "\($0)" } && footer["weights"] == "w")
      #expect(report.pairs == Self.pairs * (2 + generation))
      let kinds = try PairTable.read(table).map { $0["kind"]?.text }
      #expect(kinds.count { $0 == nil } == Self.pairs / 10)
      // What the first generation's verdicts have is not scored again.
      let now = await rescorer.asked.pairs
      #expect(
        generation == 0
          ? now == report.sampled + report.rescored : now < report.sampled + report.rescored)
      asked += now
      #expect(!DurableFile.exists(rough.rescored))
    }
    #expect(asked > 0)
    let words = try [0, 1, 2].flatMap { chunk in
      try PairTable.read(exact.filterTable(chunk)).map { $0["drop"]?.text }
    }
    #expect(
      try [0, 1, 2].flatMap { chunk in
        try PairTable.read(rough.filterTable(chunk)).map { $0["drop"]?.text }
      } == words)
  }

  @Test("a job killed at any call goes on without scoring again what it has")
  func killed() async throws {
    let rule = FilterRule.topFraction(0.3)
    let (whole, context) = try Self.makeRun(isExact: false)
    defer { try? FileManager.default.removeItem(atPath: whole.path) }
    let first = ToyRescorer()
    _ = try await Self.stage(rule, first).run(Chunk(number: 0, attempt: 1), in: context)
    let all = await first.asked
    #expect(all.calls > 3)
    for call in 1...all.calls {
      let (folder, context) = try Self.makeRun(isExact: false)
      defer { try? FileManager.default.removeItem(atPath: folder.path) }
      await #expect(throws: ToyRescorer.Killed.self) {
        try await Self.stage(rule, ToyRescorer(failAt: call)).run(
          Chunk(number: 0, attempt: 1), in: context)
      }
      let second = ToyRescorer()
      _ = try await Self.stage(rule, second).run(Chunk(number: 0, attempt: 2), in: context)
      // Each call is for all of a round's pairs of a shard that are not known.
      #expect(await second.asked.calls == all.calls - call + 1)
      #expect(try Self.outputs(folder) == Self.outputs(whole))
      #expect(try Self.verdicts(folder) == Self.verdicts(whole))
    }
  }

  @Test("done again it scores nothing; exact scores of another model or shard do not count")
  func known() async throws {
    let rule = FilterRule.topFraction(0.3)
    let (folder, context) = try Self.makeRun(isExact: false)
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let chunk = Chunk(number: 0, attempt: 1)
    let first = ToyRescorer()
    _ = try await Self.stage(rule, first).run(chunk, in: context)
    let verdicts = try Self.verdicts(folder)
    let again = ToyRescorer()
    _ = try await Self.stage(rule, again).run(chunk, in: context)
    #expect(await again.asked.pairs == 0)
    #expect(try Self.verdicts(folder) == verdicts)
    let other = ToyRescorer(weights: "v")
    _ = try await Self.stage(rule, other).run(chunk, in: context)
    #expect(await other.asked.pairs == first.asked.pairs)
    var reports = try await context.reports(.shard)
    for index in reports.indices { reports[index].report.shard?.sha256 = "other" }
    let (changed, given) = (reports, context)
    let shards = ToyRescorer(weights: "v")
    let moved = StageContext(folder: folder) { stage in
      stage == .shard ? changed : try await given.reports(stage)
    }
    _ = try await Self.stage(rule, shards).run(chunk, in: moved)
    #expect(await shards.asked.pairs == first.asked.pairs)
  }
}
