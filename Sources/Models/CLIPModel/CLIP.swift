public import Autograd
import Glibc
public import NeuralNetworks
import SeededRandom
public import TensorEngine
public import WeightFiles

/// Contrastive language-image pre-training: an image tower and a text tower into one space.
///
/// Parameters have the names of open_clip and OpenAI. Letters: B images or captions, S the image's
/// side, D the common width. Source: Radford et al. 2021 (arXiv:2103.00020), open_clip `model.py`.
public final class CLIP: Module {
  public let configuration: CLIPConfiguration
  private let visual: ImageTower
  private let text: TextTransformer
  /// The logarithm of the factor on the cosines, a scalar; ln(1/0.07) at first.
  public let logitScale: Variable
  /// What is added to the scaled cosines, a scalar; of models for SigLIP's loss.
  public let logitBias: Variable?

  /// A model with open_clip's random initialisation; the same seed gives the same weights.
  public convenience init(_ configuration: CLIPConfiguration, seed: UInt64) {
    self.init(configuration, seed: seed, draws: true)
  }

  /// Without draws, the parameters are unset: for weights that come from elsewhere.
  private init(_ configuration: CLIPConfiguration, seed: UInt64, draws: Bool) {
    if let problem = configuration.problem { preconditionFailure("CLIP: \(problem)") }
    self.configuration = configuration
    let activation: GELU = configuration.quickGELU ? .quick : .exact
    // A stream for each tower: the size of one does not change the draws of the other.
    var visionRandom = RandomStream(seed: seed, path: 0)
    var textRandom = RandomStream(seed: seed, path: 1)
    func made<Tower>(_ make: () -> Tower) -> Tower {
      draws ? make() : Initialisation.skipped(make)
    }
    visual = made {
      ImageTower(
        configuration.vision, embedDim: configuration.embedDim, activation: activation,
        random: &visionRandom)
    }
    text = made {
      TextTransformer(
        configuration.text, embedDim: configuration.embedDim, activation: activation,
        random: &textRandom)
    }
    logitScale = .parameter(Tensor(Float(configuration.initialLogitScale ?? log(1 / 0.07))))
    logitBias = configuration.initialLogitBias.map { .parameter(Tensor(Float($0))) }
  }

  /// A model with the weights of a file.
  ///
  /// - Throws: ``CLIPError`` that names what is missing, unexpected or of another shape.
  public convenience init(_ configuration: CLIPConfiguration, weights: WeightFile) throws {
    // A configuration may ask for any size, and the file have none of it: compared before it is made.
    try configuration.check(weights.tensors.mapValues(\.shape), file: weights.name)
    // Every parameter is overwritten.
    self.init(configuration, seed: 0, draws: false)
    try load(weights)
  }

  /// - Parameter images: `[B, 3, S, S]`, normalised.
  /// - Returns: `[B, D]`, not L2-normalised.
  public func imageFeatures(_ images: Tensor) -> Variable { visual(Variable(images)) }

  /// As ``imageFeatures(_:)-(Tensor)``, of some patches of each picture: of a transformer alone.
  ///
  /// - Parameters:
  ///   - images: `[B, 3, S, S]`.
  ///   - patches: For each picture the patches that are seen, by their numbers from the top left, row by row.
  /// - Returns: `[B, D]`.
  /// - Source: Li et al. 2022 (FLIP, arXiv:2212.00794); open_clip's `PatchDropout`.
  public func imageFeatures(_ images: Tensor, patches: [[Int]]) -> Variable {
    visual(Variable(images), patches: patches)
  }

  /// As ``imageFeatures(_:)-(Tensor)``, with a gradient for the images if they ask for one.
  public func imageFeatures(_ images: Variable) -> Variable { visual(images) }

  /// - Parameter tokens: Captions as ids, start to end; ids behind the end token are ignored.
  /// - Returns: `[B, D]`, not L2-normalised.
  public func textFeatures(_ tokens: [[Int32]]) -> Variable { text(tokens) }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    text.visitParameters(prefix: prefix, visit)
    visit(prefix + "logit_scale", logitScale)
    if let logitBias { visit(prefix + "logit_bias", logitBias) }
    visual.visitParameters(prefix: prefix + "visual.", visit)
  }

  public func visitBuffers(prefix: String, _ visit: (String, Variable) -> Void) {
    visual.visitBuffers(prefix: prefix + "visual.", visit)
  }

  /// The parameters and buffers under their names, for a weight file.
  public var state: [(name: String, tensor: Tensor)] {
    (parameters + buffers).map { ($0.name, $0.variable.value) }
  }

  /// Takes over all weights, or none when one does not fit.
  public func load(_ weights: WeightFile) throws(CLIPError) {
    try configuration.check(weights.tensors.mapValues(\.shape), file: weights.name)
    for (name, variable) in parameters + buffers {
      guard let tensor = weights.tensors[name] else {
        preconditionFailure("CLIP: \(name) is not among its configuration's shapes")
      }
      variable.value = tensor.reshaped(variable.shape)
    }
  }
}
