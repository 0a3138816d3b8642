import Autograd
import Checkpointing
import Collectives
import DurableFiles
import Optimizers
import TensorEngine

// What must not go on: numbers that are none, and ranks that no longer agree.
extension Trainer {
  /// Says why the run ends on a loss or gradient that is no number; all ranks call it together.
  ///
  /// The gradients are still as they were summed, and the parameters as before the step.
  func diverged(
    _ line: StepMeter.Step, _ batch: Task.Batch, _ saver: CheckpointSaver
  ) throws -> TrainingDiverged {
    var error = TrainingDiverged(
      step: line.step, loss: line.loss, gradientNorm: line.gradientNorm,
      learningRate: line.learningRate, baseLearningRate: options.optimizer.learningRate)
    error.gradients = parameters.reversed().filter { _, variable in
      variable.gradient.map { !$0.isFinite() } ?? false
    }.map(\.name)
    error.parameters = parameters.filter { !$0.variable.value.isFinite() }.map(\.name)
    let keys = task.keys(of: batch)
    // A key holds no line feed; a shard's are made of file names.
    error.keys = try group.allGather(bytes: Array(keys.joined(separator: "\n").utf8)).map { bytes in
      String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
    guard group.rank == 0 else { return error }
    saver.wait()
    error.checkpoint = saver.last?.path
    error.checkpointStep = saver.last?.step
    let path = options.folder + "/" + TrainingDiverged.fileName
    error.report = path
    try error.write(to: path)
    return error
  }

  /// Refuses to save parameters that are no numbers; all ranks have the same, so all end.
  ///
  /// Costs one pass over them.
  func requireNumbers(
    _ line: StepMeter.Step, _ batch: Task.Batch, _ saver: CheckpointSaver
  ) throws {
    guard !parameters.allSatisfy({ $0.variable.value.isFinite() }) else { return }
    throw try diverged(line, batch, saver)
  }

  /// Compares the parameters of all ranks.
  func verify(_ check: inout RankCheck, _ step: Int, _ saver: CheckpointSaver) throws {
    do { try check.verify(step: step) } catch var error as RanksDiverged {
      if group.rank == 0 {
        saver.wait()
        error.checkpoint = saver.last?.path
      }
      throw error
    }
  }
}
