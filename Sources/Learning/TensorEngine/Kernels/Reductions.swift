import Glibc

/// The floats that one partial sum covers; fixed, so that a sum has the same bits for any number of
/// threads.
private let reductionPiece = 16_384

extension Tensor {
  /// The sum of all elements.
  public func sum() -> Float {
    let x = floats
    return Float(reduce { range in Tensor.sum(x, range) })
  }

  /// The scalar product with a tensor of as many elements.
  public func dot(_ other: Tensor) -> Float {
    precondition(count == other.count, "dot: shapes \(shape) and \(other.shape)")
    let (x, y) = (floats, other.floats)
    return Float(
      reduce { range in Tensor.dot(x, range.lowerBound, y, range.lowerBound, range.count) })
  }

  /// The sum of squares, each piece of 16,384 summed in Float and the pieces in Double.
  public func squaredNorm() -> Double {
    let x = floats
    return reduce { range in Tensor.dot(x, range.lowerBound, x, range.lowerBound, range.count) }
  }

  /// The Euclidean norm over all elements.
  public func norm() -> Float { Float(squaredNorm().squareRoot()) }

  /// Whether no element is infinite or NaN.
  public func isFinite() -> Bool {
    // x · 0 is 0 for finite x alone.
    let x = floats
    return reduce { range in
      var total = SIMD8<Float>.zero
      var rest: Float = 0
      eachLane(of: range) { index in
        total += x[lanes: index] * 0
      } tail: { index, width in
        for lane in index..<index + width { rest += x[lane] * 0 }
      }
      return total.sum() + rest
    } == 0
  }

  /// The pieces that a sum over `range` is made of.
  static func reductionPieces(_ range: Range<Int>) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: reductionPiece).map {
      $0..<min($0 + reductionPiece, range.upperBound)
    }
  }

  private func reduce(_ piece: @Sendable (Range<Int>) -> Float) -> Double {
    let pieces = (count + reductionPiece - 1) / reductionPiece
    guard pieces > 1 else { return Double(piece(0..<count)) }
    var partial = Tensor(uninitialized: [pieces])
    let partials = partial.mutableFloats
    let count = count
    TensorThreads.split(pieces, grain: 4) { range in
      for index in range {
        let first = index * reductionPiece
        partials[index] = piece(first..<min(count, first + reductionPiece))
      }
    }
    return (0..<pieces).reduce(0.0) { $0 + Double(partials[$1]) }
  }

  /// Sums over the leading axes down to `shape`, which is the end of this shape or one element.
  ///
  /// The gradient of an operand that was repeated.
  public func summed(to shape: [Int]) -> Tensor {
    if shape == self.shape { return self }
    let width = shape.reduce(1, *)
    if width == count { return reshaped(shape) }
    if width == 1 { return Tensor(shape: shape, [sum()]) }
    precondition(
      Array(self.shape.suffix(shape.count)) == shape, "summed: \(self.shape) to \(shape)")
    var result = Tensor(uninitialized: shape)
    Tensor.sumRows(
      floats, rows: count / width, columns: width, into: result.mutableFloats, adding: false)
    return result
  }

  /// Adds the sum over all but the last axis of `other` in place: the gradient of a bias.
  public mutating func addRowSum(of other: Tensor) {
    precondition(other.columns == count, "addRowSum: \(other.shape) into \(shape)")
    Tensor.sumRows(
      other.floats, rows: other.rows, columns: count, into: mutableFloats, adding: true)
  }

  /// Column sums in stripes of 32 columns: each is one thread's, and adds its rows in order.
  static func sumRows(_ x: Floats, rows: Int, columns: Int, into y: Floats, adding: Bool) {
    let stripes = (columns + 31) / 32
    TensorThreads.split(stripes, grain: max(1, elementwiseGrain / max(1, rows * 32))) { range in
      for stripe in range {
        let (first, end) = (stripe * 32, min(columns, stripe * 32 + 32))
        if end - first == 32 {
          var (a, b, c, d) = (
            SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero
          )
          var index = first
          for _ in 0..<rows {
            a += x[lanes: index]
            b += x[lanes: index + 8]
            c += x[lanes: index + 16]
            d += x[lanes: index + 24]
            index += columns
          }
          for (offset, sum) in [a, b, c, d].enumerated() {
            let place = first + offset * 8
            y[lanes: place] = adding ? y[lanes: place] + sum : sum
          }
        } else {
          for column in first..<end {
            var sum: Float = 0
            for row in 0..<rows { sum += x[row * columns + column] }
            y[column] = adding ? y[column] + sum : sum
          }
        }
      }
    }
  }

  /// The sum over one axis, which disappears.
  public func sum(axis: Int) -> Tensor {
    precondition(shape.indices.contains(axis), "sum: \(shape) has no axis \(axis)")
    let outer = shape[..<axis].reduce(1, *)
    let length = shape[axis]
    let inner = shape[(axis + 1)...].reduce(1, *)
    var shape = shape
    shape.remove(at: axis)
    var result = Tensor(uninitialized: shape)
    let (x, y) = (floats, result.mutableFloats)
    for block in 0..<outer {
      let start = block * length * inner
      if inner == 1 {
        y[block] = Tensor.sum(x, start..<start + length)
      } else {
        y.fill(block * inner..<(block + 1) * inner, with: 0)
        for step in 0..<length {
          eachLane(of: 0..<inner) { index in
            y[lanes: block * inner + index] += x[lanes: start + step * inner + index]
          } tail: { index, width in
            for lane in index..<index + width {
              y[block * inner + lane] += x[start + step * inner + lane]
            }
          }
        }
      }
    }
    return result
  }

  /// The tensor repeated `length` times along a new axis: what `sum(axis:)` undoes.
  public func repeated(_ length: Int, axis: Int) -> Tensor {
    precondition((0...shape.count).contains(axis), "repeated: \(shape) has no place \(axis)")
    let outer = shape[..<axis].reduce(1, *)
    let inner = shape[axis...].reduce(1, *)
    var shape = shape
    shape.insert(length, at: axis)
    var result = Tensor(uninitialized: shape)
    let (x, y) = (floats, result.mutableFloats)
    for block in 0..<outer {
      for step in 0..<length {
        y.copy(from: x, at: block * inner, to: (block * length + step) * inner, length: inner)
      }
    }
    return result
  }

  /// The sum of a range, with four accumulators of eight lanes.
  @inline(__always) static func sum(_ x: Floats, _ range: Range<Int>) -> Float {
    var (a, b, c, d) = (
      SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero
    )
    var index = range.lowerBound
    while index &+ 32 <= range.upperBound {
      a += x[lanes: index]
      b += x[lanes: index &+ 8]
      c += x[lanes: index &+ 16]
      d += x[lanes: index &+ 24]
      index &+= 32
    }
    var rest: Float = 0
    eachLane(of: index..<range.upperBound) { index in
      a += x[lanes: index]
    } tail: { index, width in
      for lane in index..<index + width { rest += x[lane] }
    }
    return ((a + b) + (c + d)).sum() + rest
  }

  /// The scalar product of two ranges, with four accumulators of eight lanes.
  @inline(__always) static func dot(
    _ x: Floats, _ xStart: Int, _ y: Floats, _ yStart: Int, _ length: Int
  ) -> Float {
    var (a, b, c, d) = (
      SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero
    )
    var index = 0
    while index &+ 32 <= length {
      a = a.addingProduct(x[lanes: xStart &+ index], y[lanes: yStart &+ index])
      b = b.addingProduct(x[lanes: xStart &+ index &+ 8], y[lanes: yStart &+ index &+ 8])
      c = c.addingProduct(x[lanes: xStart &+ index &+ 16], y[lanes: yStart &+ index &+ 16])
      d = d.addingProduct(x[lanes: xStart &+ index &+ 24], y[lanes: yStart &+ index &+ 24])
      index &+= 32
    }
    var rest: Float = 0
    eachLane(of: index..<length) { index in
      a = a.addingProduct(x[lanes: xStart + index], y[lanes: yStart + index])
    } tail: { index, width in
      for lane in index..<index + width { rest += x[xStart + lane] * y[yStart + lane] }
    }
    return ((a + b) + (c + d)).sum() + rest
  }
}
