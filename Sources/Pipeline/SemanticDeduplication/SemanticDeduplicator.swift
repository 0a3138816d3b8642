import ContentHashing
import DurableFiles
public import EmbeddingFiles
import PairDataset
import PipelineCore
import ShardDeduplication
public import ShardMaintenance
public import WorkerProcesses

/// Frees shards of pairs whose embeddings are nearly those of others (SemDeDup).
///
/// Everything grows in `OUT.part`, from which `OUT` comes in one step. A command that was killed is given again and
/// goes on: clusters are durable after every pass. The same embeddings, shards and options give the same bytes on
/// any number of cores.
public struct SemanticDeduplicator: Sendable {
  /// What is under way.
  public enum Progress: Sendable {
    case judging(SemanticJudgement.Progress)
    case copied(Int, kept: Int)
  }

  private static let mostGroups = 12

  private let folder: EmbeddingFolder
  private let rows: EmbeddingRows
  private let rules: SemanticRules
  private let clusterer: any EmbeddingClusterer
  /// Rows of the audit.
  private let audited: Int

  /// - Throws: ``SemanticDeduplicationError/noVectors(_:_:)``.
  public init(
    _ folder: EmbeddingFolder, rules: SemanticRules, clusterer: any EmbeddingClusterer,
    audited: Int = 500
  ) throws(SemanticDeduplicationError) {
    guard let rows = folder.vectors(rules.tower) else {
      throw .noVectors(folder.path, rules.tower)
    }
    self.folder = folder
    self.rows = rows
    self.rules = rules
    self.clusterer = clusterer
    self.audited = audited
  }

  /// Says how many would go; with `table` for each row what for.
  public func plan(
    table: String? = nil, onProgress: (Progress) -> Void = { _ in }
  ) throws -> SemanticOutcome {
    let judgement = try judge(nil, onProgress)
    if let table { try SemanticTable.write(judgement, of: folder, rows, to: table, facts: facts) }
    return outcome(judgement, try review(judgement))
  }

  /// Copies the pairs of shards that stay, byte for byte.
  ///
  /// Pairs without a row in the embeddings stay.
  ///
  /// - Parameters:
  ///   - shards: Those that were embedded, in the same order.
  ///   - out: A folder that is new or empty, or that the same command has made.
  ///   - cut: How the new shards are cut.
  ///   - worker: Makes the samples of the report small, in a process of its own; nil in this one.
  ///   - report: Writes pages about it into the folder before it appears.
  ///   - onProgress: Told of passes and pairs.
  /// - Returns: What was written, or is there already.
  /// - Throws: ``SemanticDeduplicationError``, `ShardDeduplicationError` of the folder, what is wrong with a
  ///   shard, what the disk refuses.
  public func deduplicate(
    _ shards: [String], to out: String, cut: ReshardOptions, worker: WorkerCommand? = nil,
    report: (SemanticOutcome, SemanticReview, _ folder: String) throws -> Void = { _, _, _ in },
    onProgress: (Progress) -> Void = { _ in }
  ) throws -> SemanticOutcome {
    let out = Resharder.trimmed(out)
    let record = SemanticRecord(
      facts: facts + [("vectors", rows.digest)], audited: audited, shards: shards, cut: cut)
    if let done = try record.finished(out) {
      // A kill between publishing and cleaning leaves what it was made from.
      if DurableFile.exists(out + ".part") {
        try WorkFolder(out + ".part", reading: shards).remove()
      }
      return done
    }
    let work = try WorkFolder(out + ".part", reading: shards)
    try work.bind(settings: try record.settings)
    let judgement = try judge(ClusteringWork(folder: work.path), onProgress)
    var review = try review(judgement)
    var outcome = outcome(judgement, review)
    let part = try work.clearedOutput()
    try SemanticTable.write(
      judgement, of: folder, rows, to: "\(part)/\(SemanticTable.name)", facts: facts)
    let samples = try SemanticSamples(review.rows, in: work.path)
    var packing = try ShardPacking(shards, into: part, cut)
    var named = try RowsOfPairs(of: folder) {
      judgement.fates[$0] != nil || samples.rows.contains($0)
    }
    for path in shards {
      try packing.open(path)
      try ShardReader(path: path).forEachSample { sample in
        outcome.read += 1
        let bytes = sample.members.reduce(0) { $0 + $1.data.count }
        outcome.bytesRead += bytes
        let pair = try sample.pair(of: path)
        let row = named.take(uid: pair.map { PairIdentity.uid(of: $0) }, key: sample.key)
        if let row, let pair { try samples.take(pair, row: row) }
        if let row, judgement.fates[row] != nil {
          outcome.bytesDropped += bytes
        } else {
          try packing.take(sample, of: path)
        }
        onProgress(.copied(outcome.read, kept: packing.pairs))
      }
    }
    outcome.kept = packing.pairs
    let missing = outcome.duplicates - (outcome.read - outcome.kept)
    guard missing == 0 else {
      try work.remove()
      throw SemanticDeduplicationError.otherShards(missing: missing, embeddings: folder.path)
    }
    outcome.shards = try packing.finish().map(\.file)
    let recipe = (["dedup --semantic"] + facts.map { "\($0.key) \($0.value)" })
      .joined(separator: "\n")
    try packing.describe(
      read: outcome.read, recipeSHA256: ContentHash.sha256Hex(Array(recipe.utf8)))
    let (pictures, captions) = try samples.finish(worker)
    review.illustrate(pictures, captions: captions)
    try report(outcome, review, part)
    try record.write(outcome, to: part)
    try work.publish(as: out)
    return outcome
  }

  private func judge(
    _ work: ClusteringWork?, _ onProgress: (Progress) -> Void
  ) throws -> SemanticJudgement {
    try SemanticJudgement(rows, rules: rules, by: clusterer, work: work) {
      onProgress(.judging($0))
    }
  }

  private func review(_ judgement: SemanticJudgement) throws -> SemanticReview {
    try SemanticReview(judgement, of: folder, rows, groups: Self.mostGroups)
  }

  private func outcome(_ judgement: SemanticJudgement, _ review: SemanticReview) -> SemanticOutcome
  {
    var outcome = SemanticOutcome()
    outcome.rows = rows.count
    outcome.duplicates = judgement.fates.count
    outcome.clusters = rules.clusterCount(rows: rows.count)
    outcome.audit = judgement.audit(rows, rules: rules, by: clusterer, most: audited)
    outcome.groups = review.groups.map {
      SemanticOutcome.Group(row: $0.survivor.row, key: $0.survivor.key, dropped: $0.dropped)
    }
    return outcome
  }

  /// What the result follows from.
  private var facts: [(key: String, value: String)] {
    [
      ("semantic", "\(rules.epsilon)"), ("keep", rules.keep.rawValue),
      ("clusters", "\(rules.clusterCount(rows: rows.count))"), ("by", rules.tower.rawValue),
      ("seed", "\(rules.seed)"), ("rows", "\(rows.count)"), ("width", "\(rows.width)"),
    ]
  }
}
