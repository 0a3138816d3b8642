import BatchLoading
import CLIPModel
public import Collectives
import ContentHashing
public import DistributedTraining
import DurableFiles
import FoundationEssentials
import PairDataset
import TensorEngine
import Tokenizers
import WorkerThreads

/// One rank of a CLIP training run, from a manifest to an output folder.
///
/// The folder holds `model.safetensors`, `model.json`, `tokenizer.merges`, `manifest.yaml`,
/// `metrics.jsonl` and `checkpoints/`.
public enum CLIPTrainingRun {
  /// Trains until the manifest's last step, or until asked to stop; run it again to go on.
  ///
  /// - Parameters:
  ///   - manifest: The same on every rank.
  ///   - folder: Rank 0 writes there; the others need not see it.
  ///   - group: The ranks; ``ProcessGroup/alone`` for one.
  ///   - stop: Looked at after each step.
  ///   - progress: Called on rank 0 with each line of the log.
  ///   - resumed: Called on rank 0 before the first step, with the steps done and what was wrong with
  ///     checkpoints that were passed over.
  /// - Returns: How it ended.
  /// - Throws: What the data, the checkpoints or the other ranks are at fault with.
  public static func run(
    manifest: TrainingManifest, folder: String, group: ProcessGroup, stop: StopFlag = StopFlag(),
    progress: (StepMetrics) -> Void = { _ in },
    resumed: (_ step: Int, _ warnings: [String]) -> Void = { _, _ in }
  ) throws -> TrainingOutcome {
    TensorThreads.set(
      manifest.threads > 0
        ? manifest.threads : max(1, Parallel.coreCount / max(1, group.worldSize)))
    let source = try PairSource(datasetPath: manifest.data)
    guard source.count > 0 else {
      throw ManifestError(
        manifest: manifest.data, key: "", problem: "holds no pair to train on")
    }
    var configuration = manifest.configuration
    let tokenizer = try makeTokenizer(manifest, source, configuration.text.contextLength)
    configuration.text.vocabularySize = tokenizer.vocabularySize
    let preprocessing = ImagePreprocessing(
      size: configuration.vision.imageSize, mean: manifest.mean, std: manifest.std)
    let model = CLIP(configuration, seed: manifest.seed)
    let trained = TrainedCLIP(
      model: model, tokenizer: tokenizer, preprocessing: preprocessing, domain: manifest.domain)
    let fingerprint = try fingerprint(manifest, configuration, tokenizer)
    let trainer = Trainer(
      task: ContrastiveTask(model: model), options: options(manifest, folder, fingerprint),
      group: group)
    let reader = SampleReader(
      source: source,
      options: BatchOptions(
        globalBatch: manifest.globalBatch, seed: manifest.seed, preprocessing: preprocessing,
        cropScale: manifest.cropScale, cacheBytes: manifest.imageCacheBytes)
    ) { tokenizer.encode($0) }
    let outcome = try trainer.run(
      batches: LoadedBatches(reader), stop: stop, progress: progress,
      resumed: { step, warnings in
        // Only now is it known that the folder's checkpoint belongs to this manifest.
        try DurableFile.write(manifest.yaml, to: folder + "/manifest.yaml")
        resumed(step, warnings)
      })
    if group.rank == 0 {
      try trained.save(
        to: folder,
        metadata: [
          "producer": "pairloom", "step": String(outcome.step),
          "samples": String(outcome.step * manifest.globalBatch), "configuration": fingerprint,
        ])
    }
    return outcome
  }

  private static func options(
    _ manifest: TrainingManifest, _ folder: String, _ fingerprint: String
  ) -> TrainerOptions {
    let rule = manifest.decayRule
    return TrainerOptions(
      globalBatch: manifest.globalBatch, steps: manifest.steps, optimizer: manifest.optimizer,
      decays: { rule.decays($0, $1) }, warmupSteps: manifest.warmupSteps,
      clipNorm: manifest.clipNorm, checkpointEvery: manifest.checkpointEvery,
      logEvery: manifest.logEvery, folder: folder, seed: manifest.seed,
      configuration: fingerprint)
  }

  /// The manifest's tokenizer; a trained one depends on the captions alone, so all ranks agree.
  private static func makeTokenizer(
    _ manifest: TrainingManifest, _ source: PairSource, _ contextLength: Int
  ) throws -> BytePairTokenizer {
    switch manifest.tokenizer {
    case .clip: return try BytePairTokenizer.clip(contextLength: contextLength)
    case .file(let path):
      let text = String(decoding: try DurableFile.read(path), as: UTF8.self)
      return try BytePairTokenizer(mergesText: text, contextLength: contextLength)
    case .trained(let size):
      var captions: [String] = []
      for index in 0..<source.count { captions.append(try source.pair(at: index).caption) }
      return BytePairTokenizer.train(
        on: captions, vocabularySize: size, contextLength: contextLength)
    }
  }

  /// A hash of all that decides the numbers of a run, ranks and threads aside.
  private static func fingerprint(
    _ manifest: TrainingManifest, _ model: CLIPConfiguration, _ tokenizer: BytePairTokenizer
  ) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let parts: [String] = [
      String(decoding: [UInt8](try encoder.encode(model)), as: UTF8.self),
      ContentHash.sha256Hex(try DurableFile.read(manifest.data)),
      ContentHash.sha256Hex(Array(tokenizer.mergesText.utf8)),
      "\(manifest.mean) \(manifest.std) \(String(describing: manifest.cropScale))",
      "\(manifest.seed) \(manifest.globalBatch) \(manifest.steps) \(manifest.optimizer)",
      "\(manifest.decayRule) \(manifest.warmupSteps) \(String(describing: manifest.clipNorm))",
    ]
    return ContentHash.sha256Hex(Array(parts.joined(separator: "\n").utf8))
  }
}

/// The loader's batches as the trainer takes them.
private final class LoadedBatches: BatchStream {
  private let reader: SampleReader
  private var loader: BatchLoader?

  init(_ reader: SampleReader) { self.reader = reader }

  func start(at position: Int, group: ProcessGroup) {
    loader = BatchLoader(
      reader: reader, position: position, rank: group.rank, worldSize: group.worldSize)
  }

  func next() throws -> (batch: PairBatch, replaced: Int) {
    guard let loader else { preconditionFailure("next() before start(at:group:)") }
    let batch = try loader.next()
    return (batch, batch.replaced.count)
  }

  func stop() { loader?.stop() }
}
