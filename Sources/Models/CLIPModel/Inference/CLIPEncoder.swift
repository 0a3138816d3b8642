import Autograd
public import TensorEngine

/// A CLIP that encodes and does not learn: weights laid out once, norms, GELU and residuals fused.
///
/// The features of a picture or a caption have the same bits whatever else is in its batch, with any
/// number of threads and on any processor. An image tower that is no vision transformer runs as it
/// trains, in Float through OpenBLAS, which promises this for one shape of batch only.
/// Letters: B pictures or captions, S the picture's side, D the common width.
public final class CLIPEncoder: Sendable {
  public let configuration: CLIPConfiguration
  public let precision: ProductPrecision
  private let image: ImageEncoder?
  private let imageTower: TrainedImageTower?
  private let text: TextEncoder

  /// Lays out the weights of `model`.
  ///
  /// - Parameters:
  ///   - model: A model with weights.
  ///   - precision: Of the products.
  ///   - isEmptying: Whether the model loses its weights on the way, so that they are not in memory
  ///     twice; it is then of no further use.
  public init(
    _ model: CLIP, precision: ProductPrecision = .float32, emptying isEmptying: Bool = false
  ) {
    configuration = model.configuration
    self.precision = precision
    let weights = EncoderWeights(model, isEmptying: isEmptying)
    text = TextEncoder(weights, model.configuration, precision: precision)
    image = ImageEncoder(weights.below("visual."), model.configuration, precision: precision)
    imageTower = image == nil ? TrainedImageTower(model: model) : nil
  }

  /// - Parameter images: `[B, 3, S, S]`, normalised.
  /// - Returns: `[B, D]`, each row of length one.
  public func imageFeatures(_ images: Tensor) -> Tensor {
    guard let features = image.map({ $0(images) }) ?? imageTower.map({ $0(images) }) else {
      preconditionFailure("CLIP: an encoder without an image tower")
    }
    return features.l2Normalized().value
  }

  /// - Parameter tokens: Captions as ids, start to end; ids behind the end token are ignored.
  /// - Returns: `[B, D]`, each row of length one.
  public func textFeatures(_ tokens: [[Int32]]) -> Tensor { text(tokens).l2Normalized().value }

  /// Bytes of the products' weights as they are laid out; embeddings not counted.
  public var byteCount: Int { text.byteCount + (image?.byteCount ?? 0) }

  /// Whether the image tower's features keep their bits in any batch.
  public var isExactInAnyBatch: Bool { image != nil }
}
