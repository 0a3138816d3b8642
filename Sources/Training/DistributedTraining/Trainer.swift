import Autograd
import Checkpointing
public import Collectives
import Optimizers
import TensorEngine

/// Gives batches in order, from wherever a run stands.
public protocol BatchStream<Batch>: AnyObject {
  associatedtype Batch: Sendable
  /// Makes the batch at `position` samples the next one.
  func start(at position: Int, group: ProcessGroup) throws
  /// The next batch and how many of its pairs are stand-ins.
  func next() throws -> (batch: Batch, replaced: Int)
  /// Called on every rank at the same steps: before a line of the log, and before a checkpoint.
  func settle(in group: ProcessGroup) throws
  func stop()
}

extension BatchStream {
  public func settle(in group: ProcessGroup) throws {}
}

/// Trains a task over the ranks of a group until its last step, or until it is asked to stop.
///
/// Each rank calls ``run(batches:stop:progress:resumed:note:evaluate:)``. A run that was stopped or killed goes on
/// from its latest checkpoint with the same bits as if nothing had happened, at the same world size.
public final class Trainer<Task: TrainingTask> {
  let task: Task
  let options: TrainerOptions
  let group: ProcessGroup
  let optimizer: AdamW
  let average: MovingAverage?
  let parameters: [(name: String, variable: Variable)]
  let store: CheckpointStore
  let log: MetricsLog
  private let buckets: GradientBuckets
  private var meter: StepMeter
  /// Rank 0's, from the start of the run until this trainer goes.
  var lock: FolderLock?

  public init(task: Task, options: TrainerOptions, group: ProcessGroup) {
    self.task = task
    self.options = options
    self.group = group
    parameters = task.parameters
    optimizer = AdamW(
      parameters: parameters, options: options.optimizer, decays: options.decays)
    average = options.averageDecay.map { MovingAverage(of: task.parameters, decay: $0) }
    store = CheckpointStore(
      folder: options.folder + "/checkpoints", keeps: options.checkpoints.keep)
    log = MetricsLog(path: options.folder + "/metrics.jsonl")
    buckets = GradientBuckets(optimizer.arena)
    meter = StepMeter(group, replacedPairs: 0)
  }

  /// Runs `body` with the moving average in the parameters' place.
  ///
  /// - Returns: Nil where none is kept.
  public func withAverages<R>(_ body: () throws -> R) rethrows -> R? {
    try average.map { try $0.withAverages(body) }
  }

  /// Runs to the end.
  ///
  /// - Parameters:
  ///   - batches: This rank's slices of the global batches.
  ///   - stop: Looked at once per step; one rank's suffices.
  ///   - progress: Called on rank 0 with each line of the log.
  ///   - resumed: Called on rank 0 once the checkpoint is read, with the steps done and what is to be
  ///     known of it; what it throws ends the run.
  ///   - note: Called on rank 0 with what goes wrong but does not end the run yet.
  ///   - evaluate: Called on every rank after each step that `evaluateEvery` divides and after the last
  ///     one, with the steps done; what rank 0 gets counts.
  /// - Returns: How it ended; then the task holds the trained parameters.
  /// - Throws: ``CollectiveError`` when a rank is lost, ``CheckpointError``, ``TrainingDiverged``,
  ///   ``RanksDiverged``, ``FolderInUse``, and what the batches throw.
  public func run(
    batches: some BatchStream<Task.Batch>, stop: StopFlag = StopFlag(),
    progress: (StepMetrics) -> Void = { _ in },
    resumed: (_ step: Int, _ warnings: [String]) throws -> Void = { _, _ in },
    note: (String) -> Void = { _ in },
    evaluate: ((_ step: Int) throws -> [String: Double])? = nil
  ) throws -> TrainingOutcome {
    let start = try resume()
    var outcome = TrainingOutcome(
      step: start.step, resumedFrom: start.step, wasStopped: false, loss: nil,
      warnings: start.warnings)
    if group.rank == 0 { try resumed(start.step, start.warnings) }
    guard outcome.step < options.steps else { return outcome }
    let saver = CheckpointSaver(
      options.checkpoints, store: store, last: start.checkpoint, evaluations: start.evaluations)
    // Whatever ends the run, what is being written is finished first.
    defer { saver.wait() }
    var check = RankCheck(parameters, in: group, from: outcome.step)
    try batches.start(at: outcome.step * options.globalBatch, group: group)
    defer { batches.stop() }
    meter = StepMeter(group, replacedPairs: start.replacedPairs)
    while outcome.step < options.steps, !outcome.wasStopped {
      let (batch, replaced) = try meter.measure(.data) { try batches.next() }
      let step = try self.step(batch, replaced, outcome.step, stop, saver)
      meter.count(replaced: step.replaced, tokens: task.tokenCount(of: batch))
      outcome.step += 1
      outcome.loss = step.line.loss
      outcome.wasStopped = step.shouldStop && outcome.step < options.steps
      let isLast = outcome.step == options.steps
      let isLogged = outcome.step % max(1, options.logEvery) == 0 || isLast
      if isLogged {
        try batches.settle(in: group)
        try record(try meter.line(step.line), progress)
      }
      var evaluation: [String: Double]?
      var isBest = false
      if let evaluate, isLast || outcome.step.isDue(options.evaluateEvery) {
        evaluation = try meter.measure(.evaluation) {
          try shareBuffers()
          return try evaluate(outcome.step)
        }
        var line = meter.plain(step.line)
        line.evaluation = evaluation
        try record(line, progress)
        isBest = try group.first(saver.isBest(evaluation ?? [:]))
      }
      let isDue = outcome.step.isDue(options.checkpoints.everySteps) || step.shouldSave || isBest
      let isSaved = isDue || outcome.wasStopped || isLast
      // What a checkpoint's step replaced is on disk before it.
      if isSaved, !isLogged { try batches.settle(in: group) }
      let replacedPairs = meter.replacedPairs
      func state() -> Checkpoint {
        checkpoint(step: outcome.step, replacedPairs: replacedPairs, evaluation)
      }
      try meter.measure(.checkpoint) {
        if isSaved || outcome.step.isDue(options.checkRanksEvery) {
          try verify(&check, outcome.step, saver)
        }
        guard isSaved else { return }
        try requireNumbers(step.line, batch, saver)
        guard group.rank == 0 else { return }
        try log.synchronize()
        saver.save(state(), isBest: isBest)
      }
      guard group.rank == 0 else { continue }
      saver.tell(note)
      if outcome.wasStopped || isLast { try saver.finish(note, again: state) }
    }
    return outcome
  }

  /// A line of the log.
  private func record(_ metrics: StepMetrics, _ progress: (StepMetrics) -> Void) throws {
    guard group.rank == 0 else { return }
    try log.append(metrics)
    progress(metrics)
  }

  private struct Step {
    var line: StepMeter.Step
    /// Stand-ins in the batches of all ranks.
    var replaced: Int
    /// Some rank was asked to stop, or rank 0 cannot write.
    var shouldStop: Bool
    /// Rank 0's clock says that a checkpoint is due, or that the last one has to be tried again.
    var shouldSave: Bool
  }

  private func step(
    _ batch: Task.Batch, _ replaced: Int, _ done: Int, _ stop: StopFlag, _ saver: CheckpointSaver
  ) throws -> Step {
    for (_, variable) in parameters { variable.gradient = nil }
    let share = try meter.measure(task) { try task.backward(batch, in: group) }
    // What one rank wants, all learn with the sums: they do it after the same step.
    let wishes = group.rank == 0 ? saver.wishes() : (saves: false, stops: false)
    var sums =
      [share.loss, stop.shouldStop || wishes.stops ? 1 : 0, wishes.saves ? 1 : 0, Float(replaced)]
      + share.scalars
    try meter.measure(.communication) { try buckets.allReduce(&sums, in: group) }
    let learningRate = LearningRateSchedule(
      options.schedule, base: options.optimizer.learningRate, warmup: options.warmupSteps,
      total: options.steps
    ).learningRate(step: done)
    let norm = meter.measure(.optimizer) { optimizer.arena.gradientNorm() }
    let line = StepMeter.Step(
      step: done + 1, globalBatch: options.globalBatch, loss: sums[0], learningRate: learningRate,
      gradientNorm: norm,
      scalars: Dictionary(uniqueKeysWithValues: zip(task.scalarNames, sums.dropFirst(4))))
    guard norm.isFinite, sums[0].isFinite else { throw try diverged(line, batch, saver) }
    meter.measure(.optimizer) {
      optimizer.step(
        learningRate: learningRate,
        gradientScale: clippingFactor(norm: norm, maxNorm: options.clipNorm ?? .infinity))
      task.afterStep()
      average?.update()
    }
    return Step(
      line: line, replaced: Int(sums[3]), shouldStop: sums[1] > 0, shouldSave: sums[2] > 0)
  }
}

extension Int {
  /// Whether it is a multiple of `period`; 0 is a period that never ends.
  fileprivate func isDue(_ period: Int) -> Bool { period > 0 && self % period == 0 }
}

extension ProcessGroup {
  /// Rank 0's answer, on every rank.
  fileprivate func first(_ answer: Bool) throws(CollectiveError) -> Bool {
    var number: [Float] = [answer ? 1 : 0]
    if worldSize > 1 { try broadcast(&number, from: 0) }
    return number[0] > 0
  }
}
