/// The rows whose sum is kept in Float before it goes into Double: 256 additions lose some 1e-6.
private let rowsPerSum = 256

extension Tensor {
  /// Mean and biased variance of each column, over all but the last axis; summed in Double.
  ///
  /// - Returns: Two tensors `[C]` from `[…, C]`.
  public func columnMoments() -> (mean: Tensor, variance: Tensor) {
    precondition(rows > 0, "columnMoments: \(shape) has no rows")
    let (x, count) = (floats, Double(rows))
    let mean = columnSums { index, _, width in x.lanes(index, width) }.map { Float($0 / count) }
    let means = Tensor(shape: [columns], mean)
    let centres = means.floats
    let variance = columnSums { index, column, width in
      let centred = x.lanes(index, width) - centres.lanes(column, width)
      return centred * centred
    }
    return (means, Tensor(shape: [columns], variance.map { Float($0 / count) }))
  }

  /// Per column, Σ gradient and Σ gradient·(x − mean)·inverse over the rows, summed in Double.
  ///
  /// - Parameters:
  ///   - gradient: The shape of this tensor.
  ///   - mean: `[C]`.
  ///   - inverse: `[C]`.
  /// - Returns: Two tensors `[C]`.
  public func columnGradients(_ gradient: Tensor, mean: Tensor, inverse: Tensor) -> (
    sum: Tensor, product: Tensor
  ) {
    precondition(
      gradient.count == count && mean.count == columns && inverse.count == columns,
      "columnGradients: \(shape) with \(gradient.shape), \(mean.shape), \(inverse.shape)")
    let (x, dy, centres, scales) = (floats, gradient.floats, mean.floats, inverse.floats)
    let sum = columnSums { index, _, width in dy.lanes(index, width) }
    let product = columnSums { index, column, width in
      let normal = (x.lanes(index, width) - centres.lanes(column, width))
      return dy.lanes(index, width) * normal * scales.lanes(column, width)
    }
    return (
      Tensor(shape: [columns], sum.map { Float($0) }),
      Tensor(shape: [columns], product.map { Float($0) })
    )
  }

  /// The sum of `term` over the rows for each column; it gets where up to eight floats lie.
  private func columnSums(
    _ term: (_ index: Int, _ column: Int, _ width: Int) -> SIMD8<Float>
  ) -> [Double] {
    let (rows, columns) = (rows, columns)
    var sums = [Double](repeating: 0, count: columns)
    for column in stride(from: 0, to: columns, by: 8) {
      let width = min(8, columns - column)
      var total = SIMD8<Double>.zero
      var row = 0
      while row < rows {
        var partial = SIMD8<Float>.zero
        let end = min(rows, row + rowsPerSum)
        while row < end {
          partial += term(row &* columns &+ column, column, width)
          row &+= 1
        }
        total += SIMD8<Double>(partial)
      }
      for lane in 0..<width { sums[column + lane] = total[lane] }
    }
    return sums
  }
}

extension Floats {
  @inline(__always) fileprivate func lanes(_ index: Int, _ width: Int) -> SIMD8<Float> {
    width == 8 ? self[lanes: index] : partial(index, width: width)
  }
}
