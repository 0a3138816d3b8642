import ContentHashing
import DurableFiles
public import EmbeddingFiles
import PairDataset
import PipelineCore
public import ShardMaintenance

/// What came of it.
public struct SemanticOutcome: Sendable, Equatable {
  /// Rows of the embeddings, and those that are duplicates.
  public var rows = 0
  public var duplicates = 0
  public var clusters = 0
  public var audit = SemanticAudit()
  /// The largest groups: the row that stays, its key, and how many were dropped for it.
  public var groups: [Group] = []
  /// Pairs of the shards that were read and those that are in the new ones; zero for a plan.
  public var read = 0
  public var kept = 0
  public var bytesRead = 0
  public var bytesDropped = 0
  public var shards: [String] = []

  public struct Group: Sendable, Equatable {
    public var row: Int
    public var key: String
    public var dropped: Int
  }

  public init() {}
}

/// Frees shards of pairs whose embeddings are nearly those of others (SemDeDup).
///
/// Everything is written to `OUT.part`, which becomes `OUT` in one step; a command that was killed is given again
/// and begins anew. The same embeddings, shards and options give the same bytes on any number of cores.
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
    let judgement = judge(onProgress)
    if let table { try SemanticTable.write(judgement, of: folder, rows, to: table, facts: facts) }
    return try outcome(judgement)
  }

  /// Copies the pairs of shards that stay, byte for byte.
  ///
  /// Pairs without a row in the embeddings stay.
  ///
  /// - Parameters:
  ///   - shards: Those that were embedded, in the same order.
  ///   - out: A folder that is new or empty.
  ///   - cut: How the new shards are cut.
  ///   - onProgress: Told of passes and pairs.
  /// - Returns: What was written.
  /// - Throws: ``SemanticDeduplicationError``, what is wrong with a shard, what the disk refuses.
  public func deduplicate(
    _ shards: [String], to out: String, cut: ReshardOptions,
    onProgress: (Progress) -> Void = { _ in }
  ) throws -> SemanticOutcome {
    let out = Resharder.trimmed(out)
    guard try DurableFile.names(in: out).isEmpty else {
      throw SemanticDeduplicationError.outputExists(out)
    }
    let judgement = judge(onProgress)
    var outcome = try outcome(judgement)
    var dropped = try DroppedPairs(judgement, of: folder)
    let part = try PartFolder(for: out, reading: shards)
    try SemanticTable.write(
      judgement, of: folder, rows, to: "\(part.path)/\(SemanticTable.name)", facts: facts)
    var packing = try ShardPacking(shards, into: part.path, cut)
    for path in shards {
      try packing.open(path)
      try ShardReader(path: path).forEachSample { sample in
        outcome.read += 1
        let bytes = sample.members.reduce(0) { $0 + $1.data.count }
        outcome.bytesRead += bytes
        let name =
          dropped.isByKey
          ? sample.key : try sample.pair(of: path).map { PairIdentity.uid(of: $0) } ?? ""
        if dropped.take(name) {
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
      try part.remove()
      throw SemanticDeduplicationError.otherShards(missing: missing, embeddings: folder.path)
    }
    outcome.shards = try packing.finish().map(\.file)
    let recipe = (["dedup --semantic"] + facts.map { "\($0.key) \($0.value)" })
      .joined(separator: "\n")
    try packing.describe(
      read: outcome.read, recipeSHA256: ContentHash.sha256Hex(Array(recipe.utf8)))
    try part.publish(as: out)
    return outcome
  }

  private func judge(_ onProgress: (Progress) -> Void) -> SemanticJudgement {
    SemanticJudgement(rows, rules: rules, by: clusterer) { onProgress(.judging($0)) }
  }

  private func outcome(_ judgement: SemanticJudgement) throws -> SemanticOutcome {
    var outcome = SemanticOutcome()
    outcome.rows = rows.count
    outcome.duplicates = judgement.fates.count
    outcome.clusters = rules.clusterCount(rows: rows.count)
    outcome.audit = judgement.audit(rows, rules: rules, by: clusterer, most: audited)
    let sizes = Dictionary(judgement.fates.values.map { ($0.survivor, 1) }, uniquingKeysWith: +)
    let largest = sizes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .prefix(Self.mostGroups)
    let names = try folder.metadata(of: Set(largest.map(\.key)))
    outcome.groups = largest.map {
      SemanticOutcome.Group(row: $0.key, key: names[$0.key]?.key ?? "", dropped: $0.value)
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
