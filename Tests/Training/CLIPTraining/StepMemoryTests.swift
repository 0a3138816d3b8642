import Autograd
import BatchLoading
import CLIPModel
import CLIPTraining
import Collectives
import Optimizers
import SeededRandom
import TensorEngine
import Testing

/// Steps of small models, whose memory is counted.
private final class Steps {
  let configuration: CLIPConfiguration
  let task: ContrastiveTask
  private let optimizer: AdamW

  /// Large enough that activations are cut from regions, which begin at 64 KiB.
  static let transformer = CLIPConfiguration(
    embedDim: 96, vision: .init(imageSize: 64, layers: 4, width: 128, patchSize: 16),
    text: .init(contextLength: 20, vocabularySize: 500, width: 96, heads: 3, layers: 3))
  static let resNet = CLIPConfiguration(
    embedDim: 64,
    vision: .init(imageSize: 96, layers: 4, width: 16, headWidth: 32, stages: [2, 1, 1, 1]),
    text: .init(contextLength: 20, vocabularySize: 300, width: 64, heads: 2, layers: 2))

  init(_ configuration: CLIPConfiguration, _ options: ContrastiveOptions = .init()) {
    self.configuration = configuration
    task = ContrastiveTask(model: CLIP(configuration, seed: 1), options: options)
    optimizer = AdamW(parameters: task.parameters, options: .init())
  }

  /// Captions of 3 … 14 tokens, other ones for every `number`.
  func batch(_ number: Int, pairs: Int) -> PairBatch {
    var random = RandomStream(seed: UInt64(number))
    let side = configuration.vision.imageSize
    let pixels = (0..<pairs * 3 * side * side).map { _ in Float(random.normal()) }
    let tokens = (0..<pairs).map { _ -> [Int32] in
      let length = 2 + Int(random.uniform() * 12)
      return (0..<length).map { _ in Int32(random.uniform() * 250) } + [299]
    }
    return PairBatch(
      images: Tensor(shape: [pairs, 3, side, side], pixels), tokens: tokens,
      keys: (0..<pairs).map(String.init))
  }

  @discardableResult
  func step(_ batch: PairBatch) throws -> Float {
    for (_, variable) in task.parameters { variable.gradient = nil }
    let loss = try task.backward(batch, in: .alone).loss
    let norm = optimizer.arena.gradientNorm()
    optimizer.step(learningRate: 1e-4, gradientScale: clippingFactor(norm: norm, maxNorm: 1))
    task.afterStep()
    return loss
  }

  /// The most bytes of tensors in a step, the pictures aside; the first step fills what lasts.
  func peak(_ batch: PairBatch) throws -> Int {
    try step(batch)
    StorageUsage.restartPeak()
    try step(batch)
    return StorageUsage.current.mostBytesInUse - batch.images.count * 4
  }

  func plan(_ batch: PairBatch) -> MemoryPlan {
    let tokens = Double(batch.tokens.reduce(0) { $0 + $1.count }) / Double(batch.tokens.count)
    return MemoryPlan(
      configuration,
      .init(pairs: batch.tokens.count, meanTokens: tokens, options: task.options))
  }
}

/// Whether the plan is within a tenth of what was in use.
private func check(
  _ configuration: CLIPConfiguration, _ options: ContrastiveOptions, pairs: Int
) throws {
  let steps = Steps(configuration, options)
  let batch = steps.batch(3, pairs: pairs)
  let (plan, peak) = (steps.plan(batch), try steps.peak(batch))
  let planned = plan.total - plan.pictures - plan.program
  guard abs(Double(planned) / Double(peak) - 1) < 0.1 else {
    fatalError("\(planned) planned, \(peak) used: \(plan)")
  }
}

struct StepMemoryTests {
  @Test("once every length was seen, 200 steps ask the system for nothing and leave nothing behind")
  func steady() async {
    // A process of its own: the counters are the process's.
    await #expect(processExitsWith: .success) {
      let steps = Steps(Steps.transformer)
      let batches = (0..<5).map { steps.batch($0, pairs: 12) }
      for batch in batches + batches { try steps.step(batch) }
      let before = StorageUsage.current
      let after = try withExtendedLifetime(batches) {
        for number in 0..<200 { try steps.step(batches[number % 5]) }
        return StorageUsage.current
      }
      guard
        after.systemAllocations == before.systemAllocations, after.bytesInUse == before.bytesInUse
      else { fatalError("\(before) became \(after)") }
    }
  }

  @Test("the second and third step of a ResNet ask for nothing either")
  func steadyResNet() async {
    await #expect(processExitsWith: .success) {
      let steps = Steps(Steps.resNet)
      let batch = steps.batch(1, pairs: 6)
      try steps.step(batch)
      let before = StorageUsage.current
      for _ in 0..<2 { try steps.step(batch) }
      let after = StorageUsage.current
      guard after.systemAllocations == before.systemAllocations else {
        fatalError("\(before) became \(after)")
      }
    }
  }

  @Test("the plan tells what a step of a small transformer takes")
  func transformer() async {
    await #expect(processExitsWith: .success) {
      try check(Steps.transformer, .init(), pairs: 64)
    }
  }

  @Test("the plan tells what rounding, recomputing and micro-batches save")
  func options() async {
    await #expect(processExitsWith: .success) {
      var options = ContrastiveOptions()
      options.activationStorage = .bfloat16
      try check(Steps.transformer, options, pairs: 64)
    }
    await #expect(processExitsWith: .success) {
      var options = ContrastiveOptions()
      options.recomputesBlocks = true
      try check(Steps.transformer, options, pairs: 64)
    }
    await #expect(processExitsWith: .success) {
      var options = ContrastiveOptions()
      options.microBatches = 3
      try check(Steps.transformer, options, pairs: 96)
    }
  }

  @Test("the plan tells what a step of a small ResNet takes")
  func resNet() async {
    await #expect(processExitsWith: .success) { try check(Steps.resNet, .init(), pairs: 24) }
  }

  @Test("the plan tells what a step of ViT-S-32-alt takes")
  func real() async {
    await #expect(processExitsWith: .success) {
      guard let configuration = CLIPConfiguration.named("ViT-S-32-alt") else {
        preconditionFailure("no ViT-S-32-alt")
      }
      try check(configuration, .init(), pairs: 16)
    }
  }

  @Test(
    "with rounded activations the loss is the same bits and the gradients differ by less than 2 %")
  func rounded() throws {
    func gradients(_ storage: ActivationStorage) throws -> (Float, [[Float]]) {
      var options = ContrastiveOptions()
      options.activationStorage = storage
      let steps = Steps(Steps.transformer, options)
      let loss = try steps.task.backward(steps.batch(2, pairs: 8), in: .alone).loss
      return (loss, steps.task.parameters.map { $0.variable.gradient?.values ?? [] })
    }
    let (exact, rounded) = (try gradients(.float32), try gradients(.bfloat16))
    #expect(exact.0 == rounded.0)
    // All parameters together: each kept number errs by 2⁻⁹ at most and independently, some ten of them one behind the
    // other. Measured: some 0.5 %.
    let (whole, other) = (exact.1.joined().map(Double.init), rounded.1.joined().map(Double.init))
    let gap = zip(whole, other).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    let size = whole.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(gap > 0 && gap < 2e-2 * size, "\(gap / size)")
  }
}
