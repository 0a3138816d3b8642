import TensorEngine

/// The mean over rows of -log softmax(row)[target].
///
/// - Parameters:
///   - logits: `[N, C]`.
///   - targets: N classes below C.
/// - Returns: A scalar.
public func crossEntropy(_ logits: Variable, _ targets: [Int32]) -> Variable {
  precondition(
    logits.shape.count == 2 && logits.shape[0] > 0,
    "crossEntropy: logits \(logits.shape) are not [N, C]")
  let rows = Float(logits.shape[0])
  let (losses, probabilities) = logits.value.crossEntropy(
    targets, wantsProbabilities: recordsGraph([logits]))
  return Variable(result: Tensor(losses.sum() / rows), of: [logits]) {
    [logits = logits.target] dy in
    guard var gradient = probabilities else { return }
    gradient.subtractOnes(at: targets)
    gradient.scale(by: dy.scalar / rows)
    logits.accumulate(gradient)
  }
}
