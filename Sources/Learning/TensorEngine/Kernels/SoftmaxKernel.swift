import Glibc

extension Tensor {
  /// The softmax of each row of the last axis.
  public func softmax() -> Tensor {
    var result = self
    let (y, columns) = (result.mutableFloats, columns)
    TensorThreads.split(rows, grain: max(1, elementwiseGrain / 4 / max(1, columns))) { range in
      for row in range { _ = Tensor.softmaxRow(y, row * columns, columns) }
    }
    return result
  }

  /// The gradient of the softmax from its result y, per row: y·(dy - Σ dy·y).
  public func softmaxGradient(_ gradient: Tensor) -> Tensor {
    precondition(shape == gradient.shape, "softmax: gradient \(gradient.shape) for \(shape)")
    var result = Tensor(uninitialized: shape)
    let (y, dy, dx, columns) = (floats, gradient.floats, result.mutableFloats, columns)
    TensorThreads.split(rows, grain: max(1, elementwiseGrain / max(1, columns))) { range in
      for row in range {
        let start = row * columns
        let mean = Tensor.dot(y, start, dy, start, columns)
        eachLane(of: start..<start + columns) { index in
          dx[lanes: index] = y[lanes: index] * (dy[lanes: index] - mean)
        } tail: { index, width in
          for lane in index..<index + width { dx[lane] = y[lane] * (dy[lane] - mean) }
        }
      }
    }
    return result
  }

  /// log Σ exp of each row of the last axis, by the row's true maximum.
  ///
  /// - Returns: The shape without the last axis.
  public func logSumExp() -> Tensor {
    var result = Tensor(uninitialized: Array(shape.dropLast()))
    let (x, y, columns) = (floats, result.mutableFloats, columns)
    TensorThreads.split(rows, grain: max(1, elementwiseGrain / 4 / max(1, columns))) { range in
      for row in range { y[row] = Tensor.logSumExp(x, row * columns, columns) }
    }
    return result
  }

  /// Softmax with cross-entropy of each row against one target, and the softmax itself.
  ///
  /// - Parameters:
  ///   - targets: One class per row, below the length of the last axis.
  ///   - wantsProbabilities: Whether a backward pass follows.
  /// - Returns: The loss per row, and softmax(row), from which the gradient is p - onehot(target).
  public func crossEntropy(_ targets: [Int32], wantsProbabilities: Bool) -> (
    losses: Tensor, probabilities: Tensor?
  ) {
    let (rows, columns) = (rows, columns)
    precondition(
      targets.count == rows && targets.allSatisfy { $0 >= 0 && Int($0) < columns },
      "crossEntropy: \(targets.count) targets for logits \(shape)")
    var losses = Tensor(uninitialized: [rows])
    let (x, y) = (floats, losses.mutableFloats)
    guard wantsProbabilities else {
      TensorThreads.split(rows, grain: max(1, elementwiseGrain / 4 / max(1, columns))) { range in
        for row in range {
          let logit = x[row * columns + Int(targets[row])]
          y[row] = Tensor.logSumExp(x, row * columns, columns) - logit
        }
      }
      return (losses, nil)
    }
    var probabilities = self
    let p = probabilities.mutableFloats
    TensorThreads.split(rows, grain: max(1, elementwiseGrain / 4 / max(1, columns))) { range in
      for row in range {
        let logit = x[row * columns + Int(targets[row])]
        let (maximum, sum) = Tensor.softmaxRow(p, row * columns, columns)
        y[row] = maximum + logf(sum) - logit
      }
    }
    return (losses, probabilities)
  }

  /// Subtracts 1 at each row's target: from softmax to the gradient of cross-entropy.
  public mutating func subtractOnes(at targets: [Int32]) {
    precondition(targets.count == rows, "subtractOnes: \(targets.count) targets for \(shape)")
    let (x, columns) = (mutableFloats, columns)
    for (row, target) in targets.enumerated() { x[row * columns + Int(target)] -= 1 }
  }

  /// Softmax in place over `length` floats from `start`; gives the maximum and Σ exp(x - maximum).
  @inline(__always) static func softmaxRow(_ x: Floats, _ start: Int, _ length: Int) -> (
    maximum: Float, sum: Float
  ) {
    let maximum = rowMaximum(x, start, length)
    var sums = SIMD8<Float>.zero
    eachLane(of: start..<start + length) { index in
      let e = Lanes.exp(x[lanes: index] - maximum)
      x[lanes: index] = e
      sums += e
    } tail: { index, width in
      let e = Lanes.exp(x.partial(index, width: width, filler: -.infinity) - maximum)
      x.setPartial(index, width: width, e)
      sums += e
    }
    let sum = sums.sum()
    let scale = 1 / sum
    eachLane(of: start..<start + length) { index in
      x[lanes: index] *= scale
    } tail: { index, width in
      for lane in index..<index + width { x[lane] *= scale }
    }
    return (maximum, sum)
  }

  @inline(__always) static func rowMaximum(_ x: Floats, _ start: Int, _ length: Int) -> Float {
    var lanes = SIMD8<Float>(repeating: -.infinity)
    eachLane(of: start..<start + length) { index in
      let next = x[lanes: index]
      lanes = lanes.replacing(with: next, where: next .> lanes)
    } tail: { index, width in
      let next = x.partial(index, width: width, filler: -.infinity)
      lanes = lanes.replacing(with: next, where: next .> lanes)
    }
    return lanes.max()
  }

  @inline(__always) static func logSumExp(_ x: Floats, _ start: Int, _ length: Int) -> Float {
    let maximum = rowMaximum(x, start, length)
    guard maximum > -.infinity else { return maximum }
    var sums = SIMD8<Float>.zero
    eachLane(of: start..<start + length) { index in
      sums += Lanes.exp(x[lanes: index] - maximum)
    } tail: { index, width in
      sums += Lanes.exp(x.partial(index, width: width, filler: -.infinity) - maximum)
    }
    return maximum + logf(sums.sum())
  }
}
