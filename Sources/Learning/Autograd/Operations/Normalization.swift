import TensorEngine

/// Layer normalisation over the last axis: (x - mean) / √(variance + ε) · weight + bias.
///
/// - Parameters:
///   - x: `[…, D]`.
///   - weight: `[D]`.
///   - bias: `[D]`, or nil for gain only.
///   - epsilon: Added to the biased variance; 1e-5 in CLIP and GPT-2.
/// - Returns: The shape of x.
public func layerNorm(
  _ x: Variable, _ weight: Variable, _ bias: Variable?, epsilon: Float = 1e-5
) -> Variable {
  let (input, gain) = (x.value, weight.value)
  let (y, mean, inverse) = input.layerNorm(weight: gain, bias: bias?.value, epsilon: epsilon)
  return Variable(result: y, of: [x, weight] + (bias.map { [$0] } ?? [])) { dy in
    x.accumulate(
      input.layerNormInputGradient(dy, weight: gain, mean: mean, inverseDeviation: inverse))
    weight.updateGradient {
      $0.addLayerNormWeightGradient(
        input: input, gradient: dy, mean: mean, inverseDeviation: inverse)
    }
    bias?.updateGradient { $0.addRowSum(of: dy) }
  }
}
