extension Tensor {
  /// The axes in another order: axis i of the result is axis `axes[i]` of this tensor.
  public func transposed(_ axes: [Int]) -> Tensor {
    precondition(
      axes.sorted() == Array(shape.indices), "transposed: \(axes) is no order of \(shape)'s axes")
    if axes == Array(shape.indices) { return self }
    var result = Tensor(uninitialized: axes.map { shape[$0] })
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    let (x, y) = (floats, result.mutableFloats)
    let sides = result.shape
    let steps = axes.map { strides[$0] }
    // Trailing axes that stay in place move as one block.
    var kept = 0
    while kept < axes.count, axes[axes.count - 1 - kept] == axes.count - 1 - kept { kept += 1 }
    let moving = axes.count - kept
    let block = sides[moving...].reduce(1, *)
    var place = [Int](repeating: 0, count: moving)
    var source = 0
    for target in 0..<(block == 0 ? 0 : count / block) {
      if block == 1 {
        y[target] = x[source]
      } else {
        y.copy(from: x, at: source, to: target * block, length: block)
      }
      var axis = moving - 1
      while axis >= 0 {
        place[axis] += 1
        source += steps[axis]
        if place[axis] < sides[axis] { break }
        source -= steps[axis] * sides[axis]
        place[axis] = 0
        axis -= 1
      }
    }
    return result
  }

  /// The tensors one after the other along `axis`; the other sides must agree.
  public static func concatenated(_ tensors: [Tensor], axis: Int) -> Tensor {
    precondition(!tensors.isEmpty, "concatenated: no tensors")
    var shape = tensors[0].shape
    precondition(shape.indices.contains(axis), "concatenated: \(shape) has no axis \(axis)")
    for tensor in tensors {
      var sides = tensor.shape
      precondition(sides.count == shape.count, "concatenated: \(shape) and \(sides)")
      sides[axis] = shape[axis]
      precondition(sides == shape, "concatenated: \(shape) and \(tensor.shape) on axis \(axis)")
    }
    shape[axis] = tensors.reduce(0) { $0 + $1.shape[axis] }
    var result = Tensor(uninitialized: shape)
    var start = 0
    for tensor in tensors {
      result.setSlice(axis: axis, from: start, to: tensor)
      start += tensor.shape[axis]
    }
    return result
  }

  /// The part of the tensor inside `range` of `axis`.
  public func slice(axis: Int, _ range: Range<Int>) -> Tensor {
    precondition(
      shape.indices.contains(axis) && range.lowerBound >= 0 && range.upperBound <= shape[axis],
      "slice: \(range) of axis \(axis) of \(shape)")
    var sides = shape
    sides[axis] = range.count
    var result = Tensor(uninitialized: sides)
    let outer = shape[..<axis].reduce(1, *)
    let inner = shape[(axis + 1)...].reduce(1, *)
    let (x, y) = (floats, result.mutableFloats)
    for block in 0..<outer {
      y.copy(
        from: x, at: (block * shape[axis] + range.lowerBound) * inner,
        to: block * range.count * inner, length: range.count * inner)
    }
    return result
  }

  /// Overwrites the part of `axis` that starts at `start` with `part`.
  public mutating func setSlice(axis: Int, from start: Int, to part: Tensor) {
    writeSlice(axis: axis, from: start, part, adding: false)
  }

  /// Adds `part` to the part of `axis` that starts at `start`: the gradient of `slice`.
  public mutating func addSlice(axis: Int, from start: Int, _ part: Tensor) {
    writeSlice(axis: axis, from: start, part, adding: true)
  }

  private mutating func writeSlice(axis: Int, from start: Int, _ part: Tensor, adding: Bool) {
    precondition(
      part.shape.count == shape.count && start >= 0 && start + part.shape[axis] <= shape[axis],
      "slice: \(part.shape) at \(start) of axis \(axis) of \(shape)")
    let outer = shape[..<axis].reduce(1, *)
    let inner = shape[(axis + 1)...].reduce(1, *)
    let length = part.shape[axis] * inner
    let side = shape[axis]
    precondition(outer * length == part.count, "slice: \(part.shape) into \(shape)")
    let (x, y) = (part.floats, mutableFloats)
    for block in 0..<outer {
      let (from, to) = (block * length, (block * side + start) * inner)
      if adding {
        Tensor.addRange(x, from, y, to, length)
      } else {
        y.copy(from: x, at: from, to: to, length: length)
      }
    }
  }

  /// The rows of a table that `indices` name, in their order; a row is all but the first axis.
  ///
  /// - Returns: `[indices.count, …]` from `[N, …]`.
  public func gatherRows(_ indices: [Int]) -> Tensor {
    let (length, rows) = rowLengthAndCount("gatherRows", indices)
    var result = Tensor(uninitialized: [indices.count] + shape.dropFirst())
    let (x, y) = (floats, result.mutableFloats)
    for (place, index) in indices.enumerated() {
      precondition(index >= 0 && index < rows, "gatherRows: row \(index) of \(shape)")
      y.copy(from: x, at: index * length, to: place * length, length: length)
    }
    return result
  }

  /// Adds row i of `rows` to row `indices[i]`, in order: the gradient of `gatherRows`.
  public mutating func scatterAddRows(_ rows: Tensor, at indices: [Int]) {
    let (length, count) = rowLengthAndCount("scatterAddRows", indices)
    precondition(
      rows.count == indices.count * length, "scatterAddRows: \(rows.shape) into \(shape)")
    let (x, y) = (rows.floats, mutableFloats)
    for (place, index) in indices.enumerated() {
      precondition(index >= 0 && index < count, "scatterAddRows: row \(index) of \(shape)")
      Tensor.addRange(x, place * length, y, index * length, length)
    }
  }

  private func rowLengthAndCount(_ operation: String, _ indices: [Int]) -> (Int, Int) {
    precondition(!shape.isEmpty, "\(operation): a scalar has no rows")
    return (shape.dropFirst().reduce(1, *), shape[0])
  }

  @inline(__always) private static func addRange(
    _ x: Floats, _ from: Int, _ y: Floats, _ to: Int, _ length: Int
  ) {
    eachLane(of: 0..<length) { index in
      y[lanes: to + index] += x[lanes: from + index]
    } tail: { index, width in
      for lane in index..<index + width { y[to + lane] += x[from + lane] }
    }
  }
}
