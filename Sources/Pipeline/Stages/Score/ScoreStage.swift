import DurableFiles
import PairDataset
public import PipelineCore
import WorkerThreads

/// Scores the pairs of one shard with a model that the caller hands in.
///
/// Reads `shards/NNNNN.tar[.lz4]`; writes `scores/SCORER/NNNNN.parquet` with uid, key and score of every
/// pair, and in its footer what made them. Nothing is dropped here: thresholds are the filter's, so
/// they can change without scoring again.
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

  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    let folder = run.folder
    try await Parallel.detached { try DurableFile.makeFolder(folder.scores(of: scorer.name)) }
    let shards = try await Parallel.detached {
      try ShardFiles.shard(chunk.number, in: folder.shards).map { try ShardReader(path: $0) }
    }
    var rows: [JSONValue] = []
    let count = shards?.count ?? 0
    for start in stride(from: 0, to: count, by: batch) {
      try Task.checkCancellation()
      let pairs = try await Parallel.detached {
        try (start..<min(start + batch, count)).compactMap { try shards?.pair(at: $0) }
      }
      let scores = try await scorer.scores(of: pairs)
      precondition(scores.count == pairs.count, "\(scores.count) scores for \(pairs.count) pairs")
      for (pair, score) in zip(pairs, scores) {
        guard score.isFinite else {
          throw StageError(.score, chunk: chunk.number, "the score of \(pair.key) is \(score)")
        }
        rows.append(
          ScoreTable.row(uid: PairIdentity.uid(of: pair), key: pair.key, score: score))
      }
    }
    let table = rows
    try await Parallel.detached {
      try PairTable.write(
        table, columns: ScoreTable.columns,
        to: folder.scoreTable(chunk.number, scorer: scorer.name),
        metadata: ScoreTable.metadata(of: scorer))
    }
    return StageReport(input: rows.count, kept: rows.count)
  }
}
