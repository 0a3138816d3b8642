import DurableFiles
import PairDataset
import PipelineCore

/// Copies kept pairs from the chunks' shards into shards of bounded length, numbered without gaps.
///
/// Each gets the rows of its pairs as a table, out of the tables of the chunks' shards, in their
/// order. Memory: a frame of the shard and the rows of two tables.
final class PackedShards {
  private let run: RunFolder
  private let first: Int
  private let facts: [(key: String, value: String)]
  private let writer: RollingShardWriter
  /// What was taken, in order.
  private var parts: [PackedRows.Part] = []

  /// - Parameters:
  ///   - run: Whose `filtered/` the shards go to.
  ///   - first: The number of the first one.
  ///   - packing: How they are cut and stored.
  ///   - facts: For the footers of their tables.
  init(
    in run: RunFolder, first: Int, packing: ShardPacking, facts: [(key: String, value: String)]
  ) {
    self.run = run
    self.facts = facts
    self.first = first
    writer = RollingShardWriter(
      folder: run.filtered, firstNumber: first, compression: packing.compression,
      maxPairs: packing.maxPairs, maxBytes: packing.maxBytes)
  }

  /// Appends the pairs of one shard that are to be kept.
  ///
  /// - Parameters:
  ///   - chunk: The shard's number.
  ///   - kept: For each of its pairs; nil keeps all.
  ///   - keys: Of its pairs, as they were scored; nil where they were not.
  /// - Throws: ``StageError`` where the shard no longer holds the pairs that were scored.
  func copy(_ chunk: Int, keeping kept: [Bool]?, keys: [String]?) throws {
    if let kept, !kept.contains(true) { return }
    guard let path = ShardFiles.shard(chunk, in: run.shards) else {
      throw StageError(.filter, chunk: 0, "shard \(chunk) was written and is gone")
    }
    let reader = try ShardReader(path: path)
    guard keys == nil || reader.keys == keys else {
      throw StageError(.filter, chunk: 0, "\(path) holds other pairs than were scored")
    }
    var part = PackedRows.Part(
      chunk: chunk, count: reader.count, shard: path, kept: kept)
    for index in 0..<reader.count where kept?[index] ?? true {
      let pair = try reader.pair(at: index)
      let key = try append(pair, of: chunk)
      if key != pair.key { part.renamed[index] = key }
    }
    parts.append(part)
  }

  /// Appends a pair under its key, or another one where the shard has that already.
  ///
  /// Keys are unique within a chunk's shard, but where duplicates are kept not over all of them.
  private func append(_ pair: Pair, of chunk: Int) throws -> String {
    var pair = pair
    while true {
      do {
        try writer.append(pair)
        return pair.key
      } catch {
        // What stands in a shard can be written but for its key; a key has at most 1,024 bytes.
        guard case .badPair = error.reason, pair.key.utf8.count < 1_000 else { throw error }
        pair.key += "-\(chunk)"
        pair.metadata = try Self.metadata(pair.metadata, key: pair.key)
      }
    }
  }

  /// A pair's JSON with another key in it.
  private static func metadata(_ bytes: [UInt8], key: String) throws -> [UInt8] {
    guard !bytes.isEmpty else { return bytes }
    let members = try JSONValue.parse(bytes).members.map { member in
      member.key == "key" ? .init("key", .string(key)) : member
    }
    return Array(JSONValue.object(members).serialized.utf8)
  }

  /// Publishes the last shard and the tables of all.
  ///
  /// - Returns: The shards with their tables, by paths in the run's folder.
  func finish() throws -> [ShardSummary] {
    var summaries = try writer.finish()
    var rows = PackedRows(parts: parts, run: run)
    for index in summaries.indices {
      let table = RunFolder.digits(first + index) + ".parquet"
      try rows.write(summaries[index].pairs, to: "\(run.filtered)/\(table)", facts: facts)
      summaries[index].file = "filtered/" + summaries[index].file
      summaries[index].table = "filtered/" + table
    }
    return summaries
  }
}
