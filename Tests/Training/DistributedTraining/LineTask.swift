import Autograd
import Checkpointing
import Collectives
import DistributedTraining
import Foundation
import TensorEngine

/// Fits w·x to y by least squares; a batch is the numbers of its samples.
final class LineTask: TrainingTask {
  let weight = Variable(Tensor(shape: [2, 1], [0.5, -0.5]), requiresGradient: true)
  let bias = Variable(Tensor(shape: [1], [0]), requiresGradient: true)
  /// The running mean of the bias.
  let running = Variable(Tensor(shape: [1], [0]))
  let globalBatch: Int
  let scalarNames = ["count"]
  /// Called with the number of calls so far, before a loss is returned and after a step.
  var onBackward: (LineTask, Int) -> Void = { _, _ in }
  var onStep: (LineTask, Int) -> Void = { _, _ in }
  private var calls = 0

  init(globalBatch: Int) { self.globalBatch = globalBatch }

  var parameters: [(name: String, variable: Variable)] { [("weight", weight), ("bias", bias)] }

  var buffers: [(name: String, variable: Variable)] { [("running", running)] }

  func backward(_ batch: [Int], in group: ProcessGroup) throws -> (loss: Float, scalars: [Float]) {
    let (w, b) = (weight.value.values, bias.value.values[0])
    var (loss, dw, db): (Float, [Float], Float) = (0, [0, 0], 0)
    for sample in batch {
      let x = [Float(sample % 7) / 7, Float(sample % 5) / 5]
      let error = w[0] * x[0] + w[1] * x[1] + b - (3 * x[0] - 2 * x[1] + 0.25)
      loss += error * error / Float(globalBatch)
      for i in 0..<2 { dw[i] += 2 * error * x[i] / Float(globalBatch) }
      db += 2 * error / Float(globalBatch)
    }
    running.value = Tensor(shape: [1], [running.value.scalar * 0.9 + b * 0.1])
    weight.gradient = Tensor(shape: [2, 1], dw)
    bias.gradient = Tensor(shape: [1], [db])
    calls += 1
    onBackward(self, calls)
    return (loss, [Float(batch.count)])
  }

  func afterStep() { onStep(self, calls) }

  func keys(of batch: [Int]) -> [String] { batch.map { "pair\($0)" } }

  func tokenCount(of batch: [Int]) -> Int { 3 * batch.count }

  var hash: String {
    Checkpoint.hash(of: (parameters + buffers).map { ($0.name, $0.variable.value) })
  }
}

final class Counting: BatchStream {
  let globalBatch: Int
  var position = 0
  var slice = 0..<0
  var onNext: (Int) -> Void = { _ in }
  /// Stand-ins in each batch.
  var replaced = 0

  init(globalBatch: Int) { self.globalBatch = globalBatch }

  func start(at position: Int, group: ProcessGroup) {
    self.position = position
    let (rank, world) = (group.rank, group.worldSize)
    slice = Range(uncheckedBounds: (rank * globalBatch / world, (rank + 1) * globalBatch / world))
  }
  func next() throws -> (batch: [Int], replaced: Int) {
    onNext(position / globalBatch)
    defer { position += globalBatch }
    return (slice.map { position + $0 }, replaced)
  }
  func stop() {}
}
