import DecodeStage
import DurableFiles
public import FilterPlans
import PairDataset
public import PipelineCore
import ShardDeduplication
public import WorkerProcesses

/// What a run's filter did, for a person to judge it by: as `pairloom filter` tells of its own.
public enum RunFilterReview {
  /// Judges the pairs once more.
  ///
  /// Costs the passes of `FilterEvaluator`, one for the choice of samples, and the pictures of these.
  ///
  /// - Parameters:
  ///   - plan: The run's.
  ///   - rows: The pairs of its shards.
  ///   - chunks: The shards' numbers, in the order of the rows.
  ///   - run: Where the shards are.
  ///   - threads: Cores to use.
  ///   - worker: Starts a process that decodes; nil decodes in this one.
  /// - Returns: What each rule takes, and samples.
  /// - Throws: What is damaged, what the disk refuses, a worker that cannot start.
  public static func make(
    _ plan: FilterPlan, over rows: any FilterRows, chunks: [Int], in run: RunFolder, threads: Int,
    worker: WorkerCommand?
  ) throws -> (outcome: ShardFilterOutcome, review: FilterReview) {
    let decision = try FilterEvaluator.evaluate(plan, over: rows, threads: threads)
    var review = try FilterReview(plan, decision, rows)
    review.illustrate(try pictures(of: review.rows, chunks: chunks, in: run, worker))
    return (ShardFilterOutcome(decision, of: plan), review)
  }

  /// Small pictures of some rows, by row.
  private static func pictures(
    of rows: Set<Int>, chunks: [Int], in run: RunFolder, _ worker: WorkerCommand?
  ) throws -> [Int: [UInt8]] {
    let path = TemporaryPath.new()
    let file = try DurableFileWriter(path)
    var places: [(row: Int, bytes: ByteRange)] = []
    var wanted = rows.sorted()[...]
    var first = 0
    for chunk in chunks where !wanted.isEmpty {
      guard let shard = ShardFiles.shard(chunk, in: run.shards) else { continue }
      let reader = try ShardReader(path: shard)
      while let row = wanted.first, row < first + reader.count {
        wanted.removeFirst()
        let image = try reader.pair(at: row - first).image
        places.append((row, ByteRange(offset: file.byteCount, length: image.count)))
        try file.write(image)
      }
      first += reader.count
    }
    try file.commit()
    defer {
      // In the folder of temporary files, which the system clears where this cannot.
      try? DurableFile.remove(path)
    }
    let made = try ThumbnailMaker(worker: worker).thumbnails(of: places.map(\.bytes), in: path)
    return Dictionary(
      zip(places, made).compactMap { place, jpeg in jpeg.map { (place.row, $0) } },
      uniquingKeysWith: { $1 })
  }
}
