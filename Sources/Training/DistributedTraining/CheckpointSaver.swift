import Checkpointing

/// Decides on rank 0 when checkpoints are due by time, and what follows when one cannot be written.
///
/// The first failure is told and asks for another checkpoint at the end of the next step; when that fails as
/// well, the run ends after the step, with the last good one named.
final class CheckpointSaver {
  private let options: CheckpointOptions
  private let writer: CheckpointWriter
  private let clock: () -> Double
  private var lastSave: Double
  /// Of the best metric, so far.
  private var values: [Double]
  /// What was handed over last, and its value where it is the best one.
  private var attempt: (step: Int, best: Double?)?
  /// Why the one before could not be written.
  private var failure: CheckpointError?
  private var mustRetry = false
  private var hasGivenUp = false
  private var hasToldOfMetric = false
  private var notes: [String] = []

  init(
    _ options: CheckpointOptions, store: CheckpointStore, last: CheckpointWriter.Written?,
    evaluations: [[String: Double]], clock: @escaping () -> Double = StepMeter.now
  ) {
    self.options = options
    self.clock = clock
    writer = CheckpointWriter(store: store, last: last)
    lastSave = clock()
    values = options.best.map { best in evaluations.compactMap { $0[best.metric] } } ?? []
  }

  /// The newest that is whole.
  var last: CheckpointWriter.Written? { writer.last }

  /// Returns when none is in flight.
  func wait() { writer.wait() }

  /// What rank 0 asks of all ranks at this moment.
  func wishes() -> (saves: Bool, stops: Bool) {
    let isDue = options.everyMinutes.map { clock() - lastSave >= $0 * 60 } ?? false
    return (isDue || mustRetry, hasGivenUp)
  }

  /// Whether an evaluation is better than all before it; remembers it.
  func isBest(_ evaluation: [String: Double]) -> Bool {
    guard let best = options.best else { return false }
    guard let value = evaluation[best.metric] else {
      if !hasToldOfMetric {
        let known = evaluation.keys.sorted().joined(separator: ", ")
        notes.append(
          "the evaluation gives no \(best.metric), so no best checkpoint is kept; checkpoints.best.metric "
            + "may be one of: \(known)")
      }
      hasToldOfMetric = true
      return false
    }
    defer { values.append(value) }
    return best.isBetter(value, than: values)
  }

  /// Hands over a checkpoint; waits while one is in flight.
  func save(_ checkpoint: Checkpoint, isBest: Bool) {
    writer.wait()
    look()
    guard !hasGivenUp else { return }
    (lastSave, mustRetry) = (clock(), false)
    let evaluation = isBest ? checkpoint.record.evaluation : nil
    attempt = (checkpoint.record.step, options.best.flatMap { evaluation?[$0.metric] })
    writer.write(checkpoint, isBest: isBest)
  }

  /// Tells what went wrong since the last call.
  func tell(_ note: (String) -> Void) {
    look()
    notes.forEach(note)
    notes = []
  }

  /// Ends the run: all that was handed over is written, or it throws.
  ///
  /// - Parameters:
  ///   - note: As of ``tell(_:)``.
  ///   - checkpoint: The last one once more.
  /// - Throws: `notWritten` with the last good checkpoint.
  func finish(_ note: (String) -> Void, again checkpoint: () -> Checkpoint) throws(CheckpointError)
  {
    writer.wait()
    look()
    if mustRetry {
      save(checkpoint(), isBest: attempt?.best != nil)
      writer.wait()
    }
    tell(note)
    guard let failure else { return }
    throw CheckpointError(
      path: failure.path, reason: .notWritten("\(failure)", lastGood: writer.last?.path))
  }

  /// Learns how the last attempt ended, if it has.
  private func look() {
    guard let error = writer.takeFailure() else {
      if writer.last?.step == attempt?.step { failure = nil }
      return
    }
    if failure == nil {
      mustRetry = true
      notes.append("a checkpoint of the next step is tried instead of this one: \(error)")
    } else {
      hasGivenUp = true
    }
    failure = error
    // What could not be kept must not stand in the way of what comes.
    if let value = attempt?.best { values.removeAll { $0 == value } }
  }
}
