import Autograd
import TensorEngine

/// The vision transformer without gradients.
struct ImageEncoder: Sendable {
  private let imageSize: Int
  private let patchSize: Int
  private let patchMap: PackedLinear
  private let classEmbedding: Tensor
  private let positions: Tensor
  private let preNorm: RowNormalization
  private let transformer: EncoderTransformer
  private let postNorm: RowNormalization
  private let projection: PackedLinear

  /// - Returns: `nil` of a model whose image tower is something else.
  init?(_ weights: EncoderWeights, _ model: CLIPConfiguration, precision: ProductPrecision) {
    guard weights.find("class_embedding") != nil, weights.find("ln_pre.weight") != nil else {
      return nil
    }
    let configuration = model.vision
    imageSize = configuration.imageSize
    patchSize = configuration.patchSize
    let patches = weights["conv1.weight"]
    patchMap = PackedLinear(
      patches.reshaped([patches.shape[0], -1]), bias: weights.find("conv1.bias"),
      precision: precision)
    classEmbedding = weights["class_embedding"]
    positions = weights["positional_embedding"]
    preNorm = weights.norm("ln_pre")
    transformer = EncoderTransformer(
      weights.below("transformer."), heads: configuration.heads,
      causal: false, activation: model.quickGELU ? .quick : .exact,
      precision: precision)
    postNorm = weights.norm("ln_post")
    projection = weights.projection("proj")
  }

  /// - Parameter images: `[B, 3, S, S]`.
  /// - Returns: `[B, D]`.
  func callAsFunction(_ images: Tensor) -> Tensor {
    let batch = images.shape.first ?? 0
    precondition(
      images.shape == [batch, 3, imageSize, imageSize],
      "CLIP: images \(images.shape), wanted [B, 3, \(imageSize), \(imageSize)]")
    let tokens = positions.shape[0]
    let x = patchMap(images.patches(side: patchSize))
      .withFirstRow(classEmbedding, positions: positions)
      .layerNorm(weight: preNorm.weight, bias: preNorm.bias, epsilon: preNorm.epsilon).value
    let pooled = transformer.pooled(
      x, lengths: [Int](repeating: tokens, count: batch), rows: (0..<batch).map { $0 * tokens })
    return projection(pooled, norm: postNorm)
  }

  var byteCount: Int { transformer.byteCount + patchMap.byteCount + projection.byteCount }
}

/// An image tower that has no encoder of its own: the training classes without gradients.
struct TrainedImageTower: @unchecked Sendable {
  // Sendable: the weights are only read, and outside a graph nothing is written.
  let model: CLIP

  func callAsFunction(_ images: Tensor) -> Tensor {
    withoutGradient { model.imageFeatures(images).value }
  }
}
