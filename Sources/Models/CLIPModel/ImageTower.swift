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

  /// - Parameter images: `[B, 3, S, S]`.
  /// - Returns: `[B, D]`.
  func callAsFunction(_ images: Variable) -> Variable {
    switch kind {
    case .transformer(let tower): tower(images)
    case .resNet(let tower): tower(images)
    }
  }

  func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    module.visitParameters(prefix: prefix, visit)
  }

  func visitBuffers(prefix: String, _ visit: (String, Variable) -> Void) {
    module.visitBuffers(prefix: prefix, visit)
  }
}
