/// The most queries whose scores are in memory at a time, per thread.
private let longestTile = 512

/// Which rows attend to which, in packed sequences.
///
/// Sequences stand one after the other without padding: `queryLengths` cuts the rows of the queries,
/// `keyLengths` those of keys and values. In a causal one, the last query sees every key, the one
/// before it all but the last, and so on.
public struct AttentionLayout: Sendable {
  public var heads: Int
  public var queryLengths: [Int]
  public var keyLengths: [Int]
  public var causal: Bool
  /// Multiplies the scores: 1/√(head width) in nearly all models.
  public var scale: Float

  public init(
    heads: Int, queryLengths: [Int], keyLengths: [Int], causal: Bool, scale: Float
  ) {
    precondition(
      queryLengths.count == keyLengths.count,
      "attention: \(queryLengths.count) query and \(keyLengths.count) key sequences")
    self.heads = heads
    self.queryLengths = queryLengths
    self.keyLengths = keyLengths
    self.causal = causal
    self.scale = scale
  }

  /// One sequence and head: where it lies.
  fileprivate struct Item {
    var head: Int
    var queryStart, queries, keyStart, keys: Int
    /// How far apart the rows of its scores are: whole groups of eight.
    var stride: Int { (keys + 7) / 8 * 8 }

    /// Some of its queries, and the keys that they see.
    struct Tile {
      var rows: Range<Int>
      var keys: Int
    }

    /// At most ``longestTile`` queries each, so that scores take memory by T, not by T²; the last ones, which see
    /// every key, first.
    func tiles(causal: Bool) -> [Tile] {
      let count = (queries + longestTile - 1) / longestTile
      return (0..<count).reversed().map { number in
        let rows = queries * number / count..<queries * (number + 1) / count
        return Tile(rows: rows, keys: causal ? keys - queries + rows.upperBound : keys)
      }
    }
  }

  /// The floats of the largest tile of scores.
  fileprivate static func scratch(_ items: [Item]) -> Int {
    items.map { min($0.queries, longestTile) * $0.stride }.max() ?? 0
  }

  fileprivate func items() -> [Item] {
    var items: [Item] = []
    items.reserveCapacity(queryLengths.count * heads)
    var (queryStart, keyStart) = (0, 0)
    for (queries, keys) in zip(queryLengths, keyLengths) {
      precondition(
        queries > 0 && keys > 0 && (!causal || queries <= keys),
        "attention: \(queries) queries over \(keys) keys")
      for head in 0..<heads {
        items.append(
          Item(
            head: head, queryStart: queryStart, queries: queries, keyStart: keyStart, keys: keys))
      }
      queryStart += queries
      keyStart += keys
    }
    return items
  }
}

/// The columns of a tensor `[T, W]` that hold queries, keys or values: `heads` blocks from `column` on.
public struct AttentionColumns: Sendable {
  public var tensor: Tensor
  public var column: Int
  public init(_ tensor: Tensor, column: Int = 0) {
    self.tensor = tensor
    self.column = column
  }

  fileprivate func matrix(row: Int, head: Int, width: Int) -> BLAS.Matrix {
    BLAS.Matrix(
      floats: tensor.floats, offset: row * tensor.columns + column + head * width,
      stride: tensor.columns)
  }
}

extension Tensor {
  /// Scaled dot-product attention over packed sequences, heads side by side in the columns.
  ///
  /// - Parameters:
  ///   - q: Queries, ΣqueryLengths rows.
  ///   - k: Keys, ΣkeyLengths rows.
  ///   - v: Values, as many rows as keys.
  ///   - width: The columns of all heads together.
  ///   - layout: The sequences.
  /// - Returns: `[ΣqueryLengths, width]`.
  /// - Source: Vaswani et al. 2017 (arXiv:1706.03762), eq. 1.
  public static func attention(
    _ q: AttentionColumns, _ k: AttentionColumns, _ v: AttentionColumns, width: Int,
    layout: AttentionLayout
  ) -> Tensor {
    let headWidth = checkAttention(q, k, v, width, layout)
    let items = layout.items()
    let scratch = AttentionLayout.scratch(items)
    var value = Tensor(uninitialized: [q.tensor.rows, width])
    let result = value.mutableFloats
    eachItem(items) { range in
      var block = Tensor(uninitialized: [scratch])
      let p = block.mutableFloats
      for item in items[range] {
        for tile in item.tiles(causal: layout.causal) {
          attentionWeights(q, k, item, tile, headWidth, layout, into: p)
          BLAS.sgemm(
            m: tile.rows.count, n: headWidth, k: tile.keys,
            BLAS.Matrix(floats: p, stride: item.stride),
            v.matrix(row: item.keyStart, head: item.head, width: headWidth),
            into: BLAS.Matrix(
              floats: result,
              offset: (item.queryStart + tile.rows.lowerBound) * width + item.head * headWidth,
              stride: width))
        }
      }
    }
    return value
  }

  /// The softmax of a tile's scores, at the beginning of `p`; what a query does not see has weight 0.
  private static func attentionWeights(
    _ q: AttentionColumns, _ k: AttentionColumns, _ item: AttentionLayout.Item,
    _ tile: AttentionLayout.Item.Tile, _ headWidth: Int, _ layout: AttentionLayout,
    into p: Floats
  ) {
    BLAS.sgemm(
      m: tile.rows.count, n: tile.keys, k: headWidth, alpha: layout.scale,
      q.matrix(row: item.queryStart + tile.rows.lowerBound, head: item.head, width: headWidth),
      k.matrix(row: item.keyStart, head: item.head, width: headWidth), transposeB: true,
      into: BLAS.Matrix(floats: p, stride: item.stride))
    for (place, row) in tile.rows.enumerated() {
      let seen = layout.causal ? item.keys - item.queries + row + 1 : item.keys
      let start = place * item.stride
      // Up to a whole group of eight the softmax sees -∞, behind it the weights are 0.
      let rounded = (seen + 7) / 8 * 8
      if rounded > seen { p.fill(start + seen..<start + rounded, with: -.infinity) }
      _ = softmaxRow(p, start, rounded)
      if item.stride > rounded { p.fill(start + rounded..<start + item.stride, with: 0) }
    }
  }

  /// The gradients of `attention`, written into the columns that `q`, `k` and `v` have in their tensors.
  ///
  /// With P the weights, which are computed once more, and dO the gradient, per head: dV = Pᵀ·dO; dP = dO·Vᵀ;
  /// dS = P∘(dP - rowsum(P∘dP))·scale; dQ = dS·K; dK = dSᵀ·Q.
  ///
  /// - Parameters:
  ///   - gradient: dO, `[ΣqueryLengths, width]`.
  ///   - q: Queries.
  ///   - k: Keys.
  ///   - v: Values.
  ///   - width: The columns of all heads together.
  ///   - layout: The sequences.
  ///   - destinations: Tensors shaped like those of q, k and v, of which the columns that belong to
  ///     q, k or v are overwritten. What lies in one tensor may share one destination.
  ///   - places: The destination of q, of k and of v.
  public static func attentionGradient(
    _ gradient: Tensor, _ q: AttentionColumns, _ k: AttentionColumns, _ v: AttentionColumns,
    width: Int, layout: AttentionLayout, into destinations: inout [Tensor],
    places: (q: Int, k: Int, v: Int)
  ) {
    let headWidth = checkAttention(q, k, v, width, layout)
    precondition(
      gradient.shape == [q.tensor.rows, width] && destinations[places.q].shape == q.tensor.shape
        && destinations[places.k].shape == k.tensor.shape
        && destinations[places.v].shape == v.tensor.shape,
      "attention: gradient \(gradient.shape) for queries \(q.tensor.shape)")
    let items = layout.items()
    let scratch = AttentionLayout.scratch(items)
    let dO = gradient.floats
    let outputs = destinations.indices.map { destinations[$0].mutableFloats }
    let strides = destinations.map(\.columns)
    @Sendable func target(_ place: Int, _ column: Int, _ row: Int, _ head: Int) -> BLAS.Matrix {
      BLAS.Matrix(
        floats: outputs[place], offset: row * strides[place] + column + head * headWidth,
        stride: strides[place])
    }
    eachItem(items) { range in
      var weights = Tensor(uninitialized: [scratch])
      // Zeros: the lanes beyond the last key are multiplied, and no stray NaN may be there.
      var block = Tensor(shape: [scratch])
      let (p, dP) = (weights.mutableFloats, block.mutableFloats)
      for item in items[range] {
        let (pMatrix, dPMatrix) = (
          BLAS.Matrix(floats: p, stride: item.stride), BLAS.Matrix(floats: dP, stride: item.stride)
        )
        for tile in item.tiles(causal: layout.causal) {
          // The first tile sees all keys and writes their gradients; the others add.
          let beta: Float = tile.rows.upperBound == item.queries ? 0 : 1
          let (rows, start) = (tile.rows.count, item.queryStart + tile.rows.lowerBound)
          let dOMatrix = BLAS.Matrix(
            floats: dO, offset: start * width + item.head * headWidth, stride: width)
          attentionWeights(q, k, item, tile, headWidth, layout, into: p)
          BLAS.sgemm(
            m: tile.keys, n: headWidth, k: rows, pMatrix, transposeA: true, dOMatrix, beta: beta,
            into: target(places.v, v.column, item.keyStart, item.head))
          BLAS.sgemm(
            m: rows, n: tile.keys, k: headWidth, dOMatrix,
            v.matrix(row: item.keyStart, head: item.head, width: headWidth), transposeB: true,
            into: dPMatrix)
          for row in 0..<rows {
            let start = row * item.stride
            let mean = dot(p, start, dP, start, tile.keys)
            var index = start
            while index < start + item.stride {
              dP[lanes: index] = p[lanes: index] * (dP[lanes: index] - mean) * layout.scale
              index += 8
            }
          }
          BLAS.sgemm(
            m: rows, n: headWidth, k: tile.keys, dPMatrix,
            k.matrix(row: item.keyStart, head: item.head, width: headWidth),
            into: target(places.q, q.column, start, item.head))
          BLAS.sgemm(
            m: tile.keys, n: headWidth, k: rows, dPMatrix, transposeA: true,
            q.matrix(row: start, head: item.head, width: headWidth), beta: beta,
            into: target(places.k, k.column, item.keyStart, item.head))
        }
      }
    }
  }

  private static func checkAttention(
    _ q: AttentionColumns, _ k: AttentionColumns, _ v: AttentionColumns, _ width: Int,
    _ layout: AttentionLayout
  ) -> Int {
    precondition(
      layout.heads > 0 && width % layout.heads == 0,
      "attention: width \(width) does not divide into \(layout.heads) heads")
    let (queries, keys) = (layout.queryLengths.reduce(0, +), layout.keyLengths.reduce(0, +))
    precondition(
      q.tensor.rows == queries && k.tensor.rows == keys && v.tensor.rows == keys
        && q.column + width <= q.tensor.columns && k.column + width <= k.tensor.columns
        && v.column + width <= v.tensor.columns,
      "attention: queries \(q.tensor.shape), keys \(k.tensor.shape), values \(v.tensor.shape) for "
        + "lengths \(queries), \(keys) and width \(width)")
    return width / layout.heads
  }

  /// Gives each thread a run of items, so that scratch memory is one block per thread.
  private static func eachItem(
    _ items: [AttentionLayout.Item], _ body: @Sendable (Range<Int>) -> Void
  ) {
    let pieces = min(TensorThreads.current, items.count)
    TensorThreads.forEach(pieces) { piece in
      body(items.count * piece / pieces..<items.count * (piece + 1) / pieces)
    }
  }
}
