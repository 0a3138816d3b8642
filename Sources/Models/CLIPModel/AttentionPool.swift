import Autograd
import NeuralNetworks
import SeededRandom
import TensorEngine

/// Pools pictures by the attention of their mean over all places, with open_clip's names.
///
/// Letters: B pictures, N² places, F features, D outputs.
final class AttentionPool: Module {
  /// Shape `[N² + 1, F]`; the mean's place comes first.
  private let positionalEmbedding: Variable
  private let keys: Linear
  private let queries: Linear
  private let values: Linear
  private let output: Linear
  private let heads: Int

  init(side: Int, width: Int, heads: Int, outputs: Int, random: inout RandomStream) {
    self.heads = heads
    let scale = 1 / Double(width).squareRoot()
    positionalEmbedding = .parameter(
      .normal([side * side + 1, width], standardDeviation: scale, random: &random))
    keys = Linear(width, width, random: &random)
    queries = Linear(width, width, random: &random)
    values = Linear(width, width, random: &random)
    output = Linear(width, outputs, random: &random)
    for linear in [queries, keys, values, output] {
      linear.weight.value = .normal(
        linear.weight.shape, standardDeviation: scale, random: &random)
    }
  }

  /// - Parameter x: `[B, N, N, F]`.
  /// - Returns: `[B, D]`.
  func callAsFunction(_ x: Variable) -> Variable {
    let (batch, width) = (x.shape[0], x.shape[3])
    let length = positionalEmbedding.shape[0]
    let places = x.reshaped([batch, length - 1, width])
    let mean = places.mean(axis: 1).reshaped([batch, 1, width])
    let tokens = (concatenated([mean, places], axis: 1) + positionalEmbedding)
      .reshaped([batch * length, width])
    // Only the mean asks.
    let first = gatherRows(tokens, (0..<batch).map { $0 * length })
    let seen = attention(
      queries(first), keys(tokens), values(tokens),
      queryLengths: [Int](repeating: 1, count: batch),
      keyLengths: [Int](repeating: length, count: batch), heads: heads, causal: false)
    return output(seen)
  }

  func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "positional_embedding", positionalEmbedding)
    keys.visitParameters(prefix: prefix + "k_proj.", visit)
    queries.visitParameters(prefix: prefix + "q_proj.", visit)
    values.visitParameters(prefix: prefix + "v_proj.", visit)
    output.visitParameters(prefix: prefix + "c_proj.", visit)
  }
}
