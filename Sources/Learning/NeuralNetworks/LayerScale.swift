public import Autograd
import TensorEngine

/// A factor for each channel of a branch, small at first, so that deep stacks begin near the identity.
///
/// Source: Touvron et al. 2021 (arXiv:2103.17239), "LayerScale".
public final class LayerScale: Module {
  /// Shape `[D]`.
  public let gamma: Variable

  public init(_ width: Int, initial: Double) {
    gamma = .parameter(Tensor(shape: [width], repeating: Float(initial)))
  }

  public func callAsFunction(_ x: Variable) -> Variable { x * gamma }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "gamma", gamma)
  }
}
