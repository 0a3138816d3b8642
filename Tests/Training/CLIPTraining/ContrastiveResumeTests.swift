import BatchLoading
import CLIPModel
import CLIPTraining
import Checkpointing
import Collectives
import DistributedTraining
import DurableFiles
import Foundation
import Optimizers
import RankThreads
import TensorEngine
import Testing
import Tokenizers

/// Patch dropout, micro-batches, frozen towers and averages over an interrupted run.
@Suite(.serialized) struct ContrastiveResumeTests {
  private final class Batches: BatchStream {
    let reader: SampleReader
    var loader: BatchLoader?

    init(_ reader: SampleReader) { self.reader = reader }
    func start(at position: Int, group: ProcessGroup) {
      loader = BatchLoader(
        reader: reader, position: position, rank: group.rank, worldSize: group.worldSize)
    }
    func next() throws -> (batch: PairBatch, replaced: Int) {
      (try #require(try loader?.next()), 0)
    }
    func stop() { loader?.stop() }
  }

  /// The bytes of the last checkpoint, which holds all that decides what comes next.
  private static func train(
    _ data: ColouredSquares, _ name: String, world: Int, stopAfter: Int? = nil
  ) throws -> [UInt8] {
    let out = data.folder + "/" + name
    let manifest = try data.manifest(["global_batch=48", "augmentation.scale=[0.7,1.0]"])
    _ = try Ranks.run(world) { group in
      TensorThreads.set(1)
      let source = try PairSource(datasetPath: data.dataset)
      let tokenizer = BytePairTokenizer.train(
        on: try (0..<source.count).map { try source.pair(at: $0).caption }, vocabularySize: 600,
        contextLength: 16)
      var configuration = manifest.configuration
      configuration.text.vocabularySize = tokenizer.vocabularySize
      let model = CLIP(configuration, seed: 3)
      var contrast = ContrastiveOptions()
      contrast.patchDropout = 0.5
      contrast.microBatches = 3
      contrast.recomputesBlocks = true
      contrast.seed = 3
      var options = TrainerOptions(
        globalBatch: 48, steps: 14, optimizer: manifest.optimizer.options, warmupSteps: 5,
        schedule: .constantWithCooldown(steps: 6, power: 1, end: 0), averageDecay: 0.9, clipNorm: 1,
        folder: out, seed: 3, configuration: "squares")
      options.checkpoints.everySteps = 4
      let stop = StopFlag()
      _ = try Trainer(
        task: ContrastiveTask(model: model, options: contrast), options: options, group: group
      ).run(
        batches: Batches(
          SampleReader(
            source: source,
            options: BatchOptions(
              globalBatch: 48, seed: 3,
              preprocessing: ImagePreprocessing(size: 24, mean: manifest.mean, std: manifest.std),
              cropScale: manifest.cropScale, cacheBytes: 0)
          ) { tokenizer.encode($0) }), stop: stop,
        progress: { if $0.step == stopAfter { stop.raise() } })
    }.map { try $0.get() }
    return try DurableFile.read(
      try #require(try CheckpointStore(folder: out + "/checkpoints").paths().last))
  }

  @Test("all that is random or averaged goes on to the bit", arguments: [1, 2])
  func resume(world: Int) throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    let whole = try Self.train(data, "whole", world: world)
    let first = try Self.train(data, "parts", world: world, stopAfter: 6)
    #expect(first != whole)
    #expect(try Self.train(data, "parts", world: world) == whole)
  }
}
