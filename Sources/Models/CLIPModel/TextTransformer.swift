import Autograd
import NeuralNetworks
import SeededRandom
import TensorEngine

/// CLIP's text tower: token and position embeddings, causal blocks, the end token projected.
///
/// The tower is causal and reads only the row of the end token, so no later token is ever computed:
/// captions are packed one after the other, which is exact in both directions.
/// Letters: T tokens of all captions, V vocabulary, W the tower's width, D the common space's.
final class TextTransformer: Module {
  private let configuration: CLIPConfiguration.Text
  /// Shape `[V, W]`.
  private let tokenEmbedding: Embedding
  /// Shape `[contextLength, W]`.
  private let positionalEmbedding: Variable
  private let transformer: Transformer
  private let finalNorm: LayerNorm
  /// Shape `[W, D]`.
  private let projection: Variable

  /// OpenAI's initialisation (`CLIP.initialize_parameters`).
  init(
    _ configuration: CLIPConfiguration.Text, embedDim: Int, activation: GELU,
    random: inout RandomStream
  ) {
    self.configuration = configuration
    let width = configuration.width
    tokenEmbedding = Embedding(
      count: configuration.vocabularySize, width: width, standardDeviation: 0.02, random: &random)
    positionalEmbedding = .parameter(
      .normal([configuration.contextLength, width], standardDeviation: 0.01, random: &random))
    transformer = Transformer(
      width: width, layers: configuration.layers, heads: configuration.heads,
      hidden: configuration.hidden, activation: activation, layerScale: configuration.layerScale,
      random: &random)
    let attentionScale = 1 / Double(width).squareRoot()
    let projectionScale = attentionScale / Double(2 * configuration.layers).squareRoot()
    let hiddenScale = 1 / Double(2 * width).squareRoot()
    for block in transformer.blocks {
      for (weight, scale) in [
        (block.attention.inProjectionWeight, attentionScale),
        (block.attention.outProjection.weight, projectionScale),
        (block.mlp.expand.weight, hiddenScale), (block.mlp.contract.weight, projectionScale),
      ] {
        weight.value = .normal(weight.shape, standardDeviation: scale, random: &random)
      }
    }
    finalNorm = LayerNorm(width)
    projection = .parameter(
      .normal([width, embedDim], standardDeviation: attentionScale, random: &random))
  }

  /// - Parameter captions: Ids, the highest of them (the end token) where the caption is read; what
  ///   stands behind its first place is not looked at.
  /// - Returns: `[captions.count, D]`.
  func callAsFunction(_ captions: [[Int32]]) -> Variable {
    var tokens: [Int32] = []
    var positions: [Int] = []
    var lengths: [Int] = []
    for caption in captions {
      // torch's argmax over the ids, the first of equals.
      guard let end = caption.max().flatMap({ caption.firstIndex(of: $0) }) else {
        preconditionFailure("CLIP: caption \(lengths.count) has no tokens")
      }
      precondition(
        end < configuration.contextLength,
        "CLIP: caption \(lengths.count) ends at \(end) of \(configuration.contextLength) tokens")
      tokens += caption[...end]
      positions += 0...end
      lengths.append(end + 1)
    }
    if let wrong = tokens.first(where: { $0 < 0 || $0 >= configuration.vocabularySize }) {
      preconditionFailure("CLIP: token \(wrong) of \(configuration.vocabularySize)")
    }

    var last = -1
    let ends = lengths.map { length in
      last += length
      return last
    }
    let pooled = transformer.pooled(
      addRows(tokenEmbedding(tokens), positionalEmbedding, positions), lengths: lengths,
      causal: true, rows: ends)
    return matmul(finalNorm(pooled), projection)
  }

  func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "positional_embedding", positionalEmbedding)
    visit(prefix + "text_projection", projection)
    transformer.visitParameters(prefix: prefix + "transformer.", visit)
    tokenEmbedding.visitParameters(prefix: prefix + "token_embedding.", visit)
    finalNorm.visitParameters(prefix: prefix + "ln_final.", visit)
  }
}
