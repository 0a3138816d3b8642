import DurableFiles
import PairDataset
import PipelineCore

/// Copies kept pairs into shards of equal length, numbered without gaps.
final class FilteredShards {
  private let folder: String
  private let first: Int
  private let pairsPerShard: Int
  private let compression: ShardCompression
  private var writer: ShardWriter?
  /// The keys of the pairs in it.
  private var used: Set<String> = []
  private var pairsInShard = 0
  private var summaries: [ShardSummary] = []

  /// - Parameters:
  ///   - folder: Where the shards go.
  ///   - first: The number of the first one.
  ///   - pairsPerShard: Of all but the last.
  ///   - compression: Of all.
  init(folder: String, first: Int, pairsPerShard: Int, compression: ShardCompression) {
    self.folder = folder
    self.first = first
    self.pairsPerShard = pairsPerShard
    self.compression = compression
  }

  /// Appends the pairs of one shard that are to be kept.
  ///
  /// - Parameters:
  ///   - chunk: The shard's number.
  ///   - keeping: For each of its pairs.
  ///   - keys: Of its pairs, as they were scored.
  ///   - run: The run's folder.
  /// - Throws: ``StageError`` where the shard no longer holds the pairs that were scored.
  func copy(_ chunk: Int, keeping: [Bool], keys: [String], in run: RunFolder) throws {
    guard keeping.contains(true) else { return }
    guard let path = ShardFiles.shard(chunk, in: run.shards) else {
      throw StageError(.filter, chunk: 0, "shard \(chunk) was scored and is gone")
    }
    let reader = try ShardReader(path: path)
    guard reader.keys == keys else {
      throw StageError(.filter, chunk: 0, "\(path) holds other pairs than were scored")
    }
    for (index, isKept) in keeping.enumerated() where isKept {
      var pair = try reader.pair(at: index)
      // Unique within a shard, but where duplicates are kept not over all of them.
      while used.contains(pair.key) { pair.key += "-\(chunk)" }
      try append(pair)
    }
  }

  private func append(_ pair: Pair) throws {
    let current =
      try writer
      ?? ShardWriter(
        folder: folder, name: RunFolder.digits(first + summaries.count), compression: compression)
    writer = current
    try current.append(pair)
    used.insert(pair.key)
    pairsInShard += 1
    if pairsInShard == pairsPerShard { try close() }
  }

  private func close() throws {
    guard let writer else { return }
    var summary = try writer.finish()
    summary.file = "filtered/" + summary.file
    summaries.append(summary)
    self.writer = nil
    used = []
    pairsInShard = 0
  }

  /// Publishes the last shard and gives the summaries of all.
  func finish() throws -> [ShardSummary] {
    try close()
    return summaries
  }
}
