import CLIPModel
import CLIPTraining
import Checkpointing
import Foundation
import TensorEngine
import Testing
import WeightFiles

/// Whole runs with the options of a manifest.
@Suite(.serialized) struct TrainingOptionsTests {
  static func weights(_ folder: String) throws -> [String: [Float]] {
    try SafeTensors.read(folder + "/model.safetensors").tensors.mapValues(\.values)
  }

  @Test("a frozen tower keeps its weights to the bit, and the rest moves")
  func frozen() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    let manifest = try data.manifest([
      "steps=3", "optimizer.warmup_steps=1", "freeze.image=true", "freeze.image_unlocked_groups=1",
      "optimizer.weight_decay=0.5",
    ])
    _ = try CLIPTrainingRunTests.train(manifest, in: data.folder + "/out")
    var configuration = manifest.configuration
    let after = try TrainedCLIP.load(data.folder + "/out")
    configuration.text.vocabularySize = after.tokenizer.vocabularySize
    let before = CLIP(configuration, seed: manifest.seed)
    let trained = Dictionary(
      uniqueKeysWithValues: after.model.state.map { ($0.name, $0.tensor.values) })
    for (name, tensor) in before.state {
      let isFrozen = name.hasPrefix("visual.") && name != "visual.proj"
      #expect((trained[name] == tensor.values) == isFrozen, "\(name)")
    }
  }

  @Test("the moving average is that of the parameters after each step, and resumes")
  func average() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    let settings = ["steps=6", "ema_decay=0.7", "checkpoint_every=1", "optimizer.warmup_steps=1"]
    let whole = data.folder + "/whole"
    _ = try CLIPTrainingRunTests.train(try data.manifest(settings), in: whole)
    // Each shorter run ends where the long one was then: the rate is constant.
    let constant = settings + ["optimizer.schedule=constant"]
    _ = try CLIPTrainingRunTests.train(try data.manifest(constant), in: data.folder + "/c6")
    let manifest = try data.manifest(constant)
    let tokenizer = try TrainedCLIP.load(data.folder + "/c6").tokenizer
    var configuration = manifest.configuration
    configuration.text.vocabularySize = tokenizer.vocabularySize
    var expected = Dictionary(
      uniqueKeysWithValues: CLIP(configuration, seed: manifest.seed).state
        .map { ($0.name, $0.tensor.values) })
    for steps in 1...6 {
      let folder = "\(data.folder)/c\(steps)"
      if steps < 6 {
        _ = try CLIPTrainingRunTests.train(
          try data.manifest(constant + ["steps=\(steps)"]), in: folder)
      }
      for (name, values) in try Self.weights(folder) {
        expected[name] = zip(try #require(expected[name]), values).map { 0.7 * $0 + 0.3 * $1 }
      }
    }
    for (name, values) in try Self.weights(data.folder + "/c6/ema") {
      // Two roundings a step.
      let distance = zip(values, try #require(expected[name])).map { abs($0 - $1) }.max() ?? 0
      #expect(distance < 1e-5, "\(name)")
    }
    let parts = data.folder + "/parts"
    _ = try CLIPTrainingRunTests.train(try data.manifest(settings), in: parts, stopAfter: 3)
    _ = try CLIPTrainingRunTests.train(try data.manifest(settings), in: parts)
    #expect(try Self.weights(parts + "/ema") == Self.weights(whole + "/ema"))
    #expect(try Self.weights(whole + "/ema") != Self.weights(whole))
  }

  @Test("a run begins with the weights, tokenizer and sizes of another")
  func start() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    let first = data.folder + "/first"
    let trained = try CLIPTrainingRunTests.train(try data.manifest(), in: first)
    let settings = ["start_from=\(first)", "model=null", "tokenizer=null", "optimizer=null"]
    let second = try CLIPTrainingRunTests.train(
      try data.manifest(settings + ["steps=1"]), in: data.folder + "/second")
    // All 64 pairs are in each batch: the loss goes on from where the first run ended.
    #expect(second.losses[0] < trained.losses[10])
    #expect(trained.losses[0] > 3.5)
    #expect(
      try String(contentsOfFile: data.folder + "/second/tokenizer.merges", encoding: .utf8)
        == String(contentsOfFile: first + "/tokenizer.merges", encoding: .utf8))

    // SigLIP's loss on a softmax's weights: its bias is drawn, the scale is taken over.
    let sigmoid = try CLIPTrainingRunTests.train(
      try data.manifest(settings + ["steps=1", "loss=siglip"]), in: data.folder + "/sigmoid")
    #expect(sigmoid.losses[0].isFinite)
    let weights = try Self.weights(data.folder + "/sigmoid")
    #expect(abs(try #require(weights["logit_bias"])[0] + 10) < 0.01)

    // One tower alone: the other is drawn.
    let tower = data.folder + "/tower"
    _ = try CLIPTrainingRunTests.train(
      try data.manifest([
        "start_from={path: \(first), tower: image}", "freeze.image=true", "steps=2",
        "optimizer.warmup_steps=1",
      ]), in: tower)
    let (own, theirs) = (try Self.weights(tower), try Self.weights(first))
    for (name, values) in own {
      #expect((values == theirs[name]) == name.hasPrefix("visual."), "\(name)")
    }
  }

  @Test("weights of other sizes, and none at all, are refused by name")
  func refuses() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    let first = data.folder + "/first"
    _ = try CLIPTrainingRunTests.train(try data.manifest(["steps=5"]), in: first)
    let error = #expect(throws: CLIPError.self) {
      try CLIPTrainingRunTests.train(
        try data.manifest(["start_from=\(first)", "model.embed_dim=16"]),
        in: data.folder + "/other")
    }
    #expect("\(try #require(error))".contains("text_projection"))
    #expect(throws: CLIPError.self) {
      try data.manifest(["start_from=\(data.folder)", "model=null"])
    }
  }
}
