import PairDataset
import PipelineCore
import WorkerThreads

/// Scores the pairs of one shard and publishes their table.
struct ShardPass {
  let path: String
  let identity: ShardIdentity
  let scorer: any PairScorer
  /// Pairs in memory at a time.
  let batch: Int

  /// - Parameters:
  ///   - table: Where the table goes.
  ///   - times: Where the time is added up.
  ///   - onPairs: Told how many of how many pairs are done.
  /// - Returns: How many pairs there are.
  /// - Throws: `ShardError`, what the scorer throws, what the disk refuses.
  func run(
    to table: String, _ times: inout ScoringTimes, _ onPairs: (Int, Int) -> Void
  ) async throws -> Int {
    let path = path
    let reader = try await times.measure(\.reading) {
      try await Parallel.detached { try ShardReader(path: path) }
    }
    let count = reader.count
    var rows: [JSONValue] = []
    var hasKinds = false
    var digest = RowsDigest()
    for start in stride(from: 0, to: count, by: batch) {
      try Task.checkCancellation()
      let end = min(start + batch, count)
      let pairs = try await times.measure(\.reading) {
        try await Parallel.detached { try (start..<end).map { try reader.pair(at: $0) } }
      }
      let outcomes = try await times.measure(\.scoring) { try await self.outcomes(of: pairs) }
      for (pair, outcome) in zip(pairs, outcomes) {
        if let score = outcome.score, !score.isFinite {
          throw ShardScoringError.notANumber(shard: path, key: pair.key, score: "\(score)")
        }
        if outcome.kind != nil { hasKinds = true }
        rows.append(ScoreTable.row(uid: PairIdentity.uid(of: pair), key: pair.key, outcome))
        digest.add(rows[rows.count - 1])
      }
      onPairs(end, count)
    }
    let facts =
      ScoreTable.metadata(of: scorer) + identity.facts + [
        (key: "pairs", value: "\(count)"), (key: RowsDigest.fact, value: digest.finish()),
      ]
    let (content, columns) = (rows, ScoreTable.columns(hasFaults: true, hasKinds: hasKinds))
    try await times.measure(\.writing) {
      try await Parallel.detached {
        try PairTable.write(content, columns: columns, to: table, metadata: facts)
      }
    }
    return count
  }

  /// The scorer is asked only for samples that have a caption.
  private func outcomes(of pairs: [Pair]) async throws -> [PairScore] {
    let asked = pairs.indices.filter { pairs[$0].hasText }
    var outcomes = [PairScore](repeating: PairScore(.noCaption), count: pairs.count)
    guard !asked.isEmpty else { return outcomes }
    let given = try await scorer.outcomes(of: asked.map { pairs[$0] })
    precondition(given.count == asked.count, "\(given.count) of \(asked.count) outcomes")
    for (index, outcome) in zip(asked, given) { outcomes[index] = outcome }
    return outcomes
  }
}

/// Where the time of a process went, in seconds.
public struct ScoringTimes: Sendable, Equatable, Codable {
  /// Of shards, for their digests too.
  public var reading = 0.0
  public var scoring = 0.0
  public var writing = 0.0

  public init() {}

  mutating func measure<T: Sendable>(
    _ part: WritableKeyPath<ScoringTimes, Double>, _ body: () async throws -> T
  ) async rethrows -> T {
    let begin = ContinuousClock.now
    let result = try await body()
    self[keyPath: part] += (ContinuousClock.now - begin) / .seconds(1)
    return result
  }

  /// The part that took longest.
  public var slowest: String {
    let parts = [("scoring", scoring), ("reading", reading), ("writing", writing)]
    return parts.max { $0.1 < $1.1 }?.0 ?? "scoring"
  }
}
