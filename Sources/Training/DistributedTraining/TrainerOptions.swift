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
  /// The largest norm of the gradient; nil leaves it as it is.
  public var clipNorm: Float?
  /// Steps between checkpoints; 0 writes the last one only.
  public var checkpointEvery: Int
  /// Steps between lines of the log.
  public var logEvery: Int
  /// Holds `checkpoints/` and `metrics.jsonl`.
  public var folder: String
  public var seed: UInt64
  /// Hash of what must not change when a run is resumed.
  public var configuration: String

  public init(
    globalBatch: Int, steps: Int, optimizer: AdamWOptions,
    decays: @escaping @Sendable (String, [Int]) -> Bool = { _, shape in shape.count > 1 },
    warmupSteps: Int = 0, clipNorm: Float? = nil, checkpointEvery: Int = 0, logEvery: Int = 1,
    folder: String, seed: UInt64, configuration: String
  ) {
    self.globalBatch = globalBatch
    self.steps = steps
    self.optimizer = optimizer
    self.decays = decays
    self.warmupSteps = warmupSteps
    self.clipNorm = clipNorm
    self.checkpointEvery = checkpointEvery
    self.logEvery = logEvery
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
