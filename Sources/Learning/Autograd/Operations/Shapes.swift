import TensorEngine

extension Variable {
  /// The same elements under another shape; `-1` for at most one side takes what is left.
  public func reshaped(_ shape: [Int]) -> Variable {
    let before = self.shape
    return Variable(result: value.reshaped(shape), of: [self]) { [target] dy in
      target.accumulate(dy.reshaped(before))
    }
  }

  /// The axes in another order: axis i of the result is axis `axes[i]` of this one.
  public func transposed(_ axes: [Int]) -> Variable {
    var back = axes
    for (place, axis) in axes.enumerated() where axes.indices.contains(axis) { back[axis] = place }
    return Variable(result: value.transposed(axes), of: [self]) { [target] dy in
      target.accumulate(dy.transposed(back))
    }
  }

  /// A matrix with rows and columns exchanged; of a batch, the last two axes.
  public func transposed() -> Variable {
    let last = shape.count - 1
    precondition(last >= 1, "transposed: \(shape) is no matrix")
    return transposed(Array(0..<last - 1) + [last, last - 1])
  }

  /// The part inside `range` of `axis`.
  public func slice(axis: Int, _ range: Range<Int>) -> Variable {
    Variable(result: value.slice(axis: axis, range), of: [self]) { [target] dy in
      target.updateGradient { $0.addSlice(axis: axis, from: range.lowerBound, dy) }
    }
  }

  /// The sum of all elements, a scalar.
  public func sum() -> Variable {
    let shape = shape
    return Variable(result: Tensor(value.sum()), of: [self]) { [target] dy in
      target.accumulate(Tensor(shape: shape, repeating: dy.scalar))
    }
  }

  /// The mean of all elements, a scalar.
  public func mean() -> Variable { sum().scaled(by: 1 / Float(max(1, value.count))) }

  /// The sum over one axis, which disappears.
  public func sum(axis: Int) -> Variable {
    let length = shape.indices.contains(axis) ? shape[axis] : 0
    return Variable(result: value.sum(axis: axis), of: [self]) { [target] dy in
      target.accumulate(dy.repeated(length, axis: axis))
    }
  }

  /// The mean over one axis, which disappears.
  public func mean(axis: Int) -> Variable {
    sum(axis: axis).scaled(by: 1 / Float(max(1, shape[axis])))
  }

  /// This tensor repeated along a new axis, as in a class token for every image.
  public func repeated(_ length: Int, axis: Int) -> Variable {
    Variable(result: value.repeated(length, axis: axis), of: [self]) { [target] dy in
      target.accumulate(dy.sum(axis: axis))
    }
  }
}

/// The tensors one after the other along `axis`.
public func concatenated(_ parts: [Variable], axis: Int) -> Variable {
  Variable(result: .concatenated(parts.map(\.value), axis: axis), of: parts) {
    [targets = parts.map(\.target)] dy in
    var start = 0
    for part in targets {
      let end = start + part.shape[axis]
      part.accumulate(dy.slice(axis: axis, start..<end))
      start = end
    }
  }
}

/// The rows of `table` that `indices` name: an embedding, or the pooling of chosen tokens.
///
/// - Parameters:
///   - table: `[N, …]`.
///   - indices: Below N; a row named twice gets both gradients, added in this order.
/// - Returns: `[indices.count, …]`.
public func gatherRows(_ table: Variable, _ indices: [Int]) -> Variable {
  Variable(result: table.value.gatherRows(indices), of: [table]) { [table = table.target] dy in
    table.updateGradient { $0.scatterAddRows(dy, at: indices) }
  }
}

/// The rows of `table` that `indices` name, as tokens are.
public func gatherRows(_ table: Variable, _ indices: [Int32]) -> Variable {
  gatherRows(table, indices.map(Int.init))
}

/// `x` with the rows of `table` that `indices` name added to its own, as positions are.
///
/// - Parameters:
///   - x: `[T, D]`.
///   - table: `[N, D]`.
///   - indices: One row of the table per row of x.
/// - Returns: `[T, D]`.
public func addRows(_ x: Variable, _ table: Variable, _ indices: [Int]) -> Variable {
  x + gatherRows(table, indices)
}
