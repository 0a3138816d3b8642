import TensorEngine

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
  let result = Tensor.matmul(a.value, b.value, transposeA: transposeA, transposeB: transposeB)
  let isShared = b.shape.count == 2 && a.shape.count > 2
  // Each side is needed for the other's gradient alone.
  let x = b.requiresGradient ? a.kept() : nil
  let y = a.requiresGradient ? b.kept() : nil
  return Variable(result: result, of: [a, b]) { [a = a.target, b = b.target] dz in
    if let y = y?.restored() {
      a.accumulate(
        transposeA
          ? .matmul(batched(y, like: a.shape), dz, transposeA: transposeB, transposeB: true)
          : .matmul(dz, y, transposeB: !transposeB))
    }
    guard let x = x?.restored() else { return }
    if isShared {
      b.accumulate(sharedGradient(x, dz, transposeA: transposeA, transposeB: transposeB))
    } else {
      b.accumulate(
        transposeB
          ? .matmul(dz, x, transposeA: true, transposeB: transposeA)
          : .matmul(x, dz, transposeA: !transposeA))
    }
  }
}

/// A matrix repeated over the batch axes of the shape `other`, where it lacks them.
private func batched(_ matrix: Tensor, like other: [Int]) -> Tensor {
  guard matrix.shape.count == 2, other.count > 2 else { return matrix }
  let batch = Array(other.dropLast(2))
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
  var y = affine(x.value, weight.value)
  if let bias { y.add(bias.value) }
  let operands = [x, weight] + (bias.map { [$0] } ?? [])
  guard recordsGraph(operands) else { return Variable(y) }
  let map = AffineGradient(x, weight, bias)
  return Variable(result: y, of: operands) { dy in map.propagate(dy) }
}

/// x·weightᵀ.
func affine(_ x: Tensor, _ weight: Tensor) -> Tensor {
  precondition(
    weight.shape.count == 2 && !x.shape.isEmpty && x.columns == weight.shape[1],
    "linear: input \(x.shape) for a weight \(weight.shape)")
  return Tensor.matmul(x.reshaped([x.rows, x.columns]), weight, transposeB: true)
    .reshaped(x.shape.dropLast() + [weight.shape[0]])
}

/// The backward rule of x·weightᵀ + bias, with what it needs of the values.
struct AffineGradient {
  private let x: GradientTarget
  private let weight: GradientTarget
  private let bias: GradientTarget?
  /// x, for the weight's gradient.
  private let input: Kept?
  /// The weight, for the gradient of x.
  private let matrix: Tensor?

  init(_ x: Variable, _ weight: Variable, _ bias: Variable?) {
    (self.x, self.weight, self.bias) = (x.target, weight.target, bias?.target)
    input = weight.requiresGradient ? x.kept() : nil
    matrix = x.requiresGradient ? weight.value : nil
  }

  func propagate(_ dy: Tensor) {
    if let input { weight.accumulateMatmul(dy, input.restored(), transposeA: true) }
    bias?.updateGradient { $0.addRowSum(of: dy) }
    if let matrix {
      x.accumulate(
        Tensor.matmul(dy.reshaped([dy.rows, dy.columns]), matrix).reshaped(x.shape))
    }
  }
}
