public import FilterPlans
public import ShardMaintenance
public import ShardScoring
public import WorkerProcesses

/// How pairs are filtered.
public struct ShardFilterOptions: Sendable {
  public var plan: FilterPlan
  /// Tables of numbers that are joined to the pairs, folders of them, and folders of embeddings.
  public var scores: [String] = []
  /// Opens folders of embeddings among ``scores``; nil refuses them.
  public var openEmbeddings: ScoreSources.EmbeddingOpener?
  /// The columns that the plan means, by the names that it has for them.
  public var aliases: [String: String] = [:]
  /// How new shards are cut.
  public var cut: ReshardOptions
  public var threads: Int
  /// Makes the samples of the report small, in a process of its own; nil in this one.
  public var worker: WorkerCommand?

  public init(
    plan: FilterPlan, scores: [String] = [], aliases: [String: String] = [:],
    cut: ReshardOptions = ReshardOptions(maxPairs: 10_000), threads: Int = 1,
    worker: WorkerCommand? = nil
  ) {
    self.plan = plan
    self.scores = scores
    self.aliases = aliases
    self.cut = cut
    self.threads = threads
    self.worker = worker
  }
}

/// What is under way.
public enum ShardFilterProgress: Sendable {
  case read(Int)
  case judged(Int)
  case copied(Int, kept: Int, of: Int)
}

/// What came of it.
public struct ShardFilterOutcome: Sendable, Codable, Equatable {
  public struct Rule: Sendable, Codable, Equatable {
    public var name: String
    public var alone: Int
    public var remaining: Int
    public var unknown: Int
    public var threshold: Double?
  }

  public struct Skipped: Sendable, Codable, Equatable {
    public var rule: String
    public var why: String
  }

  public var read = 0
  public var kept = 0
  public var rules: [Rule] = []
  public var skipped: [Skipped] = []
  public var notApplied: [String] = []
  public var notes: [String] = []
  /// What a person should know of the scores that were joined.
  public var warnings: [String] = []
  /// New shards, by paths in their folder.
  public var shards: [String] = []
  /// Pairs that had to be given another key.
  public var renamed = 0
  /// Why no tables were taken along, where some shards have them.
  public var withoutTables: String?
  /// Whether an earlier command had made it all.
  public var wasComplete = false

  init(_ outcome: FilterOutcome, of plan: FilterPlan) {
    read = outcome.pairs
    kept = outcome.keptCount
    rules = outcome.yields.map {
      Rule(
        name: $0.name, alone: $0.alone, remaining: $0.remaining, unknown: $0.unknown,
        threshold: $0.threshold.flatMap { $0.isFinite ? $0 : nil })
    }
    skipped = outcome.skipped.map { Skipped(rule: $0.rule, why: $0.why) }
    notApplied = plan.notApplied
    notes = plan.notes
  }
}
