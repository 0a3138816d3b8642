import Synchronization
import WorkerThreads

/// What happens to the rows of x before a product.
public struct RowNormalization: Sendable {
  public var weight: Tensor
  public var bias: Tensor
  public var epsilon: Float

  /// Layer normalisation over K columns.
  ///
  /// - Parameters:
  ///   - weight: `[K]`.
  ///   - bias: `[K]`.
  ///   - epsilon: Added to the biased variance.
  public init(weight: Tensor, bias: Tensor, epsilon: Float = 1e-5) {
    precondition(
      weight.shape.count == 1 && bias.shape == weight.shape,
      "normalization: weight \(weight.shape), bias \(bias.shape)")
    self.weight = weight
    self.bias = bias
    self.epsilon = epsilon
  }
}

extension PackedLinear {
  /// The map of each row: activation(norm(x)·weightᵀ + bias) + residual.
  ///
  /// The rows go in blocks that stay in the second-level cache; a block is normalised, laid out and, in
  /// int8, rounded to bytes once.
  ///
  /// - Parameters:
  ///   - x: `[M, K]`.
  ///   - norm: Applied to each row first.
  ///   - activation: Applied to each element; not together with `residual`.
  ///   - residual: `[M, N]`, added at the end.
  /// - Returns: `[M, N]`.
  public func callAsFunction(
    _ x: Tensor, norm: RowNormalization? = nil, activation: GELU? = nil, residual: Tensor? = nil
  ) -> Tensor {
    let rows = x.shape.first ?? 0
    precondition(
      x.shape == [rows, inputs] && (norm.map { $0.weight.shape == [inputs] } ?? true)
        && (residual.map { $0.shape == [rows, outputs] } ?? true)
        && (activation == nil || residual == nil),
      "packed: \(x.shape) by [\(outputs), \(inputs)] with a residual \(residual?.shape ?? [])")
    var result = Tensor(uninitialized: [rows, outputs])
    let work = Work(
      map: self, x: x.floats, out: result.mutableFloats, residual: residual?.floats, norm: norm,
      activation: activation)
    let tiles = (rows + layout.rows - 1) / layout.rows
    let threads = min(TensorThreads.current, tiles)
    guard threads > 0 else { return result }
    // Blocks of at most 256 KiB, and several for each thread: who finishes early takes the next.
    let largest = max(1, (256 << 10) / (4 * layout.rows * layout.units(of: inputs)))
    let block = max(1, min(largest, (tiles + 4 * threads - 1) / (4 * threads)))
    let blocks = (tiles + block - 1) / block
    let next = Atomic<Int>(0)
    Parallel.forEach(threads, threads: threads) { _ in
      var scratch = Scratch(self, tiles: block)
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < blocks else { return }
        let first = index * block * layout.rows
        work.run(first..<min(rows, first + block * layout.rows), &scratch)
      }
    }
    return result
  }

  /// The memory that a thread lays a block of rows out in.
  private struct Scratch {
    var tiles: Tensor
    var rows: Tensor
    var bytes: Tensor
    var narrow: Tensor
    var scales: Tensor
    var corrections: Tensor

    init(_ map: PackedLinear, tiles count: Int) {
      let (layout, units) = (map.layout, map.layout.units(of: map.inputs))
      let isBytes = map.precision == .int8
      tiles = Tensor(uninitialized: [count * layout.rows * units])
      rows = Tensor(uninitialized: [layout.rows * map.inputs])
      bytes = Tensor(uninitialized: [isBytes ? layout.rows * units : 0])
      narrow = Tensor(uninitialized: [map.inputs / 4 + 2])
      scales = Tensor(shape: [isBytes ? count * layout.rows : 0])
      corrections = Tensor(shape: [isBytes ? count * layout.rows : 0])
    }
  }

  private struct Work: Sendable {
    var map: PackedLinear
    var x: Floats
    var out: Floats
    var residual: Floats?
    var norm: RowNormalization?
    var activation: GELU?

    func run(_ rows: Range<Int>, _ scratch: inout Scratch) {
      let layout = map.layout
      let tiles = (rows.count + layout.rows - 1) / layout.rows
      for tile in 0..<tiles {
        let first = rows.lowerBound + tile * layout.rows
        prepare(first..<min(rows.upperBound, first + layout.rows), tile, &scratch)
      }
      let panels = map.bias.count / layout.columns
      let units = layout.units(of: map.inputs)
      let (weights, bias) = (map.panels.floats, map.bias.floats)
      let a = scratch.tiles.mutableFloats
      let (scales, corrections) = (scratch.scales.floats, scratch.corrections.floats)
      // A panel stays in the cache for all tiles of the block.
      for panel in 0..<panels {
        let column = panel * layout.columns
        for tile in 0..<tiles {
          let first = rows.lowerBound + tile * layout.rows
          let target = MatrixTiles.Target(
            out: out, residual: residual, offset: first * map.outputs + column,
            stride: map.outputs, rows: min(layout.rows, rows.upperBound - first),
            columns: min(layout.columns, map.outputs - column), bias: bias, biasOffset: column)
          let start = tile * layout.rows * units
          if map.precision == .float32 {
            MatrixTiles.floats(
              layout, a, at: start, weights, panel: panel, depth: map.inputs, target)
          } else {
            MatrixTiles.bytes(
              layout, a, at: start, weights, panel: panel, units: units,
              .init(
                rows: scales, corrections: corrections, row: tile * layout.rows,
                columns: map.scales.floats), target)
          }
          switch activation {
          case .exact: activate(.exact, target)
          case .quick: activate(.quick, target)
          case .tanh: activate(.tanh, target)
          case nil: break
          }
        }
      }
    }

    /// Lays out the rows of a tile.
    private func prepare(_ rows: Range<Int>, _ tile: Int, _ scratch: inout Scratch) {
      let (layout, inputs) = (map.layout, map.inputs)
      let units = layout.units(of: inputs)
      var (source, start) = (x, rows.lowerBound * inputs)
      if let norm {
        let normal = scratch.rows.mutableFloats
        for (place, row) in rows.enumerated() {
          _ = Tensor.normalizeRow(
            x, row * inputs, inputs, norm.weight.floats, norm.bias.floats, norm.epsilon,
            into: normal, place * inputs)
        }
        (source, start) = (normal, 0)
      }
      let tiles = scratch.tiles.mutableFloats
      let place = tile * layout.rows * units
      guard map.precision == .int8 else {
        MatrixTiles.interleave(
          source, at: start, stride: inputs, rows: rows.count, units: inputs, into: tiles,
          at: place, width: layout.rows)
        return
      }
      let (bytes, narrow) = (scratch.bytes.mutableFloats, scratch.narrow.mutableFloats)
      let (scales, corrections) = (
        scratch.scales.mutableFloats, scratch.corrections.mutableFloats
      )
      for row in 0..<rows.count {
        let (scale, sum) = MatrixTiles.quantize(
          source, at: start + row * inputs, count: inputs, layout: layout, into: bytes,
          at: row * units, scratch: narrow)
        scales[tile * layout.rows + row] = scale
        corrections.setBits(tile * layout.rows + row, UInt32(bitPattern: 128 &* sum))
      }
      MatrixTiles.interleave(
        bytes, at: 0, stride: units, rows: rows.count, units: units, into: tiles, at: place,
        width: layout.rows)
    }

    @inline(__always) private func activate(_ kind: GELU, _ target: MatrixTiles.Target) {
      for row in 0..<target.rows {
        let start = target.offset + row * target.stride
        eachLane(of: start..<start + target.columns) { index in
          out[lanes: index] = kind.value(out[lanes: index])
        } tail: { index, width in
          out.setPartial(index, width: width, kind.value(out.partial(index, width: width)))
        }
      }
    }
  }
}
