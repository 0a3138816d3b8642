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

  /// - Parameters:
  ///   - images: `[B, 3, S, S]`.
  ///   - patches: The patches of each picture that are seen, in order; nil for all N.
  /// - Returns: `[B, D]`.
  func callAsFunction(_ images: Variable, patches: [[Int]]? = nil) -> Variable {
    let (side, patch, grid) = (
      configuration.imageSize, configuration.patchSize, configuration.gridSize
    )
    let batch = images.shape.first ?? 0
    precondition(
      images.shape == [batch, 3, side, side],
      "CLIP: images \(images.shape), wanted [B, 3, \(side), \(side)]")
    // What a convolution without padding leaves over at the right and at the bottom is not seen.
    let seen =
      side == grid * patch
      ? images
      : images.slice(axis: 2, 0..<(grid * patch)).slice(axis: 3, 0..<(grid * patch))
    let cut = seen.reshaped([batch, 3, grid, patch, grid, patch])
      .transposed([0, 2, 4, 1, 3, 5]).reshaped([batch * grid * grid, 3 * patch * patch])
    let (embedded, lengths) = patches.map { chosen(cut, $0) } ?? (all(cut, batch), nil)
    let tokens = grid * grid + 1
    var start = 0
    let rows = (0..<batch).map { picture in
      defer { start += lengths?[picture] ?? tokens }
      return start
    }
    let pooled = transformer.pooled(
      preNorm(embedded), lengths: lengths ?? [Int](repeating: tokens, count: batch),
      causal: false, rows: rows)
    return matmul(postNorm(pooled), projection)
  }

  /// The tokens of pictures whose every patch is seen, `[B·(N + 1), W]`.
  private func all(_ cut: Variable, _ batch: Int) -> Variable {
    let (count, width) = (configuration.gridSize * configuration.gridSize, configuration.width)
    let embedded = linear(cut, patchMatrix).reshaped([batch, count, width])
    let classes = classEmbedding.repeated(batch, axis: 0).reshaped([batch, 1, width])
    let positioned = concatenated([classes, embedded], axis: 1) + positionalEmbedding
    return positioned.reshaped([batch * (count + 1), width])
  }

  /// The tokens of some patches of each picture, and how many each has.
  private func chosen(
    _ cut: Variable, _ patches: [[Int]]
  ) -> (tokens: Variable, lengths: [Int]) {
    let count = configuration.gridSize * configuration.gridSize
    precondition(
      patches.count * count == cut.shape[0]
        && patches.allSatisfy { $0.allSatisfy { (0..<count).contains($0) } },
      "CLIP: patches of \(patches.count) pictures, each below \(count)")
    var (sources, order, positions): ([Int], [Int], [Int]) = ([], [], [])
    for (picture, own) in patches.enumerated() {
      // Row 0 of what is gathered from is the class token.
      order.append(0)
      positions.append(0)
      for patch in own {
        sources.append(picture * count + patch)
        order.append(sources.count)
        positions.append(patch + 1)
      }
    }
    let embedded = linear(gatherRows(cut, sources), patchMatrix)
    let table = concatenated(
      [classEmbedding.reshaped([1, configuration.width]), embedded], axis: 0)
    return (
      addRows(gatherRows(table, order), positionalEmbedding, positions),
      patches.map { $0.count + 1 }
    )
  }

  private var patchMatrix: Variable {
    patchWeight.reshaped([
      configuration.width, 3 * configuration.patchSize * configuration.patchSize,
    ])
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
