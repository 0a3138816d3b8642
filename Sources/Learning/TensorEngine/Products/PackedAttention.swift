import Synchronization
import WorkerThreads

/// Attention without gradients over packed sequences, by the same tiles as ``PackedLinear``.
///
/// A sequence's rows have the same bits whatever other sequences are computed with it.
/// Letters: H heads of width E; D = H·E.
public struct PackedAttention: Sendable {
  public var heads: Int
  /// Whether a row sees no later one of its sequence.
  public var causal: Bool

  public init(heads: Int, causal: Bool) {
    self.heads = heads
    self.causal = causal
  }

  /// Every row looks at its sequence.
  ///
  /// - Parameters:
  ///   - qkv: `[ΣL, 3·D]`: columns of q, already divided by √E, then k, then v.
  ///   - lengths: The sequences' lengths.
  /// - Returns: `[ΣL, D]`.
  public func callAsFunction(_ qkv: Tensor, lengths: [Int]) -> Tensor {
    let width = qkv.columns / 3
    return run(
      Operands(
        q: qkv.floats, qStride: 3 * width, kv: qkv.floats, kStride: 3 * width, kColumn: width,
        vColumn: 2 * width), rows: qkv.rows, width: width, queries: lengths, keys: lengths)
  }

  /// One row of each sequence looks at the whole of it.
  ///
  /// - Parameters:
  ///   - q: `[lengths.count, D]`, already divided by √E.
  ///   - kv: `[ΣL, 2·D]`: columns of k, then v.
  ///   - lengths: The sequences' lengths.
  /// - Returns: `[lengths.count, D]`.
  public func pooled(_ q: Tensor, keysAndValues kv: Tensor, lengths: [Int]) -> Tensor {
    let width = q.columns
    precondition(
      kv.columns == 2 * width && q.rows == lengths.count,
      "attention: queries \(q.shape), keys and values \(kv.shape), \(lengths.count) sequences")
    return run(
      Operands(
        q: q.floats, qStride: width, kv: kv.floats, kStride: 2 * width, kColumn: 0, vColumn: width),
      rows: q.rows, width: width, queries: lengths.map { _ in 1 }, keys: lengths)
  }

  private struct Operands: Sendable {
    var q: Floats
    var qStride: Int
    var kv: Floats
    var kStride, kColumn, vColumn: Int
  }

  private struct Item: Sendable {
    var head, queryStart, queries, keyStart, keys: Int
  }

  private func run(
    _ operands: Operands, rows: Int, width: Int, queries: [Int], keys: [Int]
  ) -> Tensor {
    precondition(
      heads > 0 && width % heads == 0 && queries.reduce(0, +) == rows
        && keys.reduce(0, +) * operands.kStride == operands.kv.count
        && keys.allSatisfy { $0 > 0 },
      "attention: \(rows) rows of \(width) in \(heads) heads for lengths \(keys)")
    var items: [Item] = []
    items.reserveCapacity(keys.count * heads)
    var (queryStart, keyStart) = (0, 0)
    for (queries, keys) in zip(queries, keys) {
      for head in 0..<heads {
        items.append(
          Item(
            head: head, queryStart: queryStart, queries: queries, keyStart: keyStart, keys: keys))
      }
      queryStart += queries
      keyStart += keys
    }
    var result = Tensor(uninitialized: [rows, width])
    let out = result.mutableFloats
    let layout = MatrixTiles.Layout.floats(.current)
    let most = keys.max() ?? 0
    let threads = min(TensorThreads.current, items.count)
    let all = items
    let next = Atomic<Int>(0)
    // Runs of neighbours: the heads of one sequence read the same lines of memory.
    let run = 4
    Parallel.forEach(threads, threads: threads) { _ in
      var scratch = Scratch(layout, keys: most, headWidth: width / heads)
      while true {
        let first = next.add(run, ordering: .relaxed).oldValue
        guard first < all.count else { return }
        for item in all[first..<min(first + run, all.count)] {
          attend(item, operands, width, layout, &scratch, out)
        }
      }
    }
    return result
  }

  private struct Scratch {
    /// Keys and values as panels; a tile of queries; its scores, and these as a tile.
    var keys, values, queries, scores, weights, zeros: Tensor

    init(_ layout: MatrixTiles.Layout, keys count: Int, headWidth: Int) {
      func padded(_ count: Int) -> Int {
        (count + layout.columns - 1) / layout.columns * layout.columns
      }
      keys = Tensor(uninitialized: [padded(count) * headWidth])
      values = Tensor(uninitialized: [padded(headWidth) * count])
      queries = Tensor(uninitialized: [layout.rows * headWidth])
      scores = Tensor(uninitialized: [layout.rows * padded(count)])
      weights = Tensor(uninitialized: [layout.rows * count])
      zeros = Tensor(shape: [layout.columns])
    }
  }

  private func attend(
    _ item: Item, _ operands: Operands, _ width: Int, _ layout: MatrixTiles.Layout,
    _ scratch: inout Scratch, _ out: Floats
  ) {
    let headWidth = width / heads
    let column = item.head * headWidth
    let (keys, values, zeros) = (
      scratch.keys.mutableFloats, scratch.values.mutableFloats, scratch.zeros.floats
    )
    let (queries, scores, weights) = (
      scratch.queries.mutableFloats, scratch.scores.mutableFloats, scratch.weights.mutableFloats
    )
    let keyPanels = (item.keys + layout.columns - 1) / layout.columns
    let stride = keyPanels * layout.columns
    let keyBase = item.keyStart * operands.kStride
    for panel in 0..<keyPanels {
      let first = panel * layout.columns
      MatrixTiles.interleave(
        operands.kv, at: keyBase + first * operands.kStride + operands.kColumn + column,
        stride: operands.kStride, rows: min(layout.columns, item.keys - first), units: headWidth,
        into: keys, at: first * headWidth, width: layout.columns)
    }
    let valuePanels = (headWidth + layout.columns - 1) / layout.columns
    for panel in 0..<valuePanels {
      let first = panel * layout.columns
      let length = min(layout.columns, headWidth - first)
      for key in 0..<item.keys {
        let place = (panel * item.keys + key) * layout.columns
        values.copy(
          from: operands.kv,
          at: keyBase + key * operands.kStride + operands.vColumn + column + first, to: place,
          length: length)
        if length < layout.columns {
          values.fill(place + length..<place + layout.columns, with: 0)
        }
      }
    }
    for first in Swift.stride(from: 0, to: item.queries, by: layout.rows) {
      let rows = min(layout.rows, item.queries - first)
      MatrixTiles.interleave(
        operands.q, at: (item.queryStart + first) * operands.qStride + column,
        stride: operands.qStride, rows: rows, units: headWidth, into: queries, at: 0,
        width: layout.rows)
      for panel in 0..<keyPanels {
        MatrixTiles.floats(
          layout, queries, at: 0, keys, panel: panel, depth: headWidth,
          .init(
            out: scores, offset: panel * layout.columns, stride: stride, rows: rows,
            columns: layout.columns, bias: zeros, biasOffset: 0))
      }
      for row in 0..<rows {
        let seen = causal ? item.keys - item.queries + first + row + 1 : item.keys
        weigh(scores, row * stride, seen: seen, keys: item.keys)
      }
      MatrixTiles.interleave(
        scores, at: 0, stride: stride, rows: rows, units: item.keys, into: weights, at: 0,
        width: layout.rows)
      for panel in 0..<valuePanels {
        let start = panel * layout.columns
        MatrixTiles.floats(
          layout, weights, at: 0, values, panel: panel, depth: item.keys,
          .init(
            out: out, offset: (item.queryStart + first) * width + column + start, stride: width,
            rows: rows, columns: min(layout.columns, headWidth - start), bias: zeros, biasOffset: 0)
        )
      }
    }
  }

  /// The softmax of a row of scores; 0 for the keys that it does not see.
  @inline(__always) private func weigh(_ scores: Floats, _ start: Int, seen: Int, keys: Int) {
    // Up to a whole group of eight the softmax sees −∞, behind it the weights are 0.
    let rounded = (seen + 7) / 8 * 8
    if rounded > seen { scores.fill(start + seen..<start + rounded, with: -.infinity) }
    _ = Tensor.softmaxRow(scores, start, rounded)
    if keys > rounded { scores.fill(start + rounded..<start + keys, with: 0) }
  }
}
