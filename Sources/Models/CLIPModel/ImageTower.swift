import Autograd
import NeuralNetworks
import SeededRandom
import TensorEngine

/// The image tower that a configuration asks for.
final class ImageTower: Module {
  private enum Kind {
    case transformer(VisionTransformer)
    case resNet(ModifiedResNet)
  }
  private let kind: Kind
  private var module: any Module {
    switch kind {
    case .transformer(let tower): tower
    case .resNet(let tower): tower
    }
  }

  init(
    _ configuration: CLIPConfiguration.Vision, embedDim: Int, activation: GELU,
    random: inout RandomStream
  ) {
    kind =
      configuration.isResNet
      ? .resNet(ModifiedResNet(configuration, embedDim: embedDim, random: &random))
      : .transformer(
        VisionTransformer(
          configuration, embedDim: embedDim, activation: activation, random: &random))
  }

  /// - Parameters:
  ///   - images: `[B, 3, S, S]`.
  ///   - patches: Those of each picture that are seen, of a transformer; nil for all.
  /// - Returns: `[B, D]`.
  func callAsFunction(_ images: Variable, patches: [[Int]]? = nil) -> Variable {
    switch kind {
    case .transformer(let tower): return tower(images, patches: patches)
    case .resNet(let tower):
      precondition(patches == nil, "CLIP: a ResNet has no patches to choose from")
      return tower(images)
    }
  }

  func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    module.visitParameters(prefix: prefix, visit)
  }

  func visitBuffers(prefix: String, _ visit: (String, Variable) -> Void) {
    module.visitBuffers(prefix: prefix, visit)
  }
}
