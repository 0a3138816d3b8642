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
    /// Where its weights lie, and how far apart their rows are (whole groups of eight).
    var weights, stride: Int
  }

  fileprivate func items() -> (items: [Item], weights: Int) {
    var items: [Item] = []
    items.reserveCapacity(queryLengths.count * heads)
    var (queryStart, keyStart, weights) = (0, 0, 0)
    for (queries, keys) in zip(queryLengths, keyLengths) {
      precondition(
        queries > 0 && keys > 0 && (!causal || queries <= keys),
        "attention: \(queries) queries over \(keys) keys")
      let stride = (keys + 7) / 8 * 8
      for head in 0..<heads {
        items.append(
          Item(
            head: head, queryStart: queryStart, queries: queries, keyStart: keyStart, keys: keys,
            weights: weights, stride: stride))
        weights += queries * stride
      }
      queryStart += queries
      keyStart += keys
    }
    return (items, weights)
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
  ///   - keepsWeights: Whether a backward pass follows.
  /// - Returns: `[ΣqueryLengths, width]`, and the softmax weights: per sequence and head a
  ///   `[queries, keys rounded up to 8]` block.
  /// - Source: Vaswani et al. 2017 (arXiv:1706.03762), eq. 1.
  public static func attention(
    _ q: AttentionColumns, _ k: AttentionColumns, _ v: AttentionColumns, width: Int,
    layout: AttentionLayout, keepsWeights: Bool
  ) -> (value: Tensor, weights: Tensor?) {
    let headWidth = checkAttention(q, k, v, width, layout)
    let (items, size) = layout.items()
    let scratch = items.map { $0.queries * $0.stride }.max() ?? 0
    var value = Tensor(uninitialized: [q.tensor.rows, width])
    var weights = Tensor(uninitialized: [keepsWeights ? size : 0])
    let result = value.mutableFloats
    let kept = keepsWeights ? weights.mutableFloats : nil
    eachItem(items) { range in
      var block = kept == nil ? Tensor(uninitialized: [scratch]) : nil
      for item in items[range] {
        let p = BLAS.Matrix(
          floats: kept ?? block?.mutableFloats ?? result, offset: kept == nil ? 0 : item.weights,
          stride: item.stride)
        BLAS.sgemm(
          m: item.queries, n: item.keys, k: headWidth, alpha: layout.scale,
          q.matrix(row: item.queryStart, head: item.head, width: headWidth),
          k.matrix(row: item.keyStart, head: item.head, width: headWidth), transposeB: true,
          into: p)
        for row in 0..<item.queries {
          let seen = layout.causal ? item.keys - item.queries + row + 1 : item.keys
          let start = p.offset + row * item.stride
          // Up to a whole group of eight the softmax sees -∞, behind it the weights are 0.
          let rounded = (seen + 7) / 8 * 8
          if rounded > seen { p.floats.fill(start + seen..<start + rounded, with: -.infinity) }
          _ = softmaxRow(p.floats, start, rounded)
          if item.stride > rounded {
            p.floats.fill(start + rounded..<start + item.stride, with: 0)
          }
        }
        BLAS.sgemm(
          m: item.queries, n: headWidth, k: item.keys, p,
          v.matrix(row: item.keyStart, head: item.head, width: headWidth),
          into: BLAS.Matrix(
            floats: result, offset: item.queryStart * width + item.head * headWidth, stride: width))
      }
    }
    return (value, keepsWeights ? weights : nil)
  }

  /// The gradients of `attention`, written into the columns that `q`, `k` and `v` have in their tensors.
  ///
  /// With P the weights and dO the gradient, per head: dV = Pᵀ·dO; dP = dO·Vᵀ;
  /// dS = P∘(dP - rowsum(P∘dP))·scale; dQ = dS·K; dK = dSᵀ·Q.
  ///
  /// - Parameters:
  ///   - gradient: dO, `[ΣqueryLengths, width]`.
  ///   - weights: What `attention` kept.
  ///   - q: Queries.
  ///   - k: Keys.
  ///   - v: Values.
  ///   - width: The columns of all heads together.
  ///   - layout: The sequences.
  ///   - destinations: Tensors shaped like those of q, k and v, of which the columns that belong to
  ///     q, k or v are overwritten. What lies in one tensor may share one destination.
  ///   - places: The destination of q, of k and of v.
  public static func attentionGradient(
    _ gradient: Tensor, weights: Tensor, _ q: AttentionColumns, _ k: AttentionColumns,
    _ v: AttentionColumns, width: Int, layout: AttentionLayout, into destinations: inout [Tensor],
    places: (q: Int, k: Int, v: Int)
  ) {
    let headWidth = checkAttention(q, k, v, width, layout)
    precondition(
      gradient.shape == [q.tensor.rows, width] && destinations[places.q].shape == q.tensor.shape
        && destinations[places.k].shape == k.tensor.shape
        && destinations[places.v].shape == v.tensor.shape,
      "attention: gradient \(gradient.shape) for queries \(q.tensor.shape)")
    let items = layout.items().items
    let scratch = items.map { $0.queries * $0.stride }.max() ?? 0
    let (dO, p) = (gradient.floats, weights.floats)
    let outputs = destinations.indices.map { destinations[$0].mutableFloats }
    let strides = destinations.map(\.columns)
    @Sendable func target(_ place: Int, _ column: Int, _ row: Int, _ head: Int) -> BLAS.Matrix {
      BLAS.Matrix(
        floats: outputs[place], offset: row * strides[place] + column + head * headWidth,
        stride: strides[place])
    }
    eachItem(items) { range in
      // Zeros: the lanes beyond the last key are multiplied, and no stray NaN may be there.
      var block = Tensor(shape: [scratch])
      let dP = block.mutableFloats
      for item in items[range] {
        let weightMatrix = BLAS.Matrix(floats: p, offset: item.weights, stride: item.stride)
        let dOMatrix = BLAS.Matrix(
          floats: dO, offset: item.queryStart * width + item.head * headWidth, stride: width)
        let dPMatrix = BLAS.Matrix(floats: dP, stride: item.stride)
        BLAS.sgemm(
          m: item.keys, n: headWidth, k: item.queries, weightMatrix, transposeA: true, dOMatrix,
          into: target(places.v, v.column, item.keyStart, item.head))
        BLAS.sgemm(
          m: item.queries, n: item.keys, k: headWidth, dOMatrix,
          v.matrix(row: item.keyStart, head: item.head, width: headWidth), transposeB: true,
          into: dPMatrix)
        for row in 0..<item.queries {
          let (start, weight) = (row * item.stride, item.weights + row * item.stride)
          let mean = dot(p, weight, dP, start, item.keys)
          var index = 0
          while index < item.stride {
            dP[lanes: start + index] =
              p[lanes: weight + index] * (dP[lanes: start + index] - mean) * layout.scale
            index += 8
          }
        }
        BLAS.sgemm(
          m: item.queries, n: headWidth, k: item.keys, dPMatrix,
          k.matrix(row: item.keyStart, head: item.head, width: headWidth),
          into: target(places.q, q.column, item.queryStart, item.head))
        BLAS.sgemm(
          m: item.keys, n: headWidth, k: item.queries, dPMatrix, transposeA: true,
          q.matrix(row: item.queryStart, head: item.head, width: headWidth),
          into: target(places.k, k.column, item.keyStart, item.head))
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
