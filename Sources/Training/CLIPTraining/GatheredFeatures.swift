import Collectives
package import TensorEngine

/// The features of all ranks' pairs, and which of them are the rank's own.
///
/// One all-gather: 2·N·D·4 bytes arrive at each rank.
struct GatheredFeatures {
  /// `[N, D]`, in the order of the ranks.
  var images: Tensor
  /// `[N, D]`.
  var texts: Tensor
  /// The number of the first own row.
  var first: Int

  /// - Parameters:
  ///   - images: `[B, D]`; B may differ between ranks.
  ///   - texts: `[B, D]`.
  ///   - group: The ranks.
  /// - Throws: ``CollectiveError``.
  init(_ images: Tensor, _ texts: Tensor, in group: ProcessGroup) throws {
    precondition(
      images.shape == texts.shape, "features of images \(images.shape), of texts \(texts.shape)")
    guard group.worldSize > 1 else {
      (self.images, self.texts, first) = (images, texts, 0)
      return
    }
    let width = images.shape[1]
    var (allImages, allTexts): ([Float], [Float]) = ([], [])
    first = 0
    for (rank, part) in try group.allGather(images.values + texts.values).enumerated() {
      if rank == group.rank { first = allImages.count / width }
      allImages += part.prefix(part.count / 2)
      allTexts += part.suffix(part.count / 2)
    }
    let shape = [allImages.count / width, width]
    (self.images, self.texts) = (Tensor(shape: shape, allImages), Tensor(shape: shape, allTexts))
  }
}

/// What a rank computes of a loss over the pairs of all ranks.
package struct PairLoss {
  /// This rank's share of the loss.
  package var loss: Float
  /// Its derivative by the own rows of images, `[B, D]`: complete, not a share.
  package var imageGradient: Tensor
  /// Its derivative by the own rows of texts, `[B, D]`: complete, not a share.
  package var textGradient: Tensor
  /// This rank's share of its derivative by `logit_scale`.
  package var logScaleGradient: Float
  /// This rank's share of its derivative by `logit_bias`; 0 of a loss without.
  package var logBiasGradient: Float = 0
  /// Own images whose own caption is the nearest of all N, divided by N.
  package var accuracyShare: Float
  /// B/N.
  package var batchShare: Float
}
