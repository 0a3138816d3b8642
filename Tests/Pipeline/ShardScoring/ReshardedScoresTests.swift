import Foundation
import PairDataset
import PipelineCore
import ShardMaintenance
import ShardScoring
import Testing

@Suite struct ReshardedScoresTests {
  @Test("scores outlive resharding: the same pairs are kept before and after")
  func reshard() async throws {
    let toy = try ToyShards()
    let shards = try toy.shards(3, pairs: 40)
    let scores = toy.folder + "/scores"
    _ = try await ShardScorer(shards, to: scores, scorer: ByteScorer()).run()
    let new = toy.folder + "/new"
    let outcome = try Resharder.reshard(
      shards, to: new, options: ReshardOptions(maxPairs: 17, shuffleSeed: 5))
    #expect(outcome.pairs == 120)
    let after = outcome.shards.map { "\(new)/\($0.file)" }
    #expect(after.count == 8)
    let threshold: Float = 0.1
    let kept = try await Self.kept(shards, scores, atLeast: threshold)
    #expect(try await Self.kept(after, scores, atLeast: threshold) == kept)
    // The naive way: the pairs themselves.
    let naive = Set(
      (0..<120).map { ToyShards.pair($0) }.filter { ByteScorer.score($0) >= threshold }
        .map { PairIdentity.uid(of: $0) })
    #expect(kept == naive && !kept.isEmpty && kept.count < 120)
  }

  private static func kept(
    _ shards: [String], _ scores: String, atLeast threshold: Float
  ) async throws -> Set<String> {
    let scorer = try TableScorer([scores])
    var kept: Set<String> = []
    for path in shards {
      let reader = try ShardReader(path: path)
      let pairs = try (0..<reader.count).map { try reader.pair(at: $0) }
      for (pair, outcome) in zip(pairs, try await scorer.outcomes(of: pairs)) {
        let score = try #require(outcome.score)
        if score >= threshold { kept.insert(PairIdentity.uid(of: pair)) }
      }
    }
    #expect(scorer.joined.found == scorer.joined.pairs)
    return kept
  }

  @Test("a pair that no table knows has no score; tables that know none are refused")
  func unknown() async throws {
    let toy = try ToyShards()
    let shards = try toy.shards(1, pairs: 4)
    let scores = toy.folder + "/scores.parquet"
    _ = try await ShardScorer(shards, to: scores, scorer: ByteScorer()).run()
    let scorer = try TableScorer([scores])
    let outcomes = try await scorer.outcomes(of: [ToyShards.pair(2), ToyShards.pair(9)])
    #expect(outcomes.map(\.score) == [ByteScorer.score(ToyShards.pair(2)), nil])
    #expect(outcomes[1].fault?.reason == "not_in_tables")
    let strangers = try TableScorer([scores])
    await #expect(throws: ScoreSourceError.self) {
      try await strangers.outcomes(of: (100..<1_200).map { ToyShards.pair($0) })
    }
  }
}
