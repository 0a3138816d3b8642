import Autograd
import BatchLoading
import CLIPModel
import CLIPTraining
import Foundation
import RankThreads
import SeededRandom
import TensorEngine
import Testing

/// The gradients of one step over `world` ranks, summed, with the loss and what the buffers hold then.
private func step(
  _ clip: OpenCLIP, _ options: ContrastiveOptions, world: Int = 1
) throws -> (loss: Float, gradients: [String: [Float]], buffers: [String: [Float]]) {
  struct Share: Sendable {
    var loss: Float
    var gradients: [String: [Float]] = [:]
    var buffers: [String: [Float]] = [:]
  }
  let shares = try Ranks.run(world) { group in
    let task = ContrastiveTask(model: try clip.model(), options: options)
    var share = Share(
      loss: try task.backward(try clip.batch(rank: group.rank, worldSize: world), in: group).loss)
    for (name, variable) in task.parameters {
      share.gradients[name] = try #require(variable.gradient, "\(name)").values
    }
    for (name, variable) in task.buffers { share.buffers[name] = variable.value.values }
    return share
  }.map { try $0.get() }
  var sum = shares[0].gradients
  for share in shares.dropFirst() {
    for (name, values) in share.gradients {
      sum[name] = zip(try #require(sum[name]), values).map { $0 + $1 }
    }
  }
  return (shares.reduce(0) { $0 + $1.loss }, sum, shares[0].buffers)
}

/// The largest distance between two sets of gradients, as a share of each one's length.
private func distance(_ a: [String: [Float]], _ b: [String: [Float]]) throws -> Double {
  #expect(Set(a.keys) == Set(b.keys))
  var worst = 0.0
  for (name, values) in a {
    let others = try #require(b[name])
    let difference = zip(values, others).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
    let length = others.reduce(0.0) { $0 + pow(Double($1), 2) }
    worst = max(worst, (difference / max(length, 1e-30)).squareRoot())
  }
  return worst
}

@Suite struct StepOptionsTests {
  @Test(
    "parts with one loss give the loss and gradients of the whole batch, the scale's among them",
    arguments: ["plain", "quick"], [(2, 1), (3, 1), (9, 1), (2, 2)])
  func microBatches(name: String, split: (parts: Int, world: Int)) throws {
    let clip = try OpenCLIP(name)
    let whole = try step(clip, ContrastiveOptions())
    var options = ContrastiveOptions()
    options.microBatches = split.parts
    let parts = try step(clip, options, world: split.world)
    #expect(abs(parts.loss - whole.loss) < 1e-5)
    // 1e-4: sums over pairs in another order. open_clip's own --accum-freq has the scale's gradient k-fold.
    #expect(try distance(parts.gradients, whole.gradients) < 1e-4)
  }

  @Test("patches left out are the same in both passes, on any number of ranks")
  func patchDropout() throws {
    let clip = try OpenCLIP("plain")
    var options = ContrastiveOptions()
    (options.patchDropout, options.seed) = (0.5, 9)
    let whole = try step(clip, options)
    #expect(try distance(whole.gradients, try step(clip, ContrastiveOptions()).gradients) > 1e-2)
    options.microBatches = 2
    #expect(try distance(try step(clip, options).gradients, whole.gradients) < 1e-4)
    #expect(try distance(try step(clip, options, world: 2).gradients, whole.gradients) < 1e-4)
    options.seed = 10
    #expect(try distance(try step(clip, options).gradients, whole.gradients) > 1e-2)
  }

  @Test(
    "blocks that are computed again give the same bits", arguments: ["plain", "quick", "scaled"])
  func recomputation(name: String) throws {
    let clip = try OpenCLIP(name)
    let kept = try step(clip, ContrastiveOptions())
    var options = ContrastiveOptions()
    options.recomputesBlocks = true
    let again = try step(clip, options)
    #expect(again.loss == kept.loss && again.gradients == kept.gradients)
  }

  @Test("a ResNet's running statistics move once per part, or not at all when they are frozen")
  func statistics() throws {
    let clip = try OpenCLIP("resnet")
    let start = Dictionary(
      uniqueKeysWithValues: try clip.model().buffers.map { ($0.name, $0.variable.value.values) })
    var options = ContrastiveOptions()
    let whole = try step(clip, options).buffers
    #expect(whole.keys == start.keys && start.allSatisfy { whole[$0.key] != $0.value })
    options.freezesStatistics = true
    #expect(try step(clip, options).buffers == start)
    options.freezesStatistics = false
    options.microBatches = 2
    // Twice by a tenth of the way to a part's statistics; open_clip's two passes would each move them.
    let parts = try step(clip, options).buffers
    let name = "visual.bn1.running_mean"
    let (old, moved) = (try #require(start[name]), try #require(parts[name]))
    let batches = try (0..<2).map { part in
      let own = try clip.batch(rank: part, worldSize: 2)
      let task = ContrastiveTask(model: try clip.model())
      _ = try task.backward(own, in: .alone)
      let buffer = try #require(task.buffers.first { $0.name == name })
      return zip(buffer.variable.value.values, old).map { ($0 - 0.9 * $1) / 0.1 }
    }
    for channel in old.indices {
      let expected = 0.81 * old[channel] + 0.09 * batches[0][channel] + 0.1 * batches[1][channel]
      #expect(abs(moved[channel] - expected) < 1e-5)
    }
  }

  @Test("a softmax knows no bias: its gradient is zero, and the loss that of a model without")
  func biasOfSoftmax() throws {
    let clip = try OpenCLIP("plain")
    var configuration = clip.configuration
    configuration.initialLogitBias = -3
    let model = CLIP(configuration, seed: 1)
    let twin = CLIP(clip.configuration, seed: 1)
    let batch = try clip.batch(rank: 0, worldSize: 1)
    let (a, b) = (
      try ContrastiveTask(model: model).backward(batch, in: .alone),
      try ContrastiveTask(model: twin).backward(batch, in: .alone)
    )
    #expect(a.loss == b.loss && a.scalars == b.scalars)
    #expect(model.logitBias?.gradient?.values == [0])
  }
}
