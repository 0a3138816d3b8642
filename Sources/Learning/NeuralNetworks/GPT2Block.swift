public import Autograd
public import SeededRandom
import TensorEngine

/// An affine map whose weight is `[in, out]`, as GPT-2 stores it (Hugging Face's `Conv1D`).
public final class TransposedLinear: Module {
  /// Shape `[in, out]`.
  public let weight: Variable
  /// Shape `[out]`.
  public let bias: Variable

  public init(
    _ inputs: Int, _ outputs: Int, standardDeviation: Double = 0.02, random: inout RandomStream
  ) {
    weight = .parameter(
      .normal([inputs, outputs], standardDeviation: standardDeviation, random: &random))
    bias = .parameter(Tensor(shape: [outputs]))
  }

  public func callAsFunction(_ x: Variable) -> Variable { matmul(x, weight) + bias }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "weight", weight)
    visit(prefix + "bias", bias)
  }
}

/// The block of GPT-2, with its names: x += attn(ln_1(x)); x += mlp(ln_2(x)), causal.
///
/// Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"; transformers'
/// `GPT2Block`.
public final class GPT2Block: Module {
  private let attentionNorm, mlpNorm: LayerNorm
  private let attentionInput, attentionOutput, expand, contract: TransposedLinear
  private let heads: Int
  private let width: Int

  /// - Parameters:
  ///   - width: D.
  ///   - heads: Of the attention; D is a multiple.
  ///   - layers: Of the whole model: the maps back into the stream begin with 0.02/√(2·layers).
  ///   - random: The stream.
  public init(width: Int, heads: Int, layers: Int = 1, random: inout RandomStream) {
    precondition(width % heads == 0, "GPT2Block: width \(width) over \(heads) heads")
    (self.width, self.heads) = (width, heads)
    let inward = 0.02 / Double(2 * layers).squareRoot()
    attentionNorm = LayerNorm(width)
    attentionInput = TransposedLinear(width, 3 * width, random: &random)
    attentionOutput = TransposedLinear(width, width, standardDeviation: inward, random: &random)
    mlpNorm = LayerNorm(width)
    expand = TransposedLinear(width, 4 * width, random: &random)
    contract = TransposedLinear(4 * width, width, standardDeviation: inward, random: &random)
  }

  /// Whole sequences.
  ///
  /// - Parameters:
  ///   - x: `[ΣL, D]`, packed.
  ///   - lengths: The sequences' lengths.
  /// - Returns: `[ΣL, D]`.
  public func callAsFunction(_ x: Variable, lengths: [Int]) -> Variable {
    finished(
      x, attention(attentionInput(attentionNorm(x)), lengths: lengths, heads: heads, causal: true))
  }

  /// The next rows of sequences whose earlier ones are in a cache, which they join.
  ///
  /// - Parameters:
  ///   - x: `[ΣL, D]`, packed.
  ///   - lengths: The new rows of each sequence; 0 for one that does not go on.
  ///   - cache: Of this block.
  /// - Returns: `[ΣL, D]`: what ``callAsFunction(_:lengths:)`` gives for these rows.
  public func callAsFunction(
    _ x: Variable, lengths: [Int], cache: inout KeyValueCache
  ) -> Variable {
    let qkv = attentionInput(attentionNorm(x))
    cache.append(
      keys: qkv.slice(axis: 1, width..<2 * width),
      values: qkv.slice(axis: 1, 2 * width..<3 * width),
      added: lengths)
    guard let (keys, values) = cache.seen(by: lengths) else { return x }
    let going = lengths.indices.filter { lengths[$0] > 0 }
    let seen = attention(
      qkv.slice(axis: 1, 0..<width), keys, values, queryLengths: going.map { lengths[$0] },
      keyLengths: going.map { cache.lengths[$0] }, heads: heads, causal: true)
    return finished(x, seen)
  }

  private func finished(_ x: Variable, _ seen: Variable) -> Variable {
    let attended = x + attentionOutput(seen)
    return attended + contract(gelu(expand(mlpNorm(attended)), .tanh))
  }

  public func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    attentionNorm.visitParameters(prefix: prefix + "ln_1.", visit)
    attentionInput.visitParameters(prefix: prefix + "attn.c_attn.", visit)
    attentionOutput.visitParameters(prefix: prefix + "attn.c_proj.", visit)
    mlpNorm.visitParameters(prefix: prefix + "ln_2.", visit)
    expand.visitParameters(prefix: prefix + "mlp.c_fc.", visit)
    contract.visitParameters(prefix: prefix + "mlp.c_proj.", visit)
  }
}
