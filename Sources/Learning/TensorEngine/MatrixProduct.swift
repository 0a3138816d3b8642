extension Tensor {
  /// The matrix product α·op(a)·op(b), in a batch or alone.
  ///
  /// - Parameters:
  ///   - a: `[M, K]` or `[B…, M, K]` (`[K, M]` inside when transposed).
  ///   - b: `[K, N]`, used by the whole batch, or `[B…, K, N]` with the same B.
  ///   - transposeA: Whether op(a) is aᵀ.
  ///   - transposeB: Whether op(b) is bᵀ.
  ///   - alpha: Multiplies the product.
  /// - Returns: `[M, N]` or `[B…, M, N]`.
  public static func matmul(
    _ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false, alpha: Float = 1
  ) -> Tensor {
    let (m, k) = a.matrixSides(transposed: transposeA, in: "matmul")
    let (inner, n) = b.matrixSides(transposed: transposeB, in: "matmul")
    let batch = Array(a.shape.dropLast(2))
    let shared = b.shape.count == 2
    precondition(
      k == inner && (shared || batch == Array(b.shape.dropLast(2))),
      "matmul: \(a.shape)\(transposeA ? "ᵀ" : "") by \(b.shape)\(transposeB ? "ᵀ" : "")")
    var result = Tensor(uninitialized: batch + [m, n])
    result.multiply(
      a, b, transposeA: transposeA, transposeB: transposeB, alpha: alpha, beta: 0,
      sides: (m, n, k), shared: shared)
    return result
  }

  /// Adds the product op(a)·op(b) of two matrices in place, reading leading axes as more rows.
  ///
  /// This is how the gradient of a weight grows without a tensor in between. What is here counts `beta` times;
  /// with 0 it need not be set.
  public mutating func addMatmul(
    _ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false, alpha: Float = 1,
    beta: Float = 1
  ) {
    let (m, k) = transposeA ? (a.columns, a.rows) : (a.rows, a.columns)
    let (inner, n) = transposeB ? (b.columns, b.rows) : (b.rows, b.columns)
    precondition(
      k == inner && rows == m && columns == n,
      "addMatmul: \(a.shape)\(transposeA ? "ᵀ" : "") by \(b.shape)\(transposeB ? "ᵀ" : "") "
        + "into \(shape)")
    multiply(
      a.reshaped([a.rows, a.columns]), b.reshaped([b.rows, b.columns]), transposeA: transposeA,
      transposeB: transposeB, alpha: alpha, beta: beta, sides: (m, n, k), shared: true)
  }

  private mutating func multiply(
    _ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool, alpha: Float, beta: Float,
    sides: (m: Int, n: Int, k: Int), shared: Bool
  ) {
    let (m, n, k) = sides
    let c = mutableFloats
    let (aFloats, bFloats) = (a.floats, b.floats)
    let (aStride, bStride) = (max(1, a.columns), max(1, b.columns))
    // A batch with one right side is a single tall product.
    if shared, !transposeA || a.shape.count == 2 {
      let tall = transposeA ? m : a.shape.dropLast().reduce(1, *)
      BLAS.sharedSgemm(
        m: tall, n: n, k: k, alpha: alpha, BLAS.Matrix(floats: aFloats, stride: aStride),
        transposeA: transposeA, BLAS.Matrix(floats: bFloats, stride: bStride),
        transposeB: transposeB, beta: beta, into: BLAS.Matrix(floats: c, stride: max(1, n)))
      return
    }
    let batches = a.shape.dropLast(2).reduce(1, *)
    @Sendable func product(_ batch: Int) {
      BLAS.sgemm(
        m: m, n: n, k: k, alpha: alpha,
        BLAS.Matrix(floats: aFloats, offset: batch * m * k, stride: aStride),
        transposeA: transposeA,
        BLAS.Matrix(floats: bFloats, offset: shared ? 0 : batch * k * n, stride: bStride),
        transposeB: transposeB, beta: beta,
        into: BLAS.Matrix(floats: c, offset: batch * m * n, stride: max(1, n)))
    }
    TensorThreads.forEach(batches, product)
  }

  private func matrixSides(transposed: Bool, in operation: String) -> (Int, Int) {
    precondition(shape.count >= 2, "\(operation): \(shape) is no matrix")
    let (first, second) = (shape[shape.count - 2], shape[shape.count - 1])
    return transposed ? (second, first) : (first, second)
  }
}
