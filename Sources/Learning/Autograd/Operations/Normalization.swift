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
  let (gain, offset) = (weight.value, bias?.value)
  let (y, mean, inverse) = x.value.layerNorm(weight: gain, bias: offset, epsilon: epsilon)
  let operands = [x, weight] + (bias.map { [$0] } ?? [])
  guard recordsGraph(operands) else { return Variable(y) }
  let kept = x.kept()
  // What reads the result keeps nothing of it: x and two numbers a row give it again.
  let again = Remaking { _ in
    kept.lent().layerNorm(
      weight: gain, bias: offset, mean: mean, inverseDeviation: inverse)
  }
  return Variable(result: y, of: operands, again: again) {
    [x = x.target, weight = weight.target, bias = bias?.target] dy in
    let input = kept.restored()
    weight.updateGradient {
      $0.addLayerNormWeightGradient(
        input: input, gradient: dy, mean: mean, inverseDeviation: inverse)
    }
    bias?.updateGradient { $0.addRowSum(of: dy) }
    x.accumulate(
      input.layerNormInputGradient(dy, weight: gain, mean: mean, inverseDeviation: inverse))
  }
}

/// Normalisation of groups of channels, over all pixels of a picture, channels last.
///
/// - Parameters:
///   - x: `[B, …, C]`.
///   - weight: `[C]`.
///   - bias: `[C]`.
///   - groups: How many parts of the channels are normalised apart; C is a multiple.
///   - epsilon: Added to the biased variance.
/// - Returns: The shape of x.
/// - Source: Wu and He 2018 (arXiv:1803.08494).
public func groupNorm(
  _ x: Variable, _ weight: Variable, _ bias: Variable, groups: Int, epsilon: Float = 1e-5
) -> Variable {
  let (shape, channels) = (x.shape, x.value.columns)
  precondition(
    shape.count >= 2 && groups > 0 && channels % groups == 0,
    "groupNorm: \(shape) in \(groups) groups")
  let part = channels / groups
  let pixels = shape.dropFirst().dropLast().reduce(1, *)
  let split = [shape[0], pixels, groups, part]
  let rows = x.reshaped(split).transposed([0, 2, 1, 3])
  let normal = layerNorm(
    rows.reshaped([shape[0] * groups, pixels * part]),
    Variable(Tensor(shape: [pixels * part], repeating: 1)), nil, epsilon: epsilon)
  let back = normal.reshaped([shape[0], groups, pixels, part]).transposed([0, 2, 1, 3])
  return back.reshaped(shape) * weight + bias
}
