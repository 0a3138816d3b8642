import Autograd
import NeuralNetworks
import SeededRandom
import TensorEngine

/// CLIP's image tower: patches, a class token, pre-norm blocks, the class token projected.
///
/// Letters: B images, S their side, P the patch's side, N = (S/P)² patches, W the tower's width, D the
/// width of the common space. Source: Dosovitskiy et al. 2020 (arXiv:2010.11929) as in open_clip's
/// `VisionTransformer`.
final class VisionTransformer: Module {
  private let configuration: CLIPConfiguration.Vision
  /// `[W, 3, P, P]`: a convolution whose stride is its size, so a product with cut-out patches.
  private let patchWeight: Variable
  /// Shape `[W]`.
  private let classEmbedding: Variable
  /// Shape `[N + 1, W]`.
  private let positionalEmbedding: Variable
  private let preNorm: LayerNorm
  private let transformer: Transformer
  private let postNorm: LayerNorm
  /// Shape `[W, D]`.
  private let projection: Variable

  /// open_clip's initialisation: √(1/W)·N(0, 1) for the three embeddings, torch's defaults else.
  init(
    _ configuration: CLIPConfiguration.Vision, embedDim: Int, activation: GELU,
    random: inout RandomStream
  ) {
    self.configuration = configuration
    let (width, patch) = (configuration.width, configuration.patchSize)
    let tokens = configuration.gridSize * configuration.gridSize + 1
    let scale = 1 / Double(width).squareRoot()
    patchWeight = .parameter(.kaimingUniform([width, 3, patch, patch], random: &random))
    classEmbedding = .parameter(.normal([width], standardDeviation: scale, random: &random))
    positionalEmbedding = .parameter(
      .normal([tokens, width], standardDeviation: scale, random: &random))
    preNorm = LayerNorm(width)
    transformer = Transformer(
      width: width, layers: configuration.layers, heads: configuration.heads,
      hidden: configuration.hidden, activation: activation, layerScale: configuration.layerScale,
      random: &random)
    postNorm = LayerNorm(width)
    projection = .parameter(.normal([width, embedDim], standardDeviation: scale, random: &random))
  }

  /// - Parameter images: `[B, 3, S, S]`.
  /// - Returns: `[B, D]`.
  func callAsFunction(_ images: Variable) -> Variable {
    let (side, patch, grid) = (
      configuration.imageSize, configuration.patchSize, configuration.gridSize
    )
    let batch = images.shape.first ?? 0
    precondition(
      images.shape == [batch, 3, side, side],
      "CLIP: images \(images.shape), wanted [B, 3, \(side), \(side)]")
    let width = configuration.width
    let tokens = grid * grid + 1

    // What a convolution without padding leaves over at the right and at the bottom is not seen.
    let seen =
      side == grid * patch
      ? images
      : images.slice(axis: 2, 0..<(grid * patch)).slice(axis: 3, 0..<(grid * patch))
    let patches = seen.reshaped([batch, 3, grid, patch, grid, patch])
      .transposed([0, 2, 4, 1, 3, 5]).reshaped([batch * grid * grid, 3 * patch * patch])
    let embedded = linear(patches, patchWeight.reshaped([width, 3 * patch * patch]))
      .reshaped([batch, grid * grid, width])
    let classes = classEmbedding.repeated(batch, axis: 0).reshaped([batch, 1, width])
    let positioned = concatenated([classes, embedded], axis: 1) + positionalEmbedding

    let pooled = transformer.pooled(
      preNorm(positioned.reshaped([batch * tokens, width])),
      lengths: Array(repeating: tokens, count: batch), causal: false,
      rows: (0..<batch).map { $0 * tokens })
    return matmul(postNorm(pooled), projection)
  }

  func visitParameters(prefix: String, _ visit: (String, Variable) -> Void) {
    visit(prefix + "class_embedding", classEmbedding)
    visit(prefix + "positional_embedding", positionalEmbedding)
    visit(prefix + "proj", projection)
    visit(prefix + "conv1.weight", patchWeight)
    preNorm.visitParameters(prefix: prefix + "ln_pre.", visit)
    transformer.visitParameters(prefix: prefix + "transformer.", visit)
    postNorm.visitParameters(prefix: prefix + "ln_post.", visit)
  }
}
