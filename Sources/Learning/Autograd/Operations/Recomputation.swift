import TensorEngine

/// `body(x)`, of which only x and the result are kept: backward computes the rest once more.
///
/// Costs one more forward pass of `body` and saves the memory of all that happens inside. The bits are those of
/// `body(x)`, so whatever is random inside must be addressed by what it is for.
///
/// - Parameters:
///   - x: The operand.
///   - parameters: The leaves inside `body` that may require a gradient.
///   - body: Depends on x and on leaves alone.
/// - Returns: The shape of `body(x)`.
/// - Source: Chen et al. 2016 (arXiv:1604.06174).
public func recomputed(
  _ x: Variable, parameters: [Variable], _ body: @escaping (Variable) -> Variable
) -> Variable {
  let result = withoutGradient { body(Variable(x.value)).value }
  return Variable(result: result, of: [x] + parameters) {
    [x = x.target, input = x.kept()] dy in
    let again = Variable(input.restored(), requiresGradient: x.requiresGradient)
    // Recorded, even where the pass itself runs inside `withoutGradient`.
    let result = Recording.$isOn.withValue(true) { body(again) }
    Variable.backward(from: [(result, dy)])
    if let gradient = again.gradient { x.accumulate(gradient) }
  }
}
