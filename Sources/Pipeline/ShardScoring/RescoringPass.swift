import ContentHashing
import PairDataset
import PipelineCore
import WorkerThreads

/// Scores chosen pairs of one shard exactly and publishes their table.
struct RescoringPass: Sendable {
  let path: String
  let identity: ShardIdentity
  let scorer: any RescoringPairScorer
  /// The pairs, by their places in the shard, in order.
  let places: [Int]
  /// Pairs in memory at a time.
  let batch: Int

  static let askedFact = "asked_sha256"

  /// SHA-256 over the places.
  private var asked: String {
    ContentHash.sha256Hex(Array(places.map { "\($0)\n" }.joined().utf8))
  }

  /// The scores of a table that somebody has made of the same pairs; nil where there is none, or a damaged one.
  func known(_ table: String) throws -> [Float]? {
    guard let rows = try ScoreRows.ifReadable(table), rows.isWhole,
      identity.isNamed(by: rows.footer), rows.footer[Self.askedFact] == asked,
      ScoreProvenance(rows.footer) == ScoreProvenance(scorer), rows.scores.count == places.count
    else { return nil }
    return rows.scores
  }

  /// - Parameters:
  ///   - table: Where the table goes.
  ///   - times: Where the time is added up.
  /// - Returns: The scores, in the order of the places.
  /// - Throws: `ShardError`, ``ShardScoringError``, what the scorer throws, what the disk refuses.
  func run(to table: String, _ times: inout ScoringTimes) async throws -> [Float] {
    let reader = try await times.measure(\.reading) {
      try await Parallel.detached { try ShardReader(path: path) }
    }
    var scores: [Float] = []
    var rows: [JSONValue] = []
    var digest = RowsDigest()
    for start in stride(from: 0, to: places.count, by: batch) {
      try Task.checkCancellation()
      let part = places[start..<min(start + batch, places.count)]
      let pairs = try await times.measure(\.reading) {
        try await Parallel.detached { try part.map { try reader.pair(at: $0) } }
      }
      let exact = try await times.measure(\.scoring) { try await scorer.exactScores(of: pairs) }
      precondition(exact.count == pairs.count, "\(exact.count) of \(pairs.count) exact scores")
      for (pair, score) in zip(pairs, exact) {
        guard score.isFinite else {
          throw ShardScoringError.notANumber(shard: path, key: pair.key, score: "\(score)")
        }
        let outcome = PairScore(score, kind: "float32")
        rows.append(ScoreTable.row(uid: PairIdentity.uid(of: pair), key: pair.key, outcome))
        digest.add(rows[rows.count - 1])
      }
      scores += exact
    }
    let content = rows
    let facts =
      ScoreTable.metadata(of: scorer) + identity.facts + [
        (key: Self.askedFact, value: asked), (key: "pairs", value: "\(places.count)"),
        (key: RowsDigest.fact, value: digest.finish()),
      ]
    try await times.measure(\.writing) {
      try await Parallel.detached {
        try PairTable.write(
          content, columns: ScoreTable.columns(hasFaults: true, hasKinds: true), to: table,
          metadata: facts)
      }
    }
    return scores
  }
}
