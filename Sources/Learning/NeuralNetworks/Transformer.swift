public import Autograd
public import SeededRandom
public import TensorEngine

/// Self-attention with torch's `nn.MultiheadAttention` names and initialisation.
public final class MultiHeadAttention: Module {
  /// Shape `[3·D, D]`: rows of q, then k, then v.
  public let inProjectionWeight: Variable
  /// Shape `[3·D]`.
  public let inProjectionBias: Variable
  public let outProjection: Linear
  public let heads: Int

  public init(width: Int, heads: Int, random: inout RandomStream) {
    precondition(width % heads == 0, "attention: width \(width) over \(heads) heads")
    inProjectionWeight = .parameter(.xavierUniform([3 * width, width], random: &random))
    inProjectionBias = .parameter(Tensor(shape: [3 * width]))
    outProjection = Linear(width, width, random: &random)
    outProjection.bias?.value = Tensor(shape: [width])
    self.heads = heads
  }

  /// - Parameters:
  ///   - x: `[ΣL, D]`, packed.
  ///   - lengths: The sequences' lengths.
  ///   - causal: Whether a row sees no later one.
  /// - Returns: `[ΣL, D]`.
  public func callAsFunction(_ x: Variable, lengths: [Int], causal: Bool) -> Variable {
    let qkv = linear(x, inProjectionWeight, inProjectionBias)
    return outProjection(attention(qkv, lengths: lengths, heads: heads, causal: causal))
  }

  /// What the rows `pooled` alone see, each of its whole sequence; no other row's query is computed.
  ///
  /// - Parameters:
  ///   - x: `[ΣL, D]`, packed.
  ///   - lengths: The sequences' lengths.
  ///   - pooled: A row of x per sequence.
  /// - Returns: `[lengths.count, D]`.
  public func callAsFunction(_ x: Variable, lengths: [Int], pooled: [Int]) -> Variable {
    let width = outProjection.weight.shape[0]
    func project(_ x: Variable, _ rows: Range<Int>) -> Variable {
      linear(
        x, inProjectionWeight.slice(axis: 0, rows), inProjectionBias.slice(axis: 0, rows))
    }
    let seen = attention(
      project(gatherRows(x, pooled), 0..<width),
      keysAndValues: project(x, width..<3 * width),
      queryLengths: [Int](repeating: 1, count: lengths.count), keyLengths: lengths, heads: heads,
      causal: false)
    return outProjection(seen)
  }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "in_proj_weight", inProjectionWeight)
    visit(prefix + "in_proj_bias", inProjectionBias)
    outProjection.visitParameters(prefix: prefix + "out_proj.", visit)
  }
}

/// Two linear maps with a GELU between them.
public final class MLP: Module {
  public let expand: Linear
  public let contract: Linear
  public let activation: GELU

  public init(width: Int, hidden: Int, activation: GELU, random: inout RandomStream) {
    expand = Linear(width, hidden, random: &random)
    contract = Linear(hidden, width, random: &random)
    self.activation = activation
  }

  public func callAsFunction(_ x: Variable) -> Variable {
    contract(expand(x, activation: activation))
  }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    expand.visitParameters(prefix: prefix + "c_fc.", visit)
    contract.visitParameters(prefix: prefix + "c_proj.", visit)
  }
}

/// The pre-norm block of CLIP: x += ls_1(attn(ln_1(x))); x += ls_2(mlp(ln_2(x))).
public final class ResidualAttentionBlock: Module {
  public let attentionNorm: LayerNorm
  public let attention: MultiHeadAttention
  public let mlpNorm: LayerNorm
  public let mlp: MLP
  public let attentionScale: LayerScale?
  public let mlpScale: LayerScale?

  /// - Parameters:
  ///   - width: D.
  ///   - heads: Of the attention; D is a multiple.
  ///   - hidden: The width inside the MLP.
  ///   - activation: Of the MLP.
  ///   - epsilon: Of the norms.
  ///   - layerScale: What both branches are multiplied by at first; nil for no such factors.
  ///   - random: The stream.
  public init(
    width: Int, heads: Int, hidden: Int, activation: GELU, epsilon: Float = 1e-5,
    layerScale: Double? = nil, random: inout RandomStream
  ) {
    attentionNorm = LayerNorm(width, epsilon: epsilon)
    attention = MultiHeadAttention(width: width, heads: heads, random: &random)
    mlpNorm = LayerNorm(width, epsilon: epsilon)
    mlp = MLP(width: width, hidden: hidden, activation: activation, random: &random)
    attentionScale = layerScale.map { LayerScale(width, initial: $0) }
    mlpScale = layerScale.map { LayerScale(width, initial: $0) }
  }

  public func callAsFunction(_ x: Variable, lengths: [Int], causal: Bool) -> Variable {
    finished(x, attention(attentionNorm(x), lengths: lengths, causal: causal))
  }

  /// The rows `pooled` of the result, one per sequence, without the work of the others.
  public func callAsFunction(_ x: Variable, lengths: [Int], pooled: [Int]) -> Variable {
    finished(gatherRows(x, pooled), attention(attentionNorm(x), lengths: lengths, pooled: pooled))
  }

  private func finished(_ x: Variable, _ attention: Variable) -> Variable {
    let attended = x + (attentionScale?(attention) ?? attention)
    let mapped = mlp(mlpNorm(attended))
    return attended + (mlpScale?(mapped) ?? mapped)
  }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    attentionNorm.visitParameters(prefix: prefix + "ln_1.", visit)
    attention.visitParameters(prefix: prefix + "attn.", visit)
    attentionScale?.visitParameters(prefix: prefix + "ls_1.", visit)
    mlpNorm.visitParameters(prefix: prefix + "ln_2.", visit)
    mlp.visitParameters(prefix: prefix + "mlp.", visit)
    mlpScale?.visitParameters(prefix: prefix + "ls_2.", visit)
  }
}

/// A stack of pre-norm blocks, with the names of open_clip's `Transformer`.
public final class Transformer: Module {
  public let blocks: [ResidualAttentionBlock]
  public let width: Int

  /// - Parameters:
  ///   - width: D.
  ///   - layers: How many blocks.
  ///   - heads: Of each attention; D is a multiple.
  ///   - hidden: The width inside the MLPs.
  ///   - activation: Of the MLPs.
  ///   - epsilon: Of the norms.
  ///   - layerScale: See ``ResidualAttentionBlock``.
  ///   - random: The stream.
  public init(
    width: Int, layers: Int, heads: Int, hidden: Int, activation: GELU, epsilon: Float = 1e-5,
    layerScale: Double? = nil, random: inout RandomStream
  ) {
    self.width = width
    var blocks: [ResidualAttentionBlock] = []
    for _ in 0..<layers {
      blocks.append(
        ResidualAttentionBlock(
          width: width, heads: heads, hidden: hidden, activation: activation, epsilon: epsilon,
          layerScale: layerScale, random: &random))
    }
    self.blocks = blocks
  }

  /// - Parameters:
  ///   - x: `[ΣL, D]`: the rows of all sequences, one after the other.
  ///   - lengths: The sequences' lengths.
  ///   - causal: Whether a row sees no later one of its sequence.
  /// - Returns: `[ΣL, D]`.
  public func callAsFunction(_ x: Variable, lengths: [Int], causal: Bool) -> Variable {
    through(blocks[...], x, lengths: lengths, causal: causal)
  }

  private func through(
    _ blocks: ArraySlice<ResidualAttentionBlock>, _ x: Variable, lengths: [Int], causal: Bool
  ) -> Variable {
    blocks.reduce(x) { x, block in
      guard BlockRecomputation.isOn else { return block(x, lengths: lengths, causal: causal) }
      return recomputed(x, parameters: block.parameters.map(\.variable)) {
        block($0, lengths: lengths, causal: causal)
      }
    }
  }

  /// One row of each sequence, as the class token or the end-of-text token.
  ///
  /// Equals `gatherRows(self(x, …), rows)`, but the last block computes only these rows: some 7 % of
  /// the work of twelve blocks is saved.
  ///
  /// - Parameters:
  ///   - x: `[ΣL, D]`, packed.
  ///   - lengths: The sequences' lengths.
  ///   - causal: Whether a row sees no later one; `rows` must then be each sequence's last.
  ///   - rows: A row of x per sequence.
  /// - Returns: `[lengths.count, D]`.
  public func pooled(_ x: Variable, lengths: [Int], causal: Bool, rows: [Int]) -> Variable {
    precondition(
      rows.count == lengths.count, "pooled: \(rows.count) rows of \(lengths.count) sequences")
    var start = 0
    for (row, length) in zip(rows, lengths) {
      let allowed = causal ? start + length - 1..<start + length : start..<start + length
      precondition(allowed.contains(row), "pooled: row \(row) is not in \(allowed)")
      start += length
    }
    guard let last = blocks.last else { return gatherRows(x, rows) }
    let inner = through(blocks.dropLast(), x, lengths: lengths, causal: causal)
    return last(inner, lengths: lengths, pooled: rows)
  }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    for (index, block) in blocks.enumerated() {
      block.visitParameters(prefix: prefix + "resblocks.\(index).", visit)
    }
  }
}

/// Whether blocks are computed again in the backward pass.
enum BlockRecomputation {
  @TaskLocal static var isOn = false
}

/// Runs `body`, in which a transformer keeps of each block its input alone, see `recomputed`.
///
/// The same bits in less memory: of B/32's blocks a seventh, for a third more time. The block that is pooled keeps
/// all.
public func withRecomputedBlocks<R>(_ body: () throws -> R) rethrows -> R {
  try BlockRecomputation.$isOn.withValue(true) { try body() }
}
