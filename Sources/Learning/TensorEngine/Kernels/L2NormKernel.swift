extension Tensor {
  /// Each row of the last axis divided by its Euclidean norm, at least 1e-12 (torch's `normalize`).
  ///
  /// - Returns: The unit rows, and 1/norm per row for the gradient.
  public func l2Normalized() -> (value: Tensor, inverseNorms: Tensor) {
    var value = Tensor(uninitialized: shape)
    var inverse = Tensor(uninitialized: [rows])
    let (x, y, inverses, columns) = (floats, value.mutableFloats, inverse.mutableFloats, columns)
    for row in 0..<rows {
      let start = row * columns
      let norm = Tensor.dot(x, start, x, start, columns).squareRoot()
      let scale = 1 / Swift.max(norm, 1e-12)
      inverses[row] = scale
      eachLane(of: start..<start + columns) { index in
        y[lanes: index] = x[lanes: index] * scale
      } tail: { index, width in
        for lane in index..<index + width { y[lane] = x[lane] * scale }
      }
    }
    return (value, inverse)
  }

  /// The gradient of `l2Normalized` from its result y: dx = (dy - y·(y·dy)) / norm.
  public func l2NormalizedGradient(_ gradient: Tensor, inverseNorms: Tensor) -> Tensor {
    var result = Tensor(uninitialized: shape)
    let (y, dy, dx) = (floats, gradient.floats, result.mutableFloats)
    let (inverses, columns) = (inverseNorms.floats, columns)
    for row in 0..<rows {
      let start = row * columns
      let along = Tensor.dot(y, start, dy, start, columns)
      let scale = inverses[row]
      eachLane(of: start..<start + columns) { index in
        dx[lanes: index] = (dy[lanes: index] - y[lanes: index] * along) * scale
      } tail: { index, width in
        for lane in index..<index + width { dx[lane] = (dy[lane] - y[lane] * along) * scale }
      }
    }
    return result
  }
}
