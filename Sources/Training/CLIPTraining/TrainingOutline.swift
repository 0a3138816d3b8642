import Autograd
import BatchLoading
import CLIPModel
import NeuralNetworks
import TensorEngine
import Tokenizers

/// What a run will be, before its first step.
public struct TrainingOutline: Sendable, Equatable {
  /// One source of pairs; in their order they make the order of samples.
  public struct Source: Sendable, Codable, Equatable {
    public var path: String
    /// Of a `dataset.json` that file's.
    public var sha256: String
    public var pairs: Int
    public var weight: Double
  }

  /// Such as `ViT, 32 px in patches of 8`.
  public var model: String
  /// Trained and frozen numbers of the model.
  public var parameters: Int
  public var pairs: Int
  public var sources: [Source]
  public var shards: Int
  /// The paths of its sources.
  public var data: String
  public var steps: Int
  public var globalBatch: Int
  public var ranks: Int
  /// Threads of each rank; 0 shares the cores out.
  public var threads: Int
  /// What a checkpoint takes on disk, and while it is written in memory, too.
  public var checkpointBytes: Int
  public var folder: String
  /// The parts in which a rank's pairs go through the towers.
  public var microBatches = 1
  /// A hash of the weights that the run begins with; nil when all are drawn.
  public var startedFrom: String?
  /// What a step will take of memory, in words, where it is planned.
  public var memory: String?

  /// How often each pair is seen.
  public var epochs: Double { Double(steps) * Double(globalBatch) / Double(max(1, pairs)) }

  /// - Parameters:
  ///   - manifest: Of the run.
  ///   - model: With its towers frozen, if they are.
  ///   - source: Of the pairs.
  ///   - meanTokens: Of a caption, start and end included.
  ///   - ranks: How many share a batch.
  ///   - folder: Where it writes.
  init(
    _ manifest: TrainingManifest, model: CLIP, source: PairSource, meanTokens: Double, ranks: Int,
    _ folder: String
  ) {
    let vision = model.configuration.vision
    self.model =
      (vision.isResNet
        ? "ResNet, \(vision.imageSize) px"
        : "ViT, \(vision.imageSize) px in patches of \(vision.patchSize)")
      + ", texts of up to \(model.configuration.text.contextLength) tokens"
    let trained = model.parameters.filter(\.variable.requiresGradient)
      .reduce(0) { $0 + $1.variable.value.count }
    parameters = model.parameters.reduce(0) { $0 + $1.variable.value.count }
    pairs = source.count
    sources = source.parts.map {
      Source(
        path: $0.source.path, sha256: $0.sha256, pairs: $0.pairs.count, weight: $0.source.weight)
    }
    shards = source.shardCount
    data = manifest.data
    steps = manifest.steps
    globalBatch = manifest.globalBatch
    self.ranks = ranks
    threads = manifest.threads
    // Beside each number that is trained stand two moments, and the average.
    checkpointBytes = 4 * (parameters + (manifest.averageDecay == nil ? 2 : 3) * trained)
    self.folder = folder
    microBatches = manifest.objective.microBatches
    var step = MemoryPlan.Step(
      pairs: (manifest.globalBatch + ranks - 1) / ranks, meanTokens: meanTokens,
      options: manifest.objective, keepsAverage: manifest.averageDecay != nil)
    // A tower with some groups unlocked keeps less than one that is trained, and more than nothing.
    step.trainsImageTower = !manifest.frozen.image || manifest.frozen.unlockedImageGroups > 0
    step.trainsTextTower = !manifest.frozen.text || manifest.frozen.unlockedTextLayers > 0
    step.loadedBatches = 1 + BatchLoader.depth(pairs: step.pairs, side: vision.imageSize)
    memory = MemoryPlan(model.configuration, step).description
  }

  /// The mean length of some captions, evenly spread, start and end included.
  static func meanTokens(
    of source: PairSource, _ tokenizer: BytePairTokenizer
  ) throws -> Double {
    let looked = min(source.count, 256)
    var (tokens, captions) = (0, 0)
    for number in 0..<looked {
      guard let caption = try source.caption(at: number * source.count / looked) else { continue }
      tokens += tokenizer.encode(caption).count
      captions += 1
    }
    return Double(tokens) / Double(max(1, captions))
  }
}
