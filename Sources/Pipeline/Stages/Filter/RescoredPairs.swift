import AuditedScores
import DurableFiles
import ParquetFile
import PipelineCore

/// The exact scores that a run has of pairs of one chunk, by key.
///
/// They are in the verdicts of an earlier filter job, and those of a job that is not done in
/// `filtered/rescored/`, which ends with the job: who goes on with it scores none of them again.
struct RescoredPairs: Sendable {
  var scores: [String: Float] = [:]
  private let chunk: Int
  /// What made the scores, and of which shard.
  private let identity: [(key: String, value: String)]

  /// What is known of a shard's pairs by the same scorer.
  ///
  /// - Throws: What the disk refuses.
  init(
    of shard: JudgedShard, in folder: RunFolder, by scorer: any RescoringPairScorer
  ) throws {
    chunk = shard.chunk
    identity = Self.identity(of: shard, by: scorer)
    try read(folder.filterTable(chunk))
    try read(folder.rescoredTable(chunk))
  }

  /// What verdicts and exact scores have in their footers, to be known for those of this shard and scorer.
  static func identity(
    of shard: JudgedShard, by scorer: any PairScorer
  ) -> [(key: String, value: String)] {
    [("scorer", scorer.name)]
      + scorer.provenance.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      + [("shard_sha256", shard.sha256)]
  }

  /// Adds the exact scores of a table; one that is damaged, or of another shard or scorer, has none.
  private mutating func read(_ path: String) throws {
    guard DurableFile.exists(path) else { return }
    do {
      let footer = try PairTable.metadata(of: path)
      guard identity.allSatisfy({ footer[$0.key] == $0.value }) else { return }
      for row in try PairTable.read(path) where row["kind"]?.text == ScoreKind.float32.rawValue {
        guard let key = row["key"]?.text, let score = row["score"]?.double else { continue }
        scores[key] = Float(score)
      }
    } catch is ParquetError {
    } catch is TableError {}
  }

  private static let columns = [
    TableColumn("key", .text, isOptional: false), TableColumn("score", .float, isOptional: false),
    TableColumn("kind", .text, isOptional: false),
  ]

  /// Publishes all that is known, for whoever goes on with the job.
  func write(to folder: RunFolder) throws {
    try DurableFile.makeFolder(folder.rescored)
    let rows = scores.sorted { $0.key < $1.key }.map { key, score in
      JSONValue.object([
        .init("key", .string(key)), .init("score", .number("\(score)")),
        .init("kind", .string(ScoreKind.float32.rawValue)),
      ])
    }
    try PairTable.write(
      rows, columns: Self.columns, to: folder.rescoredTable(chunk), metadata: identity)
  }
}
