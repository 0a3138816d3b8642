import BatchLoading
import CLIPModel
public import Collectives
public import DistributedTraining
import DurableFiles
import PairDataset
import TensorEngine
import Tokenizers
import WorkerThreads

/// One rank of a CLIP training run, from a manifest to an output folder.
///
/// The folder holds `model.safetensors`, `model.json`, `tokenizer.merges`, `manifest.yaml`,
/// `metrics.jsonl` and `checkpoints/`, and where a moving average is kept the model of it in `ema/`.
public enum CLIPTrainingRun {
  /// Trains until the manifest's last step, or until asked to stop; run it again to go on.
  ///
  /// - Parameters:
  ///   - manifest: The same on every rank.
  ///   - folder: Rank 0 writes there; the others need not see it.
  ///   - group: The ranks; ``ProcessGroup/alone`` for one.
  ///   - stop: Looked at after each step.
  ///   - progress: Called on rank 0 with each line of the log.
  ///   - begin: Called on rank 0 before anything is computed, with what the run will be.
  ///   - resumed: Called on rank 0 before the first step, with the steps done and what is to be known of
  ///     the checkpoint: those that were passed over, another number of ranks.
  ///   - note: Called on rank 0 with what goes wrong but does not end the run yet, and with what a person should
  ///     know of the evaluation.
  /// - Returns: How it ended.
  /// - Throws: What the data, the checkpoints or the other ranks are at fault with.
  public static func run(
    manifest: TrainingManifest, folder: String, group: ProcessGroup, stop: StopFlag = StopFlag(),
    progress: (StepMetrics) -> Void = { _ in },
    begin: (TrainingOutline) -> Void = { _ in },
    resumed: (_ step: Int, _ warnings: [String]) -> Void = { _, _ in },
    note: @escaping (String) -> Void = { _ in }
  ) throws -> TrainingOutcome {
    let cores = max(1, Parallel.coreCount / max(1, group.worldSize))
    TensorThreads.set(manifest.threads > 0 ? manifest.threads : cores)
    let loaderThreads = manifest.loaderThreads > 0 ? manifest.loaderThreads : cores
    let source = try PairSource(manifest.sources, threads: loaderThreads)
    var configuration = manifest.configuration
    let tokenizer = try makeTokenizer(manifest, source, configuration.text.contextLength)
    configuration.text.vocabularySize = tokenizer.vocabularySize
    let preprocessing = ImagePreprocessing(
      size: configuration.vision.imageSize, mean: manifest.mean, std: manifest.std)
    let model = CLIP(configuration, seed: manifest.seed)
    let started = try manifest.start?.load(into: model)
    manifest.frozen.freeze(model)
    let trained = TrainedCLIP(
      model: model, tokenizer: tokenizer, preprocessing: preprocessing, domain: manifest.domain)
    let settings = try FixedSettings(
      manifest, source: source, model: configuration, tokenizer: tokenizer, started: started)
    let trainer = Trainer(
      task: ContrastiveTask(model: model, options: manifest.objective),
      options: options(manifest, folder, settings),
      group: group)
    if group.rank == 0 {
      var outline = TrainingOutline(
        manifest, model: model, source: source,
        meanTokens: try TrainingOutline.meanTokens(of: source, tokenizer), ranks: group.worldSize,
        folder)
      outline.startedFrom = started
      begin(outline)
    }
    var loading = BatchOptions(
      globalBatch: manifest.globalBatch, seed: manifest.seed, preprocessing: preprocessing,
      cropScale: manifest.cropScale, cacheBytes: manifest.imageCacheBytes,
      decodeThreads: loaderThreads)
    loading.convertsFirst = manifest.convertsFirst
    let reader = SampleReader(source: source, options: loading) { tokenizer.encode($0) }
    let evaluation = try manifest.evaluation.map {
      try TrainingEvaluation($0, of: trained, in: group, manifest: manifest.name)
    }
    let usesAverages = manifest.evaluation?.usesAverages == true
    // It keeps other runs out of the folder until the model is written.
    defer { withExtendedLifetime(trainer) {} }
    let outcome = try trainer.run(
      batches: LoadedBatches(reader, folder: folder), stop: stop, progress: progress,
      resumed: { step, warnings in
        // Only now is it known that the folder's checkpoint belongs to this manifest.
        try DurableFile.write(manifest.yaml, to: folder + "/manifest.yaml")
        resumed(step, source.notes + warnings)
      }, note: note,
      evaluate: evaluation.map { evaluation in
        { _ in
          func figures() throws -> [String: Double] {
            try evaluation.figures(of: trained, note: note)
          }
          return usesAverages ? try trainer.withAverages(figures) ?? [:] : try figures()
        }
      })
    if group.rank == 0 {
      let metadata = [
        "producer": "pairloom", "step": String(outcome.step),
        "samples": String(outcome.step * manifest.globalBatch),
        "configuration": settings.fingerprint,
      ]
      try trained.save(to: folder, metadata: metadata)
      try trainer.withAverages { try trained.save(to: folder + "/ema", metadata: metadata) }
    }
    return outcome
  }

  private static func options(
    _ manifest: TrainingManifest, _ folder: String, _ settings: FixedSettings
  ) -> TrainerOptions {
    let rule = manifest.optimizer.decayRule
    var options = TrainerOptions(
      globalBatch: manifest.globalBatch, steps: manifest.steps,
      optimizer: manifest.optimizer.options,
      decays: { rule.decays($0, $1) }, warmupSteps: manifest.optimizer.warmupSteps,
      schedule: manifest.optimizer.schedule, averageDecay: manifest.averageDecay,
      clipNorm: manifest.optimizer.clipNorm, logEvery: manifest.logEvery, folder: folder,
      seed: manifest.seed, configuration: settings.fingerprint)
    options.settings = settings.values
    options.checkpoints = manifest.checkpoints
    options.checkRanksEvery = manifest.checkRanksEvery
    options.evaluateEvery = manifest.evaluation?.everySteps ?? 0
    return options
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
      for index in 0..<source.count {
        if let caption = try source.caption(at: index) { captions.append(caption) }
      }
      return BytePairTokenizer.train(
        on: captions, vocabularySize: size, contextLength: contextLength)
    }
  }
}
