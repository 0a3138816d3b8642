import Glibc

extension Tensor {
  public func exp() -> Tensor { mapLanes { Lanes.exp($0) } }
  public func erf() -> Tensor { mapLanes { Lanes.erf($0) } }
  public func tanh() -> Tensor { mapLanes { Lanes.tanh($0) } }
  public func sigmoid() -> Tensor { mapLanes { Lanes.sigmoid($0) } }
  public func squareRoot() -> Tensor { mapLanes { $0.squareRoot() } }
  public func relu() -> Tensor { mapLanes { $0.replacing(with: 0, where: $0 .< 0) } }
  public func scaled(by factor: Float) -> Tensor { mapLanes { $0 * factor } }
  public func shifted(by offset: Float) -> Tensor { mapLanes { $0 + offset } }

  /// The natural logarithm, by libm: some 6 ns a value.
  public func log() -> Tensor {
    var result = Tensor(uninitialized: shape)
    let (x, y) = (floats, result.mutableFloats)
    for index in 0..<count { y[index] = logf(x[index]) }
    return result
  }

  /// The upstream gradient where the ReLU's input was positive, else 0.
  public func whereReluPasses(_ gradient: Tensor) -> Tensor {
    zipLanes(gradient, "relu") { x, dy in dy.replacing(with: 0, where: x .<= 0) }
  }

  /// The gradient of tanh from its result y: dy·(1 - y²).
  public func tanhGradient(_ gradient: Tensor) -> Tensor {
    zipLanes(gradient, "tanh") { y, dy in dy * (1 - y * y) }
  }

  /// The gradient of the sigmoid from its result y: dy·y·(1 - y).
  public func sigmoidGradient(_ gradient: Tensor) -> Tensor {
    zipLanes(gradient, "sigmoid") { y, dy in dy * y * (1 - y) }
  }

  /// Adds in place; `other` may be a scalar or lack leading axes.
  public mutating func add(_ other: Tensor, scaledBy factor: Float = 1) {
    let y = mutableFloats
    let x = other.floats
    if other.count == count {
      TensorThreads.split(count, grain: elementwiseGrain) { range in
        eachLane(of: range) { index in
          y[lanes: index] = y[lanes: index].addingProduct(
            x[lanes: index], SIMD8(repeating: factor))
        } tail: { index, width in
          for lane in index..<index + width { y[lane] += x[lane] * factor }
        }
      }
    } else {
      self = Tensor.combine(self, other.scaled(by: factor), .add)
    }
  }

  /// Multiplies by a number in place.
  public mutating func scale(by factor: Float) {
    let y = mutableFloats
    TensorThreads.split(count, grain: elementwiseGrain) { range in
      eachLane(of: range) { index in
        y[lanes: index] *= factor
      } tail: { index, width in
        for lane in index..<index + width { y[lane] *= factor }
      }
    }
  }

  /// Multiplies by as many elements in place.
  public mutating func multiply(by other: Tensor) {
    precondition(count == other.count, "multiply: shapes \(shape) and \(other.shape)")
    let (y, x) = (mutableFloats, other.floats)
    TensorThreads.split(count, grain: elementwiseGrain) { range in
      eachLane(of: range) { index in
        y[lanes: index] *= x[lanes: index]
      } tail: { index, width in
        for lane in index..<index + width { y[lane] *= x[lane] }
      }
    }
  }

  /// Takes over the values of a tensor of as many elements, in its own place.
  public mutating func copyValues(of other: Tensor) {
    precondition(count == other.count, "copyValues: shapes \(shape) and \(other.shape)")
    let (y, x) = (mutableFloats, other.floats)
    TensorThreads.split(count, grain: elementwiseGrain * 4) { range in
      y.copy(from: x, at: range.lowerBound, to: range.lowerBound, length: range.count)
    }
  }

  /// Sets every element, in its own place.
  public mutating func fill(with value: Float) {
    let y = mutableFloats
    TensorThreads.split(count, grain: elementwiseGrain * 4) { y.fill($0, with: value) }
  }

  /// Each row of the last axis multiplied by its own factor.
  ///
  /// - Parameter factors: One per row.
  /// - Returns: The shape of this tensor.
  public func scaledRows(by factors: Tensor) -> Tensor {
    precondition(factors.count == rows, "scaledRows: \(factors.shape) factors for \(shape)")
    var result = Tensor(uninitialized: shape)
    let (x, f, y, columns) = (floats, factors.floats, result.mutableFloats, columns)
    for row in 0..<rows {
      let factor = f[row]
      eachLane(of: row * columns..<(row + 1) * columns) { index in
        y[lanes: index] = x[lanes: index] * factor
      } tail: { index, width in
        for lane in index..<index + width { y[lane] = x[lane] * factor }
      }
    }
    return result
  }

  /// The four operations of arithmetic.
  public enum Arithmetic: String, Sendable { case add, subtract, multiply, divide }

  /// Elementwise arithmetic on two tensors of one shape.
  ///
  /// One of them may be a scalar (one element), or lack leading axes of the other, along which it
  /// repeats: `[T, D]` with `[D]`.
  public static func combine(_ a: Tensor, _ b: Tensor, _ operation: Arithmetic) -> Tensor {
    let shape = broadcastShape(a.shape, b.shape, operation.rawValue)
    if a.count == b.count {
      let (left, right) = (a.reshaped(shape), b.reshaped(shape))
      switch operation {
      case .add: return left.zipLanes(right, "add") { $0 + $1 }
      case .subtract: return left.zipLanes(right, "subtract") { $0 - $1 }
      case .multiply: return left.zipLanes(right, "multiply") { $0 * $1 }
      case .divide: return left.zipLanes(right, "divide") { $0 / $1 }
      }
    }
    var result = Tensor(uninitialized: shape)
    let (x, y, z) = (a.floats, b.floats, result.mutableFloats)
    let (xPeriod, yPeriod) = (a.count, b.count)
    let period = min(xPeriod, yPeriod)
    guard period > 0 else { return result }
    if period == 1 {
      let scalar = xPeriod == 1 ? a.scalar : b.scalar
      let other = xPeriod == 1 ? b : a
      let left = xPeriod == 1
      let flat: Tensor
      switch operation {
      case .add: flat = other.mapLanes { $0 + scalar }
      case .multiply: flat = other.mapLanes { $0 * scalar }
      case .subtract: flat = other.mapLanes { left ? scalar - $0 : $0 - scalar }
      case .divide: flat = other.mapLanes { left ? scalar / $0 : $0 / scalar }
      }
      return flat.reshaped(shape)
    }
    let (xRepeats, yRepeats) = (xPeriod == period, yPeriod == period)
    TensorThreads.split(result.count / period, grain: max(1, elementwiseGrain / period)) { range in
      for row in range {
        let start = row * period
        let (xStart, yStart) = (xRepeats ? 0 : start, yRepeats ? 0 : start)
        eachLane(of: 0..<period) { index in
          z[lanes: start + index] = apply(
            operation, x[lanes: xStart + index], y[lanes: yStart + index])
        } tail: { index, width in
          z.setPartial(
            start + index, width: width,
            apply(
              operation, x.partial(xStart + index, width: width, filler: 1),
              y.partial(yStart + index, width: width, filler: 1)))
        }
      }
    }
    return result
  }

  @inline(__always) private static func apply(
    _ operation: Arithmetic, _ a: SIMD8<Float>, _ b: SIMD8<Float>
  ) -> SIMD8<Float> {
    switch operation {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    }
  }

  /// The shape of an elementwise result: the longer one, of which the other is the end or one element.
  private static func broadcastShape(_ a: [Int], _ b: [Int], _ name: String) -> [Int] {
    if a == b { return a }
    let (longer, shorter) = a.count >= b.count ? (a, b) : (b, a)
    if Array(longer.suffix(shorter.count)) == shorter { return longer }
    if b.allSatisfy({ $0 == 1 }) { return a }
    precondition(a.allSatisfy { $0 == 1 }, "\(name): shapes \(a) and \(b) do not broadcast")
    return b
  }
}
