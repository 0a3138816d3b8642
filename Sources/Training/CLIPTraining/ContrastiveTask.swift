public import Autograd
public import BatchLoading
public import CLIPModel
public import Collectives
public import DistributedTraining
import Glibc
import NeuralNetworks
import TensorEngine

/// CLIP's contrastive training: pairs of a global batch are told from all other combinations.
public final class ContrastiveTask: TrainingTask {
  public let model: CLIP
  public let parameters: [(name: String, variable: Variable)]
  /// The running statistics of a ResNet.
  public let buffers: [(name: String, variable: Variable)]
  /// The temperature 1/τ and the share of images that are nearest to their own caption.
  public let scalarNames = ["logit_scale", "batch_accuracy"]

  /// The largest `logit_scale`: ln 100, as in CLIP's paper and open_clip.
  public static let largestLogScale: Float = 4.605_170_2

  public init(model: CLIP) {
    self.model = model
    parameters = model.parameters
    buffers = model.buffers
  }

  /// Loss and gradients of this rank's pairs, exact over the batches of all ranks.
  ///
  /// Batch norms of a ResNet see the rank's own pictures, as in open_clip.
  public func backward(
    _ batch: PairBatch, in group: ProcessGroup
  ) throws -> (loss: Float, scalars: [Float]) {
    let images = withBatchStatistics { model.imageFeatures(batch.images).l2Normalized() }
    let texts = model.textFeatures(batch.tokens).l2Normalized()
    let scale = exp(model.logitScale.value.scalar)
    let loss = try ContrastiveLoss(
      images: images.value, texts: texts.value, scale: scale, in: group)
    Variable.backward(from: [(images, loss.imageGradient), (texts, loss.textGradient)])
    model.logitScale.gradient = Tensor(
      shape: model.logitScale.value.shape, [loss.logScaleGradient])
    return (loss.loss, [scale * loss.batchShare, loss.accuracyShare])
  }

  /// Clamps `logit_scale` to 0 … ln 100.
  public func afterStep() {
    let value = model.logitScale.value
    model.logitScale.value = Tensor(
      shape: value.shape, [min(max(value.scalar, 0), Self.largestLogScale)])
  }
}
