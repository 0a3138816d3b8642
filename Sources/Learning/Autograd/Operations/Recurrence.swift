import TensorEngine

/// One step of long short-term memory.
///
/// - Parameters:
///   - gates: `[N, 4·H]`: columns of i, then f, g and o, before their functions.
///   - cell: `[N, H]`.
/// - Returns: The hidden state and the cell behind the step, `[N, H]` each.
public func lstmStep(gates: Variable, cell: Variable) -> (hidden: Variable, cell: Variable) {
  let (old, width) = (cell.value, cell.value.columns)
  let step = Tensor.lstmStep(gates: gates.value, cell: old)
  let (open, next) = (step.gates, step.cell)
  // Both results are one node, so that its rule runs once, with both gradients.
  let both = Variable(
    result: .concatenated([step.hidden, next], axis: 1), of: [gates, cell]
  ) { [gates = gates.target, cell = cell.target] dy in
    let gradient = Tensor.lstmStepGradient(
      hiddenGradient: dy.slice(axis: 1, 0..<width),
      cellGradient: dy.slice(axis: 1, width..<2 * width), gates: open, cell: old, next: next)
    gates.accumulate(gradient.gates)
    cell.accumulate(gradient.cell)
  }
  return (both.slice(axis: 1, 0..<width), both.slice(axis: 1, width..<2 * width))
}
