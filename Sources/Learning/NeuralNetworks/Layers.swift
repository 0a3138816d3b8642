public import Autograd
public import SeededRandom
public import TensorEngine

/// The affine map x·weightᵀ + bias, with torch's default initialisation.
public final class Linear: Module {
  /// Shape `[out, in]`.
  public let weight: Variable
  /// Shape `[out]`.
  public let bias: Variable?

  public init(_ inputs: Int, _ outputs: Int, bias: Bool = true, random: inout RandomStream) {
    weight = .parameter(.kaimingUniform([outputs, inputs], random: &random))
    self.bias =
      bias
      ? .parameter(
        .uniform([outputs], bound: 1 / Double(max(1, inputs)).squareRoot(), random: &random))
      : nil
  }

  public func callAsFunction(_ x: Variable) -> Variable { linear(x, weight, bias) }

  /// The map followed by a GELU, in one pass.
  public func callAsFunction(_ x: Variable, activation: GELU) -> Variable {
    linear(x, weight, bias, activation: activation)
  }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "weight", weight)
    if let bias { visit(prefix + "bias", bias) }
  }
}

/// Layer normalisation with gain and bias, 1 and 0 at first.
public final class LayerNorm: Module {
  public let weight: Variable
  public let bias: Variable
  public let epsilon: Float

  public init(_ width: Int, epsilon: Float = 1e-5) {
    weight = .parameter(Tensor(shape: [width], repeating: 1))
    bias = .parameter(Tensor(shape: [width]))
    self.epsilon = epsilon
  }

  public func callAsFunction(_ x: Variable) -> Variable {
    layerNorm(x, weight, bias, epsilon: epsilon)
  }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "weight", weight)
    visit(prefix + "bias", bias)
  }
}

/// A table with a row per token, drawn from N(0, standardDeviation²).
public final class Embedding: Module {
  /// Shape `[count, width]`.
  public let weight: Variable

  public init(
    count: Int, width: Int, standardDeviation: Double = 1, random: inout RandomStream
  ) {
    weight = .parameter(
      .normal([count, width], standardDeviation: standardDeviation, random: &random))
  }

  /// `[T, width]` for T tokens.
  public func callAsFunction(_ tokens: [Int32]) -> Variable { gatherRows(weight, tokens) }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "weight", weight)
  }
}
