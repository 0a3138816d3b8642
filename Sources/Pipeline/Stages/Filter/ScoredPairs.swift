import AuditedScores
import PipelineCore

/// The pairs of a run's shards by their scores, as tables have them.
struct ScoredPairs: Sendable {
  var keys: [String] = []
  /// −∞ for what could not be scored: it is the last of all, and below any bound.
  var scores: [Float] = []
  /// Of the uids, where an audit chooses among the pairs.
  var ranks: [UInt64] = []
  /// The pairs of each chunk, one after the other.
  var ranges: [Range<Int>] = []

  /// Reads the tables of `chunks`.
  ///
  /// - Parameters:
  ///   - chunks: In order.
  ///   - folder: The run's.
  ///   - scorer: Whose scores count.
  ///   - audit: Ranks the uids; nil leaves them out.
  /// - Throws: What is wrong with a table.
  init(_ chunks: [Int], in folder: RunFolder, scorer: String, audit: ScoreAudit? = nil) throws {
    for chunk in chunks {
      let path = folder.scoreTable(chunk, scorer: scorer)
      let rows = try PairTable.read(path) { row in
        row["key"]?.text.map {
          (key: $0, score: row["score"]?.double, uid: row["uid"]?.text)
        }
      }
      ranges.append(keys.count..<keys.count + rows.count)
      keys += rows.map(\.key)
      scores += rows.map { row in row.score.map { Float($0) } ?? -.infinity }
      guard let audit else { continue }
      ranks += try rows.enumerated().map { index, row in
        guard let uid = row.uid else {
          throw TableError(path: path, row: index, problem: "a pair has no uid")
        }
        return audit.rank(uid)
      }
    }
  }
}
