extension Tensor {
  /// The squares of `side` pixels that pictures are made of, row by row; what is left over at the right
  /// and at the bottom is dropped, as a convolution whose stride is its size drops it.
  ///
  /// - Parameter side: P, of this tensor `[B, C, S, S]`.
  /// - Returns: `[B·(S/P)², C·P·P]`, channel first inside a row.
  public func patches(side: Int) -> Tensor {
    precondition(
      shape.count == 4 && shape[2] == shape[3] && (1...max(1, shape[2])).contains(side),
      "patches: \(shape) in squares of \(side)")
    let (batch, channels, size) = (shape[0], shape[1], shape[2])
    let grid = size / side
    var result = Tensor(uninitialized: [batch * grid * grid, channels * side * side])
    let (x, y) = (floats, result.mutableFloats)
    TensorThreads.split(batch * grid, grain: max(1, elementwiseGrain / (channels * side * size))) {
      rows in
      for row in rows {
        let (image, down) = (row / grid, row % grid)
        for channel in 0..<channels {
          for line in 0..<side {
            let from = ((image * channels + channel) * size + down * side + line) * size
            for across in 0..<grid {
              let to = ((row * grid + across) * channels + channel) * side * side + line * side
              y.copy(from: x, at: from + across * side, to: to, length: side)
            }
          }
        }
      }
    }
    return result
  }

  /// Sequences with one more row in front: `first`, then their own rows.
  ///
  /// - Parameters:
  ///   - first: `[W]`, the same for all.
  ///   - positions: `[N + 1, W]`, added to each sequence.
  /// - Returns: Of this tensor `[B·N, W]`, `[B·(N + 1), W]`.
  public func withFirstRow(_ first: Tensor, positions: Tensor) -> Tensor {
    let width = columns
    let count = positions.rows - 1
    precondition(
      first.count == width && positions.columns == width && count > 0 && rows % count == 0,
      "withFirstRow: \(shape) with \(first.shape) and positions \(positions.shape)")
    var result = Tensor(uninitialized: [rows / count * (count + 1), width])
    let (x, f, p, y) = (floats, first.floats, positions.floats, result.mutableFloats)
    TensorThreads.split(result.rows, grain: max(1, elementwiseGrain / width)) { rows in
      for row in rows {
        let (sequence, place) = (row / (count + 1), row % (count + 1))
        let (source, start) =
          place == 0 ? (f, 0) : (x, (sequence * count + place - 1) * width)
        eachLane(of: 0..<width) { index in
          y[lanes: row * width + index] =
            source[lanes: start + index] + p[lanes: place * width + index]
        } tail: { index, length in
          for lane in index..<index + length {
            y[row * width + lane] = source[start + lane] + p[place * width + lane]
          }
        }
      }
    }
    return result
  }
}
