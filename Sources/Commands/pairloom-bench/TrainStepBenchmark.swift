import ArgumentParser
import Autograd
import BatchLoading
import CLIPModel
import CLIPTraining
import Collectives
import Optimizers
import PipelineCore
import TensorEngine

/// `train-step`: one step of contrastive training, without the reading of data.
struct TrainStepBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-step",
    abstract: "Forward, contrastive loss, backward, clipping, AdamW and clamp, on one batch.",
    discussion: "Prints step_s (the median), pairs_per_s, peak_rss_mb (2²⁰ bytes) and the loss.")

  @OptionGroup var model: ModelOptions

  @Option(help: "Pairs of one step.")
  var batch = 64

  @Option(help: "Timed steps, after one that warms up.")
  var steps = 6

  func validate() throws {
    try requirePositive(batch, "--batch")
    try requirePositive(steps, "--steps")
  }

  func run() throws {
    TensorThreads.set(model.threads)
    let inputs = try ModelInputs(model: model.model, count: batch)
    let pairs = PairBatch(
      images: inputs.images(0..<batch), tokens: inputs.tokens, keys: (0..<batch).map(String.init))
    let task = ContrastiveTask(model: CLIP(inputs.configuration, seed: 0))
    let optimizer = AdamW(
      parameters: task.parameters,
      options: AdamWOptions(
        learningRate: 1e-4, beta1: 0.9, beta2: 0.98, epsilon: 1e-6, weightDecay: 0.2),
      // The peer's optimizer has one group of parameters, which all decay.
      decays: { _, _ in true })
    var loss: Float = 0
    let rounds = try Rounds(steps, clock: .wall) {
      for (_, variable) in task.parameters { variable.gradient = nil }
      loss = try task.backward(pairs, in: .alone).loss
      let norm = optimizer.arena.gradientNorm()
      optimizer.step(
        learningRate: 1e-4, gradientScale: clippingFactor(norm: norm, maxNorm: 1))
      task.afterStep()
    }
    Figure(
      name: "train-step",
      values: [
        .init("model", .string(model.model)), .init("batch", .int(batch)),
        .init("mean_tokens", .rounded(inputs.meanTokens)),
        .init("step_s", .rounded(rounds.median)),
        .init("pairs_per_s", .rounded(Double(batch) / rounds.median)),
        .init("peak_rss_mb", .rounded(PeakMemory.mebibytes)),
        .init("loss", .rounded(Double(loss))),
      ], threads: model.threads, rounds: rounds
    ).print()
  }
}
