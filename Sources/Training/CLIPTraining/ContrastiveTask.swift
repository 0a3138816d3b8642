public import Autograd
public import BatchLoading
public import CLIPModel
public import Collectives
public import DistributedTraining
import Glibc
import NeuralNetworks
import SeededRandom
import TensorEngine

/// How a step of contrastive training is made.
public struct ContrastiveOptions: Sendable, Equatable {
  /// What tells the pairs of a batch from all other combinations.
  public enum Loss: String, Sendable, CaseIterable {
    /// CLIP's symmetric cross-entropy.
    case clip
    /// SigLIP's, by a sigmoid for each combination.
    case siglip
  }

  public var loss = Loss.clip
  /// The parts in which a rank's pairs go through the towers, one after the other: less memory, one more
  /// forward pass, and the loss and gradients of the whole batch.
  public var microBatches = 1
  /// The share of each picture's patches that is left out (FLIP).
  public var patchDropout = 0.0
  /// Whether batch norms keep their statistics, as those of a frozen ResNet may.
  public var freezesStatistics = false
  /// Whether blocks of transformers are computed again in the backward pass.
  public var recomputesBlocks = false
  /// In which form activations wait for the backward pass.
  public var activationStorage = ActivationStorage.float32
  /// Of the patches left out.
  public var seed: UInt64 = 0

  public init() {}
}

/// CLIP's contrastive training: pairs of a global batch are told from all other combinations.
public final class ContrastiveTask: TrainingTask {
  public let model: CLIP
  public let options: ContrastiveOptions
  public let parameters: [(name: String, variable: Variable)]
  /// What is not trained: frozen parameters, and the running statistics of a ResNet.
  public let buffers: [(name: String, variable: Variable)]
  /// The temperature 1/τ, the share of images that are nearest to their own caption, and SigLIP's bias.
  public let scalarNames: [String]
  public private(set) var seconds = TaskSeconds()

  /// The largest `logit_scale`: ln 100, as in CLIP's paper and open_clip.
  public static let largestLogScale: Float = 4.605_170_2

  /// - Parameters:
  ///   - model: SigLIP's loss needs one with a bias.
  ///   - options: Of a step.
  public init(model: CLIP, options: ContrastiveOptions = .init()) {
    precondition(
      options.loss == .clip || model.logitBias != nil,
      "\(options.loss.rawValue): a model without logit_bias")
    precondition(
      options.microBatches >= 1 && (0..<1).contains(options.patchDropout),
      "\(options.microBatches) micro-batches, patch dropout \(options.patchDropout)")
    self.model = model
    self.options = options
    parameters = model.parameters.filter(\.variable.requiresGradient)
    buffers = model.parameters.filter { !$0.variable.requiresGradient } + model.buffers
    scalarNames =
      ["logit_scale", "batch_accuracy"] + (options.loss == .siglip ? ["logit_bias"] : [])
  }

  /// Loss and gradients of this rank's pairs, exact over the batches of all ranks.
  ///
  /// Batch norms of a ResNet see the rank's own pictures, or those of a micro-batch, as in open_clip. With
  /// micro-batches the features are computed first, without gradients; the loss is taken once, over all; then each
  /// part is computed again and its gradients follow from the loss's (Gao et al. 2021, GradCache,
  /// arXiv:2101.06983). What is random is addressed by seed and sample: both passes see the same.
  public func backward(
    _ batch: PairBatch, in group: ProcessGroup
  ) throws -> (loss: Float, scalars: [Float]) {
    try withActivationStorage(options.activationStorage) { try lossAndGradients(batch, in: group) }
  }

  private func lossAndGradients(
    _ batch: PairBatch, in group: ProcessGroup
  ) throws -> (loss: Float, scalars: [Float]) {
    let parts = min(options.microBatches, max(1, batch.tokens.count))
    guard parts > 1 else {
      let (images, texts) = forward { features(of: batch, movesStatistics: true) }
      let loss = try self.loss(images.value, texts.value, in: group)
      // A tower that is frozen has no graph.
      backward(images, texts, loss.imageGradient, loss.textGradient)
      return finish(loss)
    }
    let batches = (0..<parts).map { batch.part($0, of: parts) }
    let known = batches.map { part in
      forward { withoutGradient { features(of: part, movesStatistics: false) } }
    }
    let loss = try self.loss(
      .concatenated(known.map(\.images.value), axis: 0),
      .concatenated(known.map(\.texts.value), axis: 0), in: group)
    var start = 0
    for part in batches {
      let rows = start..<start + part.tokens.count
      let (images, texts) = forward { features(of: part, movesStatistics: true) }
      backward(
        images, texts, loss.imageGradient.slice(axis: 0, rows),
        loss.textGradient.slice(axis: 0, rows))
      start = rows.upperBound
    }
    return finish(loss)
  }

  private func backward(
    _ images: Variable, _ texts: Variable, _ imageGradient: Tensor, _ textGradient: Tensor
  ) {
    let roots = [(images, imageGradient), (texts, textGradient)]
    let started = Self.now()
    Variable.backward(from: roots.filter(\.0.requiresGradient))
    seconds.backward += Self.now() - started
  }

  private func forward<T>(_ body: () -> T) -> T {
    let started = Self.now()
    defer { seconds.forward += Self.now() - started }
    return body()
  }

  private static func now() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  public func keys(of batch: PairBatch) -> [String] { batch.keys }

  public func tokenCount(of batch: PairBatch) -> Int {
    batch.tokens.reduce(0) { $0 + $1.count }
  }

  /// Leaves the gradients of scale and bias, gives what is reported.
  private func finish(_ loss: PairLoss) -> (loss: Float, scalars: [Float]) {
    let scale = exp(model.logitScale.value.scalar)
    var scalars = [scale * loss.batchShare, loss.accuracyShare]
    model.logitScale.gradient = Tensor(
      shape: model.logitScale.value.shape, [loss.logScaleGradient])
    if let bias = model.logitBias {
      bias.gradient = Tensor(shape: bias.value.shape, [loss.logBiasGradient])
      if options.loss == .siglip { scalars.append(bias.value.scalar * loss.batchShare) }
    }
    return (loss.loss, scalars)
  }

  /// Counted as forward, without what the ranks exchange.
  private func loss(
    _ images: Tensor, _ texts: Tensor, in group: ProcessGroup
  ) throws -> PairLoss {
    let (started, communicated) = (Self.now(), group.secondsInOperations)
    defer {
      seconds.forward += Self.now() - started - (group.secondsInOperations - communicated)
    }
    let scale = exp(model.logitScale.value.scalar)
    guard options.loss == .siglip, let bias = model.logitBias else {
      // A bias that all logits share moves no softmax.
      return try ContrastiveLoss.evaluate(images: images, texts: texts, scale: scale, in: group)
    }
    return try SigmoidLoss.evaluate(
      images: images, texts: texts, scale: scale, bias: bias.value.scalar, in: group)
  }

  /// - Parameters:
  ///   - batch: The pairs.
  ///   - movesStatistics: Whether running statistics move; each step does it once.
  /// - Returns: Rows of length one, `[B, D]` each.
  private func features(
    of batch: PairBatch, movesStatistics: Bool
  ) -> (images: Variable, texts: Variable) {
    func compute() -> (images: Variable, texts: Variable) {
      let images =
        patches(of: batch).map { model.imageFeatures(batch.images, patches: $0) }
        ?? model.imageFeatures(batch.images)
      return (images.l2Normalized(), model.textFeatures(batch.tokens).l2Normalized())
    }
    let body = options.recomputesBlocks ? { withRecomputedBlocks(compute) } : compute
    if options.freezesStatistics { return body() }
    return movesStatistics ? withBatchStatistics(body) : withBatchStatistics(moving: false, body)
  }

  /// The patches that are seen; nil for all.
  ///
  /// As many as open_clip's `PatchDropout` keeps: max(1, ⌊N·(1 − p)⌋), drawn for each visit of a pair.
  private func patches(of batch: PairBatch) -> [[Int]]? {
    guard options.patchDropout > 0 else { return nil }
    precondition(
      batch.visits.count == batch.tokens.count, "patch dropout: a batch that names no visits")
    let count = model.configuration.vision.gridSize * model.configuration.vision.gridSize
    let kept = max(1, Int(Double(count) * (1 - options.patchDropout)))
    return batch.visits.map { visit in
      // "patc": apart from the permutation and from crops.
      var random = RandomStream(
        seed: options.seed, path: UInt64(visit.epoch), UInt64(visit.index), 0x7061_7463)
      return random.permutation(of: count).prefix(kept).sorted()
    }
  }

  /// Clamps `logit_scale` to 0 … ln 100.
  public func afterStep() {
    let value = model.logitScale.value
    let clamped = min(max(value.scalar, 0), Self.largestLogScale)
    // Where nothing changes, the parameter stays in its place.
    if clamped != value.scalar {
      model.logitScale.value = Tensor(shape: value.shape, [clamped])
    }
  }
}
