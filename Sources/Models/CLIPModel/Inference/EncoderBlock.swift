import TensorEngine

/// A pre-norm block without gradients: norms, biases, GELU and residuals are parts of the products.
struct EncoderBlock: Sendable {
  private let attentionNorm: RowNormalization
  private let attention: PackedAttention
  /// Queries, keys and values in one; of the last block, queries apart.
  private let inProjections: [PackedLinear]
  private let outProjection: PackedLinear
  private let mlpNorm: RowNormalization
  private let expand: PackedLinear
  private let contract: PackedLinear
  private let activation: GELU

  /// - Parameters:
  ///   - weights: Of one block, with open_clip's names.
  ///   - heads: Of its attention.
  ///   - causal: Whether a row sees no later one.
  ///   - isLast: Whether it computes one row of each sequence.
  ///   - activation: Of the MLP.
  ///   - precision: Of the products.
  init(
    _ weights: EncoderWeights, heads: Int, causal: Bool, isLast: Bool, activation: GELU,
    precision: ProductPrecision
  ) {
    attentionNorm = weights.norm("ln_1")
    mlpNorm = weights.norm("ln_2")
    attention = PackedAttention(heads: heads, causal: causal)
    self.activation = activation
    var (inWeight, inBias) = (weights["attn.in_proj_weight"], weights["attn.in_proj_bias"])
    let width = inWeight.columns
    // Scores are divided by √(head width): here once and for all.
    let scale = 1 / Float(width / heads).squareRoot()
    inWeight.scaleFirst(width * width, by: scale)
    inBias.scaleFirst(width, by: scale)
    inProjections = (isLast ? [0..<width, width..<3 * width] : [0..<3 * width]).map { rows in
      PackedLinear(
        inWeight.slice(axis: 0, rows), bias: inBias.slice(axis: 0, rows), precision: precision)
    }
    // LayerScale multiplies what a residual is added to.
    outProjection = weights.linear(
      "attn.out_proj", gain: weights.find("ls_1.gamma"), precision)
    expand = weights.linear("mlp.c_fc", precision)
    contract = weights.linear("mlp.c_proj", gain: weights.find("ls_2.gamma"), precision)
  }

  /// - Parameters:
  ///   - x: `[ΣL, D]`, packed.
  ///   - lengths: The sequences' lengths.
  /// - Returns: `[ΣL, D]`.
  func callAsFunction(_ x: Tensor, lengths: [Int]) -> Tensor {
    let seen = attention(inProjections[0](x, norm: attentionNorm), lengths: lengths)
    return mlp(outProjection(seen, residual: x))
  }

  /// As the last block: the rows `pooled`, one of each sequence, which sees all of it.
  func callAsFunction(_ x: Tensor, lengths: [Int], pooled: [Int]) -> Tensor {
    let rows = x.gatherRows(pooled)
    let seen = attention.pooled(
      inProjections[0](rows, norm: attentionNorm),
      keysAndValues: inProjections[1](x, norm: attentionNorm), lengths: lengths)
    return mlp(outProjection(seen, residual: rows))
  }

  private func mlp(_ x: Tensor) -> Tensor {
    contract(expand(x, norm: mlpNorm, activation: activation), residual: x)
  }

  /// Bytes of the products' weights.
  var byteCount: Int {
    (inProjections + [outProjection, expand, contract]).reduce(0) { $0 + $1.byteCount }
  }
}

extension Tensor {
  fileprivate mutating func scaleFirst(_ count: Int, by factor: Float) {
    withMutableSpan { span in
      for index in 0..<count { span[index] *= factor }
    }
  }
}

/// The blocks of a tower, down to one row of each sequence.
struct EncoderTransformer: Sendable {
  private let blocks: [EncoderBlock]

  init(
    _ weights: EncoderWeights, heads: Int, causal: Bool, activation: GELU,
    precision: ProductPrecision
  ) {
    var layers = 0
    while weights.find("resblocks.\(layers).ln_1.weight") != nil { layers += 1 }
    blocks = (0..<layers).map { index in
      EncoderBlock(
        weights.below("resblocks.\(index)."), heads: heads, causal: causal,
        isLast: index == layers - 1, activation: activation, precision: precision)
    }
  }

  /// - Parameters:
  ///   - x: `[ΣL, D]`, packed.
  ///   - lengths: The sequences' lengths.
  ///   - rows: A row of x per sequence.
  /// - Returns: `[lengths.count, D]`.
  func pooled(_ x: Tensor, lengths: [Int], rows: [Int]) -> Tensor {
    guard let last = blocks.last else { return x.gatherRows(rows) }
    let inner = blocks.dropLast().reduce(x) { $1($0, lengths: lengths) }
    return last(inner, lengths: lengths, pooled: rows)
  }

  var byteCount: Int { blocks.reduce(0) { $0 + $1.byteCount } }
}
