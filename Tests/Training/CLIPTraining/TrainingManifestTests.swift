import CLIPTraining
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
    #expect(manifest.optimizer.beta2 == 0.9)
    #expect(manifest.optimizer.learningRate == 1e-3)
    #expect(manifest.optimizer.weightDecay == 0.2)
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
      ("optimizer.decay_rule=all", "optimizer.decay_rule"), ("model.width=3", "model"),
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

  @Test("the small manifest of the repository is valid")
  func small() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let manifest = try TrainingManifest.load(
      yaml: root.appending(path: "Manifests/small.yaml").path, overrides: ["ranks=2"])
    #expect(manifest.globalBatch % manifest.ranks == 0)
  }
}
