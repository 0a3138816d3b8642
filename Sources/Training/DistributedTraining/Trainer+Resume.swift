import Autograd
import Checkpointing
import Collectives
import DurableFiles
import Optimizers
import TensorEngine

/// Where a part of a run begins.
struct RunStart {
  /// Steps done.
  var step = 0
  /// What is to be known of it.
  var warnings: [String] = []
  var checkpoint: CheckpointWriter.Written?
  /// Of the steps done, oldest first.
  var evaluations: [[String: Double]] = []
  var replacedPairs = 0
}

// Checkpoints: rank 0 reads and writes them, the others get them over the ring.
extension Trainer {
  /// The state after a step; it shares its floats with the run until the next step writes to them.
  func checkpoint(step: Int, replacedPairs: Int, _ evaluation: [String: Double]?) -> Checkpoint {
    Checkpoint(
      parameters: (parameters + task.buffers).map { ($0.name, $0.variable.value) },
      optimizer: optimizer.state, averages: average?.state ?? [],
      record: CheckpointRecord(
        step: step, cursor: step * options.globalBatch, seed: options.seed,
        worldSize: group.worldSize, configuration: options.configuration,
        settings: options.fixedSettings, replacedPairs: replacedPairs, evaluation: evaluation))
  }

  /// Puts the run where its latest checkpoint left it, on every rank.
  ///
  /// Without one, all ranks begin with rank 0's parameters and buffers.
  func resume() throws -> RunStart {
    var start = RunStart()
    if group.rank == 0 { start = try readLatest() }
    guard group.worldSize > 1 else { return start }
    // The number travels as the bits of a Float, which are only copied.
    var header = [Float(bitPattern: UInt32(start.step))]
    try group.broadcast(&header, from: 0)
    start.step = Int(header[0].bitPattern)
    try share(parameters)
    try shareBuffers()
    if let average { try average.load(try broadcast(average.state)) }
    guard start.step > 0 else { return start }
    let state = try broadcast(optimizer.state)
    if group.rank != 0 { try optimizer.load(state: state, stepCount: start.step) }
    return start
  }

  /// Clears what a killed run left and takes up its newest whole checkpoint.
  private func readLatest() throws -> RunStart {
    var start = RunStart()
    try DurableFile.makeFolder(options.folder)
    lock = try FolderLock(options.folder)
    try DurableFile.removeTemporaries(in: options.folder)
    try DurableFile.removeTemporaries(in: store.folder)
    let found = try store.latest()
    start.warnings = found.warnings.map(\.description)
    if let checkpoint = found.checkpoint {
      let record = checkpoint.record
      try options.check(record, folder: store.folder)
      try apply(checkpoint)
      start.step = record.step
      start.checkpoint = .init(path: store.path(step: record.step), step: record.step)
      start.replacedPairs = record.replacedPairs ?? 0
      if record.worldSize != group.worldSize {
        start.warnings.append(
          "step \(record.step) was computed by \(record.worldSize) ranks, now there are "
            + "\(group.worldSize): the batches stay the same, but sums are rounded in another order, "
            + "so the last digits will differ from those of an undisturbed run")
      }
      try store.setAside(found.warnings)
    } else if let newest = found.warnings.first {
      throw CheckpointError(
        path: store.folder,
        reason: .allBroken(count: found.warnings.count, newest: newest.description))
    }
    // What ended the part before, this part may find again.
    try DurableFile.remove(options.folder + "/" + TrainingDiverged.fileName)
    start.evaluations = try log.keep(upTo: start.step)
    if let checkpoint = start.checkpoint, let evaluation = found.checkpoint?.record.evaluation {
      // The log's last evaluation is that of this very step; a run killed between the two names of its file
      // would never come back to the second.
      try markIfBest(checkpoint.path, evaluation, earlier: start.evaluations.dropLast())
    }
    return start
  }

  private func markIfBest(
    _ path: String, _ evaluation: [String: Double], earlier: ArraySlice<[String: Double]>
  ) throws {
    guard let best = options.checkpoints.best, let value = evaluation[best.metric],
      best.isBetter(value, than: earlier.compactMap { $0[best.metric] })
    else { return }
    try store.markBest(path)
  }

  /// Puts rank 0's buffers in the place of every other rank's.
  ///
  /// What an evaluation sees is then what a checkpoint holds.
  func shareBuffers() throws { try share(task.buffers) }

  private func share(_ variables: [(name: String, variable: Variable)]) throws {
    guard group.worldSize > 1 else { return }
    for (_, variable) in variables {
      var values = variable.value.values
      try group.broadcast(&values, from: 0)
      variable.value = Tensor(shape: variable.value.shape, values)
    }
  }

  /// Rank 0's tensors, on every rank.
  private func broadcast(
    _ tensors: [(name: String, tensor: Tensor)]
  ) throws -> [(name: String, tensor: Tensor)] {
    try tensors.map { name, tensor in
      var values = tensor.values
      try group.broadcast(&values, from: 0)
      return (name, Tensor(shape: tensor.shape, values))
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
    try average?.load(checkpoint.averages)
  }
}
