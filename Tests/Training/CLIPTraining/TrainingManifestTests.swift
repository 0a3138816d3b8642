import CLIPTraining
import Checkpointing
import Foundation
import Testing

@Suite struct TrainingManifestTests {
  static let tiny = """
    data: d/dataset.json
    model: ViT-S-32-alt
    tokenizer: {train_vocabulary: 600}
    augmentation: {scale: [0.9, 1.0]}
    global_batch: 64
    samples: 100
    optimizer: {learning_rate: 1.0e-3, warmup_steps: 2}
    """

  @Test("values are read, defaults filled in, and settings override")
  func reads() throws {
    let manifest = try TrainingManifest.parse(
      Self.tiny, name: "m", overrides: ["optimizer.beta2=0.9", "ranks=2", "data=e/dataset.json"])
    #expect(manifest.data == "e/dataset.json")
    #expect(manifest.tokenizer == .trained(vocabularySize: 600))
    #expect(manifest.cropScale == 0.9...1.0)
    #expect(manifest.steps == 2)
    #expect(manifest.ranks == 2)
    #expect(manifest.optimizer.options.beta2 == 0.9)
    #expect(manifest.optimizer.options.learningRate == 1e-3)
    #expect(manifest.optimizer.options.weightDecay == 0.2)
    // What goes into the output folder says the same.
    let again = try TrainingManifest.parse(manifest.yaml, name: "again")
    #expect(again.yaml == manifest.yaml && again.ranks == 2)
  }

  @Test(
    "what is wrong is refused by the name of its key",
    arguments: [
      ("optimizer.lr=1", "optimizer.lr"), ("bathc=3", "bathc"), ("global_batch=0", "global_batch"),
      ("tokenizer.vocabulary=9", "tokenizer.vocabulary"), ("model=ViT-Q-1", "model"),
      ("augmentation.scale=[2,1]", "augmentation.scale"), ("steps=5", "steps"),
      ("ranks=65", "global_batch"), ("optimizer.warmup_steps=3", "optimizer.warmup_steps"),
      ("preprocessing.std=[1,0,1]", "preprocessing.std"),
      ("preprocessing.std=[1,-1,1]", "preprocessing.std"),
      ("checkpoints.every=3", "checkpoints.every"), ("checkpoints.keep=0", "checkpoints.keep"),
      ("checkpoints.best.mode=max", "checkpoints.best.metric"),
      ("checkpoints.best={metric: a, mode: most}", "checkpoints.best.mode"),
      ("optimizer.decay_rule=all", "optimizer.decay_rule"), ("model.width=3", "model"),
      ("optimizer.schedule=line", "optimizer.schedule"),
      ("optimizer.cooldown_steps=1", "optimizer.schedule"),
      ("optimizer.schedule=constant_cooldown", "optimizer.cooldown_steps"), ("loss=hinge", "loss"),
      ("accumulate=0", "accumulate"), ("patch_dropout=1", "patch_dropout"),
      ("recompute=perhaps", "recompute"), ("ema_decay=1", "ema_decay"),
      ("freeze.image_statistics=true", "freeze.image"),
      ("freeze.text_unlocked_layers=1", "freeze.text"), ("freeze.visual=true", "freeze.visual"),
      ("start_from.tower=image", "start_from.path"),
    ])
  func refuses(setting: String, key: String) {
    #expect(throws: ManifestError.self) {
      do {
        _ = try TrainingManifest.parse(Self.tiny, name: "m", overrides: [setting])
      } catch let error as ManifestError {
        #expect(error.key == key)
        throw error
      }
    }
  }

  @Test("how a step is made, what is frozen and how the rate goes")
  func training() throws {
    let manifest = try TrainingManifest.parse(
      Self.tiny, name: "m",
      overrides: [
        "loss=siglip", "accumulate=4", "patch_dropout=0.5", "recompute=true", "seed=7",
        "ema_decay=0.99", "freeze.image=true", "freeze.image_unlocked_groups=2", "steps=50",
        "samples=null", "optimizer.schedule=constant_cooldown", "optimizer.cooldown_steps=10",
      ])
    #expect(manifest.objective.loss == .siglip && manifest.objective.microBatches == 4)
    #expect(manifest.objective.patchDropout == 0.5 && manifest.objective.recomputesBlocks)
    #expect(manifest.objective.seed == 7 && manifest.averageDecay == 0.99)
    #expect(manifest.frozen.image && manifest.frozen.unlockedImageGroups == 2)
    #expect(
      manifest.optimizer.schedule == .constantWithCooldown(steps: 10, power: 1, end: 0))
    // What open_clip's --siglip gives a model.
    #expect(manifest.configuration.initialLogitBias == -10)
    #expect(manifest.configuration.initialLogitScale == log(10))
  }

  @Test("checkpoints are read by steps, by time and by what is best; the old key means the same")
  func checkpoints() throws {
    let manifest = try TrainingManifest.parse(
      Self.tiny, name: "m",
      overrides: [
        "checkpoints={every_steps: 7, every_minutes: 2.5, keep: 4, best: {metric: r1, mode: min}}",
        "check_ranks_every=9",
      ])
    #expect(
      manifest.checkpoints
        == CheckpointOptions(
          everySteps: 7, everyMinutes: 2.5, keep: 4, best: .init(metric: "r1", mode: .min)))
    #expect(manifest.checkRanksEvery == 9)
    let old = try TrainingManifest.parse(Self.tiny, name: "m", overrides: ["checkpoint_every=7"])
    #expect(old.checkpoints == CheckpointOptions(everySteps: 7))
  }

  @Test("every manifest of the repository is valid, and travels inside the program under its name")
  func repository() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let names = try FileManager.default.contentsOfDirectory(
      atPath: root.appending(path: "Manifests").path
    ).filter { $0.hasSuffix(".yaml") }
    #expect(names.contains("small.yaml"))
    let bundled = try String(
      contentsOf: root.appending(path: "Sources/CLibraries/CBundledFiles/bundled.c"),
      encoding: .utf8)
    for name in names {
      let manifest = try TrainingManifest.load(
        yaml: root.appending(path: "Manifests/\(name)").path, overrides: ["data=d/dataset.json"])
      #expect(manifest.globalBatch % manifest.ranks == 0, "\(name)")
      #expect(bundled.contains("{\"Manifests/\(name)\","), "\(name)")
    }
  }

  @Test("averages cannot be evaluated where none are kept")
  func averages() throws {
    let evaluation = "evaluation={averages: true, retrieval: {data: e/dataset.json}}"
    let error = #expect(throws: ManifestError.self) {
      try TrainingManifest.parse(Self.tiny, name: "m", overrides: [evaluation])
    }
    #expect(error?.key == "evaluation.averages" && error?.manifest == "m")
    let manifest = try TrainingManifest.parse(
      Self.tiny, name: "m", overrides: [evaluation, "ema_decay=0.9"])
    #expect(manifest.evaluation?.usesAverages == true)
  }
}
