public import Deduplication
import PairDataset
public import ShardMaintenance
public import WorkerProcesses

/// How shards are freed of duplicates.
public struct ShardDeduplicationOptions: Sendable {
  /// What counts as a duplicate.
  public var rules: DuplicateRules
  /// How the new shards are cut.
  public var cut: ReshardOptions
  /// Cores to use; of no influence on what is written.
  public var threads: Int
  /// Starts a process that decodes; nil decodes in this one.
  public var worker: WorkerCommand?

  public init(
    rules: DuplicateRules, cut: ReshardOptions = ReshardOptions(maxPairs: 10_000), threads: Int,
    worker: WorkerCommand?
  ) {
    self.rules = rules
    self.cut = cut
    self.threads = threads
    self.worker = worker
  }

  /// What the output follows from besides the shards, by the names of the command's options.
  ///
  /// No path of an index: its content counts.
  func settings() throws -> [(key: String, value: String)] {
    let against = try EvaluationIndex.identities(rules.against)
    let sets = try EvaluationSet.identities(rules.evaluationSets)
    return [
      ("match", rules.kind.rawValue), ("radius", "\(rules.radius)"),
      ("scope", rules.scope.rawValue), ("keep", rules.keep.rawValue),
      ("best-by", rules.bestColumn ?? "pixels"), ("against", against.joined(separator: " ")),
      ("evaluation-set", sets.joined(separator: " ")),
      (
        "placeholders",
        rules.placeholders.isEmpty
          ? "never"
          : PlaceholderSign.allCases.compactMap { sign in
            rules.placeholders[sign].map { "\(sign.rawValue) \($0)" }
          }.joined(separator: " ")
      ),
      ("caption-limit", rules.captionLimit.map { "\($0)" } ?? "none"),
      ("caption-similarity", rules.captionSimilarity.map { "\($0)" } ?? "none"),
      ("pairs", cut.maxPairs.map { "\($0)" } ?? "no bound"),
      ("bytes", cut.maxBytes.map { "\($0)" } ?? "no bound"),
      ("compression", cut.compression.rawValue),
    ]
  }
}
