public import Autograd
import TensorEngine

/// Group normalisation with gain and bias, 1 and 0 at first; torch's names.
public final class GroupNorm: Module {
  /// Shape `[C]`.
  public let weight: Variable
  /// Shape `[C]`.
  public let bias: Variable
  public let groups: Int
  public let epsilon: Float

  public init(_ channels: Int, groups: Int, epsilon: Float = 1e-5) {
    weight = .parameter(Tensor(shape: [channels], repeating: 1))
    bias = .parameter(Tensor(shape: [channels]))
    (self.groups, self.epsilon) = (groups, epsilon)
  }

  /// Of `[B, …, C]`, channels last.
  public func callAsFunction(_ x: Variable) -> Variable {
    groupNorm(x, weight, bias, groups: groups, epsilon: epsilon)
  }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "weight", weight)
    visit(prefix + "bias", bias)
  }
}
