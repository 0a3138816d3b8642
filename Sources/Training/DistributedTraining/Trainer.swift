import Autograd
import Checkpointing
public import Collectives
import DurableFiles
import Glibc
import Optimizers
import TensorEngine

/// Gives batches in order, from wherever a run stands.
public protocol BatchStream<Batch>: AnyObject {
  associatedtype Batch: Sendable
  /// Makes the batch at `position` samples the next one.
  func start(at position: Int, group: ProcessGroup)
  /// The next batch and how many of its pairs are stand-ins.
  func next() throws -> (batch: Batch, replaced: Int)
  func stop()
}

/// Trains a task over the ranks of a group until its last step, or until it is asked to stop.
///
/// Each rank calls ``run(batches:stop:progress:resumed:)``. A run that was stopped or killed goes on from
/// its latest checkpoint with the same bits as if nothing had happened, at the same world size.
public final class Trainer<Task: TrainingTask> {
  private let task: Task
  private let options: TrainerOptions
  private let group: ProcessGroup
  private let optimizer: AdamW
  private let parameters: [(name: String, variable: Variable)]
  private let store: CheckpointStore
  private let log: MetricsLog
  private var buckets: GradientBuckets

  public init(task: Task, options: TrainerOptions, group: ProcessGroup) {
    self.task = task
    self.options = options
    self.group = group
    parameters = task.parameters
    optimizer = AdamW(
      parameters: parameters, options: options.optimizer, decays: options.decays)
    store = CheckpointStore(folder: options.folder + "/checkpoints")
    log = MetricsLog(path: options.folder + "/metrics.jsonl")
    buckets = GradientBuckets(parameters)
  }

  /// Runs to the end.
  ///
  /// - Parameters:
  ///   - batches: This rank's slices of the global batches.
  ///   - stop: Looked at once per step; one rank's suffices.
  ///   - progress: Called on rank 0 with each line of the log.
  ///   - resumed: Called on rank 0 once the checkpoint is read, with the steps done and what was wrong
  ///     with checkpoints that were passed over; what it throws ends the run.
  /// - Returns: How it ended; then the task holds the trained parameters.
  /// - Throws: ``CollectiveError`` when a rank is lost, ``CheckpointError``, and what the batches
  ///   throw.
  public func run(
    batches: some BatchStream<Task.Batch>, stop: StopFlag = StopFlag(),
    progress: (StepMetrics) -> Void = { _ in },
    resumed: (_ step: Int, _ warnings: [String]) throws -> Void = { _, _ in }
  ) throws -> TrainingOutcome {
    var outcome = TrainingOutcome(
      step: 0, resumedFrom: 0, wasStopped: false, loss: nil, warnings: [])
    outcome.resumedFrom = try resume(&outcome.warnings)
    outcome.step = outcome.resumedFrom
    if group.rank == 0 { try resumed(outcome.resumedFrom, outcome.warnings) }
    guard outcome.step < options.steps else { return outcome }
    batches.start(at: outcome.step * options.globalBatch, group: group)
    defer { batches.stop() }
    var meter = StepMeter(group)
    var savedStep = outcome.step
    while outcome.step < options.steps, !outcome.wasStopped {
      let (batch, replaced) = try meter.waiting { try batches.next() }
      meter.replacedPairs += replaced
      let step = try self.step(batch, outcome.step, stop)
      outcome.step += 1
      outcome.loss = step.loss
      outcome.wasStopped = step.shouldStop && outcome.step < options.steps
      if outcome.step % max(1, options.logEvery) == 0 || outcome.step == options.steps {
        let metrics = meter.line(
          step: outcome.step, globalBatch: options.globalBatch, loss: step.loss,
          learningRate: step.learningRate, gradientNorm: step.gradientNorm,
          scalars: Dictionary(
            uniqueKeysWithValues: zip(task.scalarNames, step.scalars)))
        if group.rank == 0 {
          try log.append(metrics)
          progress(metrics)
        }
      }
      let isDue = options.checkpointEvery > 0 && outcome.step % options.checkpointEvery == 0
      if isDue || outcome.wasStopped || outcome.step == options.steps {
        try save(step: outcome.step)
        savedStep = outcome.step
      }
    }
    precondition(savedStep == outcome.step, "the last step was not saved")
    return outcome
  }

  private struct Step {
    var loss: Float
    var scalars: [Float]
    var learningRate: Float
    var gradientNorm: Float
    var shouldStop: Bool
  }

  private func step(_ batch: Task.Batch, _ done: Int, _ stop: StopFlag) throws -> Step {
    for (_, variable) in parameters { variable.gradient = nil }
    let share = try task.backward(batch, in: group)
    var sums = [share.loss, stop.shouldStop ? 1 : 0] + share.scalars
    try buckets.allReduce(&sums, in: group)
    let norm = clipGradientNorm(parameters, maxNorm: options.clipNorm ?? .infinity)
    guard norm.isFinite, sums[0].isFinite else {
      throw TrainingDiverged(step: done + 1, loss: sums[0], gradientNorm: norm)
    }
    let schedule = CosineSchedule(
      base: options.optimizer.learningRate, warmup: options.warmupSteps, total: options.steps)
    let learningRate = schedule.learningRate(step: done)
    optimizer.step(learningRate: learningRate)
    task.afterStep()
    return Step(
      loss: sums[0], scalars: Array(sums.dropFirst(2)), learningRate: learningRate,
      gradientNorm: norm, shouldStop: sums[1] > 0)
  }
}

/// The loss or its gradient is no longer a number.
public struct TrainingDiverged: Error, Equatable, Sendable, CustomStringConvertible {
  public var step: Int
  public var loss: Float
  public var gradientNorm: Float

  public var description: String {
    "step \(step): loss \(loss), gradient norm \(gradientNorm). Lower optimizer.learning_rate, "
      + "raise optimizer.warmup_steps or set optimizer.clip_norm, and start from an empty folder."
  }
}

// Checkpoints: rank 0 reads and writes them, the others get them over the ring.
extension Trainer {
  private func save(step: Int) throws {
    guard group.rank == 0 else { return }
    try store.save(
      Checkpoint(
        parameters: (parameters + task.buffers).map { ($0.name, $0.variable.value) },
        optimizer: optimizer.state,
        record: CheckpointRecord(
          step: step, cursor: step * options.globalBatch, seed: options.seed,
          worldSize: group.worldSize, configuration: options.configuration)))
  }

  /// Puts the run where its latest checkpoint left it, on every rank; gives the steps done.
  ///
  /// Without one, all ranks begin with rank 0's parameters and buffers.
  private func resume(_ warnings: inout [String]) throws -> Int {
    var step = 0
    if group.rank == 0 {
      try DurableFile.makeFolder(options.folder)
      try DurableFile.removeTemporaries(in: store.folder)
      let found = try store.latest()
      warnings = found.warnings.map(\.description)
      if let checkpoint = found.checkpoint {
        try check(checkpoint.record)
        try apply(checkpoint)
        step = checkpoint.record.step
        try store.setAside(found.warnings)
      } else if let newest = found.warnings.first {
        throw CheckpointError(
          path: store.folder,
          reason: .allBroken(count: found.warnings.count, newest: newest.description))
      }
      try log.keep(upTo: step)
    }
    guard group.worldSize > 1 else { return step }
    // The number travels as the bits of a Float, which are only copied.
    var header = [Float(bitPattern: UInt32(step))]
    try group.broadcast(&header, from: 0)
    step = Int(header[0].bitPattern)
    for (_, variable) in parameters + task.buffers {
      var values = variable.value.values
      try group.broadcast(&values, from: 0)
      variable.value = Tensor(shape: variable.value.shape, values)
    }
    guard step > 0 else { return 0 }
    var state: [(name: String, tensor: Tensor)] = []
    for (name, tensor) in optimizer.state {
      var values = tensor.values
      try group.broadcast(&values, from: 0)
      state.append((name, Tensor(shape: tensor.shape, values)))
    }
    if group.rank != 0 { try optimizer.load(state: state, stepCount: step) }
    return step
  }

  private func check(_ record: CheckpointRecord) throws(CheckpointError) {
    var difference: String?
    if record.seed != options.seed { difference = "was written with seed \(record.seed)" }
    if record.configuration != options.configuration {
      difference = "was written with another model, data set, batch or optimizer"
    }
    if record.step > options.steps {
      difference = "stands at step \(record.step), beyond the last step \(options.steps)"
    }
    if let difference {
      throw CheckpointError(path: store.folder, reason: .otherConfiguration(difference))
    }
  }

  private func apply(_ checkpoint: Checkpoint) throws {
    let values = Dictionary(
      uniqueKeysWithValues: checkpoint.parameters.map { ($0.name, $0.tensor) })
    for (name, variable) in parameters + task.buffers {
      guard let value = values[name], value.shape == variable.value.shape else {
        throw CheckpointError(
          path: store.folder,
          reason: .otherConfiguration("holds no \(name) of shape \(variable.value.shape)"))
      }
      variable.value = value
    }
    try optimizer.load(state: checkpoint.optimizer, stepCount: checkpoint.record.step)
  }
}
