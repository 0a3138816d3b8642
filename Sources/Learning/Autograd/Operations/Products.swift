public import TensorEngine

/// The matrix product op(a)·op(b).
///
/// - Parameters:
///   - a: `[M, K]` or `[B…, M, K]`; `[…, K, M]` with `transposeA`.
///   - b: `[K, N]`, shared by the batch, or `[B…, K, N]`; `[…, N, K]` with `transposeB`.
///   - transposeA: Whether op(a) is aᵀ.
///   - transposeB: Whether op(b) is bᵀ.
/// - Returns: `[M, N]` or `[B…, M, N]`.
public func matmul(
  _ a: Variable, _ b: Variable, transposeA: Bool = false, transposeB: Bool = false
) -> Variable {
  let (x, y) = (a.value, b.value)
  let result = Tensor.matmul(x, y, transposeA: transposeA, transposeB: transposeB)
  return Variable(result: result, of: [a, b]) { dz in
    a.accumulate(
      transposeA
        ? .matmul(batched(y, like: x), dz, transposeA: transposeB, transposeB: true)
        : .matmul(dz, y, transposeB: !transposeB))
    if y.shape.count == 2, x.shape.count > 2 {
      b.accumulate(sharedGradient(x, dz, transposeA: transposeA, transposeB: transposeB))
    } else {
      b.accumulate(
        transposeB
          ? .matmul(dz, x, transposeA: true, transposeB: transposeA)
          : .matmul(x, dz, transposeA: !transposeA))
    }
  }
}

/// A matrix repeated over the batch axes of `other`, where it lacks them.
private func batched(_ matrix: Tensor, like other: Tensor) -> Tensor {
  guard matrix.shape.count == 2, other.shape.count > 2 else { return matrix }
  let batch = Array(other.shape.dropLast(2))
  return matrix.repeated(batch.reduce(1, *), axis: 0).reshaped(batch + matrix.shape)
}

/// The gradient of a matrix that a whole batch was multiplied by: the sum over the batch.
private func sharedGradient(
  _ x: Tensor, _ dz: Tensor, transposeA: Bool, transposeB: Bool
) -> Tensor {
  var rows = x
  if transposeA {
    let last = x.shape.count - 1
    rows = x.transposed(Array(0..<last - 1) + [last, last - 1])
  }
  let (left, right) = transposeB ? (dz, rows) : (rows, dz)
  return .matmul(
    left.reshaped([-1, left.shape[left.shape.count - 1]]),
    right.reshaped([-1, right.shape[right.shape.count - 1]]), transposeA: true)
}

/// The affine map x·weightᵀ + bias.
///
/// - Parameters:
///   - x: `[…, in]`.
///   - weight: `[out, in]`, torch's layout.
///   - bias: `[out]` or nil.
/// - Returns: `[…, out]`.
public func linear(_ x: Variable, _ weight: Variable, _ bias: Variable? = nil) -> Variable {
  let (input, matrix) = (x.value, weight.value)
  var y = affine(input, matrix)
  if let bias { y.add(bias.value) }
  return Variable(result: y, of: [x, weight] + (bias.map { [$0] } ?? [])) { dy in
    propagateAffine(dy, to: x, input, weight, matrix, bias)
  }
}

/// `gelu(linear(x, weight, bias), kind)` in one pass over the activations.
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
  let (input, matrix) = (x.value, weight.value)
  let operands = [x, weight] + (bias.map { [$0] } ?? [])
  let (y, slope) = affine(input, matrix).gelu(
    activation, bias: bias?.value, wantsSlope: recordsGraph(operands))
  return Variable(result: y, of: operands) { dy in
    guard let slope else { return }
    propagateAffine(.combine(dy, slope, .multiply), to: x, input, weight, matrix, bias)
  }
}

private func affine(_ x: Tensor, _ weight: Tensor) -> Tensor {
  precondition(
    weight.shape.count == 2 && !x.shape.isEmpty && x.columns == weight.shape[1],
    "linear: input \(x.shape) for a weight \(weight.shape)")
  return Tensor.matmul(x.reshaped([x.rows, x.columns]), weight, transposeB: true)
    .reshaped(x.shape.dropLast() + [weight.shape[0]])
}

private func propagateAffine(
  _ dy: Tensor, to x: Variable, _ input: Tensor, _ weight: Variable, _ matrix: Tensor,
  _ bias: Variable?
) {
  weight.updateGradient { $0.addMatmul(dy, input, transposeA: true) }
  bias?.updateGradient { $0.addRowSum(of: dy) }
  x.accumulate(
    Tensor.matmul(dy.reshaped([dy.rows, dy.columns]), matrix).reshaped(input.shape))
}
