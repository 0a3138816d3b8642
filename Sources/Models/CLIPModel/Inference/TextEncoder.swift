import TensorEngine

/// The text tower without gradients, over captions packed one after the other.
struct TextEncoder: Sendable {
  private let configuration: CLIPConfiguration.Text
  private let embedding: Tensor
  private let positions: Tensor
  private let transformer: EncoderTransformer
  private let finalNorm: RowNormalization
  private let projection: PackedLinear

  init(_ weights: EncoderWeights, _ model: CLIPConfiguration, precision: ProductPrecision) {
    configuration = model.text
    embedding = weights["token_embedding.weight"]
    positions = weights["positional_embedding"]
    transformer = EncoderTransformer(
      weights.below("transformer."), heads: configuration.heads,
      causal: true, activation: model.quickGELU ? .quick : .exact,
      precision: precision)
    finalNorm = weights.norm("ln_final")
    projection = weights.projection("text_projection")
  }

  /// - Parameter captions: Ids; each is read up to its highest one, the end token.
  /// - Returns: `[captions.count, D]`.
  func callAsFunction(_ captions: [[Int32]]) -> Tensor {
    let packed = PackedCaptions(captions, configuration)
    guard !captions.isEmpty else { return Tensor(shape: [0, projection.outputs]) }
    let x = Tensor.combine(
      embedding.gatherRows(packed.tokens), positions.gatherRows(packed.positions), .add)
    return projection(
      transformer.pooled(x, lengths: packed.lengths, rows: packed.ends), norm: finalNorm)
  }

  var byteCount: Int { transformer.byteCount + projection.byteCount }
}

/// Captions one after the other, each up to its end token.
struct PackedCaptions {
  private(set) var tokens: [Int] = []
  private(set) var positions: [Int] = []
  private(set) var lengths: [Int] = []
  /// The rows of the end tokens.
  private(set) var ends: [Int] = []

  init(_ captions: [[Int32]], _ configuration: CLIPConfiguration.Text) {
    for caption in captions {
      // torch's argmax over the ids, the first of equals.
      guard let end = caption.max().flatMap({ caption.firstIndex(of: $0) }) else {
        preconditionFailure("CLIP: caption \(lengths.count) has no tokens")
      }
      precondition(
        end < configuration.contextLength,
        "CLIP: caption \(lengths.count) ends at \(end) of \(configuration.contextLength) tokens")
      tokens += caption[...end].map(Int.init)
      positions += 0...end
      lengths.append(end + 1)
      ends.append(tokens.count - 1)
    }
    if let wrong = tokens.first(where: { $0 < 0 || $0 >= configuration.vocabularySize }) {
      preconditionFailure("CLIP: token \(wrong) of \(configuration.vocabularySize)")
    }
  }
}
