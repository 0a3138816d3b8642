import CLIPModel
import CLIPTraining
import SceneWorld
import TensorEngine
import WorkerThreads

/// The demo's test of a CLIP: which of the 192 captions of one shape belongs to a fresh picture.
struct SceneExam {
  /// Combinations of colour and shape that the training set holds, in new renderings.
  var served: ZeroShot
  /// Combinations that were never served.
  var unseen: ZeroShot
  /// The same questions to a model with its first, random weights.
  var untrained: ZeroShot
  /// The share that guessing gets.
  var chance: Double

  /// Questions to each set; every served caption comes about four times.
  static let questions = 640

  /// - Parameters:
  ///   - folder: A folder that training wrote.
  ///   - seed: Of the renderings.
  /// - Throws: What the folder lacks.
  init(model folder: String, seed: UInt64) throws {
    TensorThreads.set(Parallel.coreCount)
    let trained = try TrainedCLIP.load(folder)
    let fresh = TrainedCLIP(
      model: CLIP(trained.model.configuration, seed: seed), tokenizer: trained.tokenizer,
      preprocessing: trained.preprocessing)
    served = Self.ask(trained, seed: seed, heldOut: false)
    unseen = Self.ask(trained, seed: seed, heldOut: true)
    untrained = Self.ask(fresh, seed: seed, heldOut: false)
    chance = 1 / Double(SceneWorld.singleShapeCaptions.count)
  }

  private static func ask(_ model: TrainedCLIP, seed: UInt64, heldOut: Bool) -> ZeroShot {
    let pictures = SceneWorld.evaluationPictures(count: questions, seed: seed, heldOut: heldOut)
    return ZeroShot(
      images: model.imageFeatures(pictures.map(\.image)),
      classVectors: model.textFeatures(SceneWorld.singleShapeCaptions),
      labels: pictures.map(\.captionIndex))
  }
}
