public import Checkpointing
public import Optimizers

/// How long, how fast and where to.
public struct TrainerOptions: Sendable {
  /// Pairs of all ranks together in one step.
  public var globalBatch: Int
  /// Optimizer steps of the whole run.
  public var steps: Int
  public var optimizer: AdamWOptions
  /// Whether weight decay applies to a parameter of this name and shape.
  public var decays: @Sendable (String, [Int]) -> Bool
  public var warmupSteps: Int
  /// How the learning rate goes after the warm-up.
  public var schedule: LearningRateSchedule.Shape
  /// The share of a moving average that stays in each step; nil keeps none.
  public var averageDecay: Float?
  /// The largest norm of the gradient; nil leaves it as it is.
  public var clipNorm: Float?
  /// When checkpoints are written beside the last one, and which are kept.
  public var checkpoints: CheckpointOptions
  /// Steps between comparisons of the parameters of all ranks, beside those at each checkpoint; 0 for none.
  public var checkRanksEvery = 100
  /// Steps between lines of the log.
  public var logEvery: Int
  /// Steps between evaluations; 0 has one after the last step only.
  public var evaluateEvery: Int
  /// Holds `checkpoints/` and `metrics.jsonl`.
  public var folder: String
  public var seed: UInt64
  /// Hash of what must not change when a run is resumed.
  public var configuration: String
  /// What else must not change, by the manifest's keys: those that the trainer does not know itself.
  public var settings: [String: String] = [:]

  public init(
    globalBatch: Int, steps: Int, optimizer: AdamWOptions,
    decays: @escaping @Sendable (String, [Int]) -> Bool = { _, shape in shape.count > 1 },
    warmupSteps: Int = 0, schedule: LearningRateSchedule.Shape = .cosine,
    averageDecay: Float? = nil, clipNorm: Float? = nil, checkpointEvery: Int = 0, logEvery: Int = 1,
    evaluateEvery: Int = 0, folder: String, seed: UInt64, configuration: String
  ) {
    self.globalBatch = globalBatch
    self.steps = steps
    self.optimizer = optimizer
    self.decays = decays
    self.warmupSteps = warmupSteps
    self.schedule = schedule
    self.averageDecay = averageDecay
    self.clipNorm = clipNorm
    checkpoints = CheckpointOptions(everySteps: checkpointEvery)
    self.logEvery = logEvery
    self.evaluateEvery = evaluateEvery
    self.folder = folder
    self.seed = seed
    self.configuration = configuration
  }
}

/// How a run ended.
public struct TrainingOutcome: Sendable, Equatable {
  /// Steps done, over all parts of the run.
  public var step: Int
  /// The step that this part began after; 0 for a fresh run.
  public var resumedFrom: Int
  /// Whether it was asked to stop before its last step.
  public var wasStopped: Bool
  /// Loss of the last step done now; nil when there was none to do.
  public var loss: Float?
  /// What was wrong with checkpoints that were passed over.
  public var warnings: [String]
}
