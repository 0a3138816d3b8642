import Foundation
import PairDataset
import PipelineCore
import ScoreStage
import Testing

/// Scores a pair by the first byte of its picture.
struct FirstByteScorer: PairScorer {
  var name = "first-byte"
  var provenance = ["weights": "none"]
  var factor: Float = 0.125

  func scores(of pairs: [Pair]) async throws -> [Float] {
    pairs.map { Float($0.image[0]) * factor }
  }
}

@Suite struct ScoreStageTests {
  static func makeRun(pairs: Int) throws -> RunFolder {
    let folder = RunFolder(
      FileManager.default.temporaryDirectory.path + "/score-" + UUID().uuidString)
    try folder.make()
    guard pairs > 0 else { return folder }
    let writer = try ShardWriter(folder: folder.shards, name: "00000", compression: .lz4)
    for index in 0..<pairs {
      try writer.append(
        Pair(key: "k\(index)", caption: "c", image: [UInt8(index)], metadata: []))
    }
    _ = try writer.finish()
    return folder
  }

  @Test(
    "every pair gets its score, in order, whatever the batch", arguments: [0, 1, 5], [1, 2, 64])
  func scores(_ pairs: Int, _ batch: Int) async throws {
    let folder = try Self.makeRun(pairs: pairs)
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = ScoreStage(scorer: FirstByteScorer(), batch: batch)
    let context = StageContext(folder: folder) { _ in [] }
    let report = try await stage.run(Chunk(number: 0, attempt: 1), in: context)
    #expect(report == StageReport(input: pairs, kept: pairs))
    let rows = try PairTable.read(folder.scoreTable(0, scorer: "first-byte"))
    #expect(rows.map { $0["key"]?.text } == (0..<pairs).map { "k\($0)" })
    #expect(rows.map { $0["score"]?.double } == (0..<pairs).map { Double($0) / 8 })
    let facts = try PairTable.metadata(of: folder.scoreTable(0, scorer: "first-byte"))
    #expect(facts["scorer"] == "first-byte")
    #expect(facts["weights"] == "none")
  }

  /// Cannot score pictures whose first byte is odd.
  struct EvenScorer: PairScorer {
    let name = "even"
    let provenance = ["weights": "none"]

    func scores(of pairs: [Pair]) async throws -> [Float] { pairs.map { Float($0.image[0]) } }
    func outcomes(of pairs: [Pair]) async throws -> [PairScore] {
      pairs.map { $0.image[0] % 2 == 0 ? PairScore(0.5) : PairScore(.undecodable("odd")) }
    }
  }

  @Test("a pair that cannot be scored stays, with the reason")
  func unscored() async throws {
    let folder = try Self.makeRun(pairs: 3)
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let report = try await ScoreStage(scorer: EvenScorer()).run(
      Chunk(number: 0, attempt: 1), in: StageContext(folder: folder) { _ in [] })
    #expect(report == StageReport(input: 3, kept: 3, facts: ["unscored": 1]))
    let rows = try PairTable.read(folder.scoreTable(0, scorer: "even"))
    #expect(rows.map { $0["score"]?.double } == [0.5, nil, 0.5])
    #expect(rows.map { $0["fault"]?.text } == [nil, "undecodable", nil])
  }

  @Test("a score that is no number fails the chunk")
  func notANumber() async throws {
    let folder = try Self.makeRun(pairs: 2)
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = ScoreStage(scorer: FirstByteScorer(factor: .nan))
    let context = StageContext(folder: folder) { _ in [] }
    await #expect(throws: StageError.self) {
      try await stage.run(Chunk(number: 0, attempt: 1), in: context)
    }
  }
}
