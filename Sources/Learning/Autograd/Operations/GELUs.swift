public import TensorEngine

/// A Gaussian error linear unit of each element.
public func gelu(_ x: Variable, _ kind: GELU) -> Variable {
  let slope = GELUSlope(of: x.kept(), kind, bias: nil)
  return Variable(
    result: x.value.gelu(kind), of: [x], again: Remaking(slope.value(isLast:))
  ) { [x = x.target] dy in
    x.accumulate(slope.times(dy))
  }
}

/// `gelu(linear(x, weight, bias), kind)` in one pass over the activations.
///
/// Kept for the backward pass are x and the linear map, from which value and derivative of the GELU are
/// computed once more.
///
/// - Parameters:
///   - x: `[…, in]`.
///   - weight: `[out, in]`.
///   - bias: `[out]` or nil.
///   - activation: Which GELU.
/// - Returns: `[…, out]`.
public func linear(
  _ x: Variable, _ weight: Variable, _ bias: Variable?, activation: GELU
) -> Variable {
  let operands = [x, weight] + (bias.map { [$0] } ?? [])
  let mapped = affine(x.value, weight.value)
  let y = mapped.gelu(activation, bias: bias?.value)
  guard recordsGraph(operands) else { return Variable(y) }
  let slope = GELUSlope(of: Kept(mapped), activation, bias: bias?.value)
  let map = AffineGradient(x, weight, bias)
  return Variable(result: y, of: operands, again: Remaking(slope.value(isLast:))) { dy in
    map.propagate(slope.times(dy))
  }
}

/// The input of a GELU, from which backward takes its value, for whoever reads that, and its derivative.
private final class GELUSlope {
  private let kind: GELU
  private let bias: Tensor?
  private var input: Kept?
  private var slope: Tensor?

  init(of input: Kept, _ kind: GELU, bias: Tensor?) {
    (self.input, self.kind, self.bias) = (input, kind, bias)
  }

  /// The GELU's value.
  ///
  /// The rule that asks last is followed by that of the GELU: the derivative takes the input's place.
  func value(isLast: Bool) -> Tensor {
    guard var tensor = input.take()?.restored() else {
      preconditionFailure("gelu: its value after its gradient")
    }
    guard isLast else {
      input = Kept(living: tensor)
      return tensor.gelu(kind, bias: bias)
    }
    let value = tensor.geluLeavingSlope(kind, bias: bias)
    slope = tensor
    return value
  }

  /// The derivative times `gradient`.
  func times(_ gradient: Tensor) -> Tensor {
    if slope == nil, var tensor = input.take()?.restored() {
      _ = tensor.geluLeavingSlope(kind, bias: bias)
      slope = tensor
    }
    guard var product = slope.take() else { preconditionFailure("gelu: its gradient twice") }
    product.multiply(by: gradient)
    return product
  }
}
