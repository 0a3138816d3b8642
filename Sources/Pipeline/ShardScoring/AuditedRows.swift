import AuditedScores
import ParquetFile
import PipelineCore

/// The pairs of all shards, as an audited cut goes by them.
///
/// Memory: the key of every pair, 12 bytes, and the columns of one table.
struct AuditedRows: Sendable {
  /// −∞ where there is none.
  private(set) var scores: [Float] = []
  private(set) var ranks: [UInt64] = []
  private(set) var keys: [String] = []
  /// The pairs of each shard among all.
  private(set) var ranges: [Range<Int>] = []
  private(set) var identities: [ShardIdentity] = []

  /// - Parameters:
  ///   - tables: Of bytes, of each shard, as they were just found to be whole.
  ///   - audit: Ranks the uids.
  /// - Throws: `ParquetError`, ``ShardScoringError/lost(_:)``.
  init(_ tables: [String], audit: ScoreAudit) throws {
    for table in tables {
      let reader = try ParquetReader(path: table)
      guard let identity = ShardIdentity(reader.metadata) else {
        throw ShardScoringError.lost(table)
      }
      identities.append(identity)
      let begin = keys.count
      let batches = try reader.batches(columns: ["uid", "key", "score"], rowsPerBatch: 4_096)
      while let batch = try batches.next() {
        for row in 0..<batch.rowCount {
          guard case .text(let uid) = batch.values[0][row],
            case .text(let key) = batch.values[1][row]
          else { throw ShardScoringError.lost(table) }
          ranks.append(audit.rank(uid))
          keys.append(key)
          scores.append(batch.values[2][row].double.map { Float($0) } ?? -.infinity)
        }
      }
      ranges.append(begin..<keys.count)
    }
  }

  /// Places among all pairs, in order, as places in each shard that has some.
  func split(_ places: [Int]) -> [(shard: Int, places: [Int])] {
    var rest = places[...]
    var parts: [(shard: Int, places: [Int])] = []
    for (shard, range) in ranges.enumerated() {
      let part = rest.prefix { $0 < range.upperBound }
      rest = rest.dropFirst(part.count)
      if !part.isEmpty { parts.append((shard, part.map { $0 - range.lowerBound })) }
    }
    return parts
  }
}
