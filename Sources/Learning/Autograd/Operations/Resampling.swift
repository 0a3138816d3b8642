public import TensorEngine

/// Each pixel as a square of `factor` × `factor` equal ones, channels last.
///
/// - Parameters:
///   - x: `[B, H, W, C]`.
///   - factor: 1 or more.
/// - Returns: `[B, factor·H, factor·W, C]`.
public func upsampledNearest(_ x: Variable, _ factor: Int) -> Variable {
  let shape = x.shape
  precondition(
    shape.count == 4 && factor > 0, "upsampledNearest: \(shape) is no [B, H, W, C], or \(factor)")
  // [B, H, f, W, f, C]
  return x.repeated(factor, axis: 3).repeated(factor, axis: 2)
    .reshaped([shape[0], factor * shape[1], factor * shape[2], shape[3]])
}

/// An axis of pictures through a matrix: any separable resize, up or down, with its gradient.
///
/// - Parameters:
///   - x: Any shape.
///   - axis: Which.
///   - weights: `[out, in]`: what each new place takes from the old ones, as a filter's table says.
/// - Returns: The shape of x with `out` places on the axis.
public func resampled(_ x: Variable, axis: Int, weights: Tensor) -> Variable {
  precondition(
    x.shape.indices.contains(axis) && weights.shape.count == 2 && weights.shape[1] == x.shape[axis],
    "resampled: weights \(weights.shape) for axis \(axis) of \(x.shape)")
  let last = x.shape.count - 1
  var order = Array(x.shape.indices)
  order.swapAt(axis, last)
  return linear(x.transposed(order), Variable(weights)).transposed(order)
}

/// Rows added to those of a tensor of zeros: the opposite of ``gatherRows(_:_:)-(Variable,[Int])``.
///
/// - Parameters:
///   - rows: `[N, …]`.
///   - indices: Where each goes; a place named twice holds the sum, added in this order.
///   - count: Of the result.
/// - Returns: `[count, …]`.
public func scatteredRows(_ rows: Variable, at indices: [Int], count: Int) -> Variable {
  var result = Tensor(shape: [count] + rows.shape.dropFirst())
  result.scatterAddRows(rows.value, at: indices)
  return Variable(result: result, of: [rows]) { [target = rows.target] dy in
    target.accumulate(dy.gatherRows(indices))
  }
}
