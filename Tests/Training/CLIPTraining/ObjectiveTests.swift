import Autograd
import CLIPModel
import CLIPTraining
import Collectives
import Foundation
import Optimizers
import RankThreads
import TensorEngine
import Testing

/// What open_clip computed, see Fixtures/make_objectives.py.
private struct OpenCLIPObjectives: Decodable, Sendable {
  struct Sigmoid: Decodable {
    var shape: [Int]
    var images, texts, imageGradient, textGradient: [Float]
    var logScale, bias, loss, logScaleGradient, biasGradient: Float
  }
  struct Lock: Decodable {
    var tower: String
    var unlocked: Int
    var free: [String]
  }
  struct Patches: Decodable {
    var dropout: Double
    var patches: [[Int]]
    var features, positionGradient: [Float]
  }
  var sigmoid: Sigmoid
  var schedules: [String: [Float]]
  var scheduleSteps: [Int]
  var locks: [Lock]
  var patches: Patches

  static func load() throws -> OpenCLIPObjectives {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(
      Self.self, from: Data(contentsOf: folder.appending(path: "Fixtures/objectives.json")))
  }
}

/// The largest |a − b| of two lists, as a share of the largest |b|.
private func distance(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  let top = b.reduce(0) { max($0, abs($1)) }
  return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / top
}

@Suite struct ObjectiveTests {
  @Test(
    "SigLIP's loss and gradients are open_clip's, over one rank, two and three", arguments: 1...3)
  func sigmoid(world: Int) throws {
    let reference = try OpenCLIPObjectives.load().sigmoid
    let (images, texts) = (
      Tensor(shape: reference.shape, reference.images),
      Tensor(shape: reference.shape, reference.texts)
    )
    let shares = try Ranks.run(world) { group in
      let rows = PairRows.of(reference.shape[0], rank: group.rank, world: world)
      return try SigmoidLoss.evaluate(
        images: images.slice(axis: 0, rows), texts: texts.slice(axis: 0, rows),
        scale: exp(reference.logScale), bias: reference.bias, in: group)
    }.map { try $0.get() }
    // Float roundings of some tens of terms: 1e-5 of the largest.
    func sum(_ part: (PairLoss) -> Float) -> Float { shares.reduce(0) { $0 + part($1) } }
    #expect(abs(sum(\.loss) / reference.loss - 1) < 1e-5)
    #expect(abs(sum(\.logScaleGradient) / reference.logScaleGradient - 1) < 1e-5)
    #expect(abs(sum(\.logBiasGradient) / reference.biasGradient - 1) < 1e-5)
    #expect(abs(sum(\.batchShare) - 1) < 1e-6)
    #expect(distance(shares.flatMap(\.imageGradient.values), reference.imageGradient) < 1e-5)
    #expect(distance(shares.flatMap(\.textGradient.values), reference.textGradient) < 1e-5)
  }

  @Test("a sigmoid of ±200 neither overflows nor loses its slope")
  func largeLogits() throws {
    let images = Tensor(shape: [2, 2], [1, 0, 0, 1])
    let result = try SigmoidLoss.evaluate(
      images: images, texts: images.scaled(by: -1), scale: 200, bias: 0, in: .alone)
    // Each match has z = −200: log(1 + e^200) = 200; of the others z = 0: ln 2 each, of 2 pairs.
    #expect(abs(result.loss - 200.693_15) < 1e-3)
    let isFinite = result.imageGradient.values.allSatisfy { $0.isFinite }
    #expect(isFinite)
    #expect(result.logScaleGradient.isFinite && result.logBiasGradient.isFinite)
  }

  @Test("the schedules are open_clip's at every third step")
  func schedules() throws {
    let reference = try OpenCLIPObjectives.load()
    let shapes: [String: LearningRateSchedule.Shape] = [
      "cosine": .cosine, "constant": .constant,
      "cooldown": .constantWithCooldown(steps: 20, power: 1.7, end: 1e-4),
    ]
    #expect(Set(shapes.keys) == Set(reference.schedules.keys))
    for (name, rates) in reference.schedules {
      let schedule = LearningRateSchedule(
        try #require(shapes[name]), base: 2e-3, warmup: 7, total: 60)
      for (step, rate) in zip(reference.scheduleSteps, rates) {
        // Both compute in Double; ours is rounded to Float at the end.
        #expect(abs(schedule.learningRate(step: step) - rate) <= 1e-7 * rate, "\(name) \(step)")
      }
    }
  }

  @Test("a locked tower keeps free what open_clip keeps free")
  func locks() throws {
    for lock in try OpenCLIPObjectives.load().locks {
      let model = try OpenCLIP("plain").model()
      if lock.tower == "image" {
        model.lockImageTower(unlockedGroups: lock.unlocked)
      } else {
        model.lockTextTower(unlockedLayers: lock.unlocked)
      }
      let free = model.parameters.filter(\.variable.requiresGradient).map(\.name).sorted()
      #expect(free == lock.free, "\(lock.tower) \(lock.unlocked)")
    }
  }

  @Test(
    "the features of chosen patches, and their gradient, are those of open_clip's patch dropout")
  func patches() throws {
    let (reference, clip) = (try OpenCLIPObjectives.load().patches, try OpenCLIP("plain"))
    let model = try clip.model()
    let features = model.imageFeatures(
      try clip.tensor("images"), patches: reference.patches.map { $0.sorted() })
    #expect(distance(features.value.values, reference.features) < 1e-5)
    let seed = Tensor(
      shape: features.shape, (0..<features.value.count).map { Float(cos(Double($0))) })
    Variable.backward(from: [(features, seed)])
    let position = try #require(
      model.parameters.first { $0.name == "visual.positional_embedding" }?.variable.gradient)
    // 1e-4: two blocks' worth of rounding in another order.
    #expect(distance(position.values, reference.positionGradient) < 1e-4)
  }
}
