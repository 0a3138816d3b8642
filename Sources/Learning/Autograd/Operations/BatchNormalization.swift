public import TensorEngine

/// Normalisation of each channel by the batch's own mean and variance.
///
/// - Parameters:
///   - x: `[…, C]`, channels last.
///   - weight: `[C]`.
///   - bias: `[C]`.
///   - epsilon: Added to the biased variance.
/// - Returns: (x − mean) / √(variance + ε) · weight + bias, with mean and biased variance, `[C]` each.
/// - Source: Ioffe and Szegedy 2015 (arXiv:1502.03167), algorithm 1.
public func batchNorm(
  _ x: Variable, _ weight: Variable, _ bias: Variable, epsilon: Float = 1e-5
) -> (value: Variable, mean: Tensor, variance: Tensor) {
  let (input, gain) = (x.value, weight.value)
  let (mean, variance) = input.columnMoments()
  let inverse = inverseDeviation(variance, epsilon)
  let (scale, shift) = affine(gain, bias.value, mean, inverse)
  let y = Tensor.combine(.combine(input, scale, .multiply), shift, .add)
  let kept = x.kept()
  // What reads the result keeps nothing of it.
  let again = Remaking { _ in
    .combine(.combine(kept.lent(), scale, .multiply), shift, .add)
  }
  let value = Variable(result: y, of: [x, weight, bias], again: again) {
    [x = x.target, weight = weight.target, bias = bias.target] dy in
    let input = kept.restored()
    let (sum, product) = input.columnGradients(dy, mean: mean, inverse: inverse)
    weight.accumulate(product)
    bias.accumulate(sum)
    guard x.requiresGradient else { return }
    // With n = (x − mean)·s: dx = weight·s·(dy − Σdy/N − n·Σ(dy·n)/N), as dy·a + x·b + c.
    let share = 1 / Float(input.rows)
    let a = Tensor.combine(gain, inverse, .multiply)
    let b = Tensor.combine(.combine(a, inverse, .multiply), product.scaled(by: -share), .multiply)
    var c = Tensor.combine(.combine(b, mean, .multiply), Tensor(-1), .multiply)
    c.add(.combine(a, sum, .multiply), scaledBy: -share)
    var dx = Tensor.combine(dy, a, .multiply)
    dx.add(.combine(.combine(input, b, .multiply), c, .add))
    x.accumulate(dx)
  }
  return (value, mean, variance)
}

/// Normalisation of each channel by a mean and a variance that are given, as in inference.
///
/// - Parameters:
///   - x: `[…, C]`, channels last.
///   - weight: `[C]`.
///   - bias: `[C]`.
///   - mean: `[C]`.
///   - variance: `[C]`.
///   - epsilon: Added to the variance.
/// - Returns: The shape of x.
public func batchNorm(
  _ x: Variable, _ weight: Variable, _ bias: Variable, mean: Tensor, variance: Tensor,
  epsilon: Float = 1e-5
) -> Variable {
  let input = x.value
  let inverse = inverseDeviation(variance, epsilon)
  let (scale, shift) = affine(weight.value, bias.value, mean, inverse)
  let y = Tensor.combine(.combine(input, scale, .multiply), shift, .add)
  let needsInput = weight.requiresGradient || bias.requiresGradient
  return Variable(result: y, of: [x, weight, bias]) {
    [
      x = x.target, weight = weight.target, bias = bias.target,
      kept = needsInput ? x.kept() : nil
    ] dy in
    if let input = kept?.restored() {
      let (sum, product) = input.columnGradients(dy, mean: mean, inverse: inverse)
      weight.accumulate(product)
      bias.accumulate(sum)
    }
    x.accumulate(.combine(dy, scale, .multiply))
  }
}

private func inverseDeviation(_ variance: Tensor, _ epsilon: Float) -> Tensor {
  .combine(Tensor(1), variance.shifted(by: epsilon).squareRoot(), .divide)
}

/// The same as scale·x + shift.
private func affine(_ weight: Tensor, _ bias: Tensor, _ mean: Tensor, _ inverse: Tensor) -> (
  scale: Tensor, shift: Tensor
) {
  let scale = Tensor.combine(weight, inverse, .multiply)
  return (scale, .combine(bias, .combine(mean, scale, .multiply), .subtract))
}
