import DurableFiles
import PairDataset
public import PipelineCore
import WorkerThreads

/// Scores the pairs of one shard with a model that the caller hands in.
///
/// Reads `shards/NNNNN.tar[.lz4]`; writes `scores/SCORER/NNNNN.parquet` with uid, key and score of every
/// pair, and in its footer what made them. A pair that the scorer cannot score stays, without a score and with
/// the reason. Nothing is dropped here: thresholds are the filter's, so they can change without scoring again.
public struct ScoreStage: Stage {
  public let name = StageName.score
  public let lane = Lane.compute
  private let scorer: any PairScorer
  private let batch: Int

  /// - Parameters:
  ///   - scorer: Asked for one batch at a time per worker.
  ///   - batch: Pairs per call.
  public init(scorer: any PairScorer, batch: Int = 64) {
    self.scorer = scorer
    self.batch = batch
  }

  /// By which a job counts the pairs without a score, where there are some.
  static let unscoredFact = "unscored"

  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    let folder = run.folder
    try await Parallel.detached { try DurableFile.makeFolder(folder.scores(of: scorer.name)) }
    let shards = try await Parallel.detached {
      try ShardFiles.shard(chunk.number, in: folder.shards).map { try ShardReader(path: $0) }
    }
    var rows: [JSONValue] = []
    var (unscored, hasKinds) = (0, false)
    let count = shards?.count ?? 0
    for start in stride(from: 0, to: count, by: batch) {
      try Task.checkCancellation()
      let pairs = try await Parallel.detached {
        try (start..<min(start + batch, count)).compactMap { try shards?.pair(at: $0) }
      }
      let outcomes = try await scorer.outcomes(of: pairs)
      precondition(outcomes.count == pairs.count, "\(outcomes.count) of \(pairs.count) outcomes")
      for (pair, outcome) in zip(pairs, outcomes) {
        if let score = outcome.score, !score.isFinite {
          throw StageError(.score, chunk: chunk.number, "the score of \(pair.key) is \(score)")
        }
        if outcome.score == nil { unscored += 1 }
        if outcome.kind != nil { hasKinds = true }
        rows.append(ScoreTable.row(uid: PairIdentity.uid(of: pair), key: pair.key, outcome))
      }
    }
    let table = rows
    let columns = ScoreTable.columns(hasFaults: unscored > 0, hasKinds: hasKinds)
    try await Parallel.detached {
      try PairTable.write(
        table, columns: columns, to: folder.scoreTable(chunk.number, scorer: scorer.name),
        metadata: ScoreTable.metadata(of: scorer))
    }
    return StageReport(
      input: rows.count, kept: rows.count, facts: unscored > 0 ? [Self.unscoredFact: unscored] : [:]
    )
  }
}
