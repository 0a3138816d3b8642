extension Tensor {
  /// Layer normalisation over the last axis: (x - mean) / √(variance + ε) · weight + bias.
  ///
  /// - Parameters:
  ///   - weight: `[D]`.
  ///   - bias: `[D]`, or nil for none.
  ///   - epsilon: Added to the (biased) variance.
  /// - Returns: The result, and per row mean and 1/√(variance + ε), which the gradient needs.
  /// - Source: Ba, Kiros, Hinton 2016 (arXiv:1607.06450), eq. 3 and 4.
  public func layerNorm(weight: Tensor, bias: Tensor?, epsilon: Float) -> (
    value: Tensor, mean: Tensor, inverseDeviation: Tensor
  ) {
    let columns = columns
    precondition(
      weight.shape == [columns] && (bias.map { $0.shape == [columns] } ?? true),
      "layerNorm: \(shape) with weight \(weight.shape), bias \(bias.map(\.shape) ?? [])")
    var value = Tensor(uninitialized: shape)
    var mean = Tensor(uninitialized: [rows])
    var inverse = Tensor(uninitialized: [rows])
    let (x, w, b) = (floats, weight.floats, bias?.floats)
    let (y, means, inverses) = (value.mutableFloats, mean.mutableFloats, inverse.mutableFloats)
    TensorThreads.split(rows, grain: max(1, elementwiseGrain / max(1, columns))) { range in
      for row in range {
        (means[row], inverses[row]) = Tensor.normalizeRow(
          x, row * columns, columns, w, b, epsilon, into: y, row * columns)
      }
    }
    return (value, mean, inverse)
  }

  /// The result of `layerNorm` once more, by the mean and the inverse deviation that it gave: the same bits.
  public func layerNorm(
    weight: Tensor, bias: Tensor?, mean: Tensor, inverseDeviation: Tensor
  ) -> Tensor {
    let columns = columns
    precondition(
      weight.shape == [columns] && mean.count == rows && inverseDeviation.count == rows,
      "layerNorm: \(shape) with weight \(weight.shape), mean \(mean.shape)")
    var value = Tensor(uninitialized: shape)
    let (x, w, b, y) = (floats, weight.floats, bias?.floats, value.mutableFloats)
    let (means, inverses) = (mean.floats, inverseDeviation.floats)
    TensorThreads.split(rows, grain: max(1, elementwiseGrain / max(1, columns))) { range in
      for row in range {
        let start = row * columns
        Tensor.applyNorm(x, start, columns, w, b, means[row], inverses[row], into: y, start)
      }
    }
    return value
  }

  /// One row of `layerNorm`, from `start` of x to `place` of y.
  ///
  /// - Returns: Its mean and 1/√(variance + ε).
  @inline(__always) static func normalizeRow(
    _ x: Floats, _ start: Int, _ columns: Int, _ w: Floats, _ b: Floats?, _ epsilon: Float,
    into y: Floats, _ place: Int
  ) -> (mean: Float, inverseDeviation: Float) {
    let average = Tensor.sum(x, start..<start + columns) / Float(columns)
    let variance = Tensor.centredSquares(x, start, columns, average) / Float(columns)
    let scale = 1 / (variance + epsilon).squareRoot()
    applyNorm(x, start, columns, w, b, average, scale, into: y, place)
    return (average, scale)
  }

  /// (x - average)·scale·w + b over one row.
  @inline(__always) private static func applyNorm(
    _ x: Floats, _ start: Int, _ columns: Int, _ w: Floats, _ b: Floats?, _ average: Float,
    _ scale: Float, into y: Floats, _ place: Int
  ) {
    eachLane(of: 0..<columns) { index in
      let normal = (x[lanes: start + index] - average) * scale
      let offset = b.map { $0[lanes: index] } ?? .zero
      y[lanes: place + index] = offset.addingProduct(normal, w[lanes: index])
    } tail: { index, width in
      for lane in index..<index + width {
        y[place + lane] = (x[start + lane] - average) * scale * w[lane] + (b?[lane] ?? 0)
      }
    }
  }

  /// The gradient of `layerNorm` with respect to this input.
  ///
  /// With n = (x - mean)·s and g = dy·weight per row: dx = s·(g - mean(g) - n·mean(g·n)).
  public func layerNormInputGradient(
    _ gradient: Tensor, weight: Tensor, mean: Tensor, inverseDeviation: Tensor
  ) -> Tensor {
    let columns = columns
    var result = Tensor(uninitialized: shape)
    let (x, dy, w) = (floats, gradient.floats, weight.floats)
    let (dx, means, inverses) = (result.mutableFloats, mean.floats, inverseDeviation.floats)
    TensorThreads.split(rows, grain: max(1, elementwiseGrain / max(1, columns))) { range in
      for row in range {
        let start = row * columns
        let (average, scale) = (means[row], inverses[row])
        var (sum, product) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        eachLane(of: 0..<columns) { index in
          let g = dy[lanes: start + index] * w[lanes: index]
          sum += g
          product = product.addingProduct(g, (x[lanes: start + index] - average) * scale)
        } tail: { index, width in
          let g =
            dy.partial(start + index, width: width) * w.partial(index, width: width)
          sum += g
          product += g * (x.partial(start + index, width: width) - average) * scale
        }
        let meanOfG = sum.sum() / Float(columns)
        let meanOfGN = product.sum() / Float(columns)
        eachLane(of: 0..<columns) { index in
          let g = dy[lanes: start + index] * w[lanes: index]
          let n = (x[lanes: start + index] - average) * scale
          dx[lanes: start + index] = (g - meanOfG - n * meanOfGN) * scale
        } tail: { index, width in
          for lane in index..<index + width {
            let n = (x[start + lane] - average) * scale
            dx[start + lane] = (dy[start + lane] * w[lane] - meanOfG - n * meanOfGN) * scale
          }
        }
      }
    }
    return result
  }

  /// Adds the gradient of `layerNorm`'s weight, Σ_rows dy·n, in place.
  public mutating func addLayerNormWeightGradient(
    input: Tensor, gradient: Tensor, mean: Tensor, inverseDeviation: Tensor
  ) {
    let (rows, columns) = (input.rows, input.columns)
    precondition(shape == [columns], "layerNorm: weight \(shape) for \(input.shape)")
    let (x, dy, dw) = (input.floats, gradient.floats, mutableFloats)
    let (means, inverses) = (mean.floats, inverseDeviation.floats)
    let stripes = (columns + 31) / 32
    TensorThreads.split(stripes, grain: max(1, elementwiseGrain / max(1, rows * 32))) { range in
      for stripe in range {
        let (first, end) = (stripe * 32, min(columns, stripe * 32 + 32))
        if end - first == 32 {
          var (a, b, c, d) = (
            SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero
          )
          for row in 0..<rows {
            let index = row &* columns &+ first
            let (average, scale) = (means[row], inverses[row])
            a = a.addingProduct((x[lanes: index] - average) * scale, dy[lanes: index])
            b = b.addingProduct((x[lanes: index + 8] - average) * scale, dy[lanes: index + 8])
            c = c.addingProduct((x[lanes: index + 16] - average) * scale, dy[lanes: index + 16])
            d = d.addingProduct((x[lanes: index + 24] - average) * scale, dy[lanes: index + 24])
          }
          for (offset, sum) in [a, b, c, d].enumerated() { dw[lanes: first + offset * 8] += sum }
        } else {
          for column in first..<end {
            var sum: Float = 0
            for row in 0..<rows {
              let index = row * columns + column
              sum += (x[index] - means[row]) * inverses[row] * dy[index]
            }
            dw[column] += sum
          }
        }
      }
    }
  }

  /// Σ (x - centre)² over one row.
  @inline(__always) private static func centredSquares(
    _ x: Floats, _ start: Int, _ length: Int, _ centre: Float
  ) -> Float {
    var (a, b) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
    var index = 0
    while index &+ 16 <= length {
      let (p, q) = (x[lanes: start &+ index] - centre, x[lanes: start &+ index &+ 8] - centre)
      a = a.addingProduct(p, p)
      b = b.addingProduct(q, q)
      index &+= 16
    }
    var rest: Float = 0
    for lane in index..<length {
      let p = x[start + lane] - centre
      rest += p * p
    }
    return (a + b).sum() + rest
  }
}
