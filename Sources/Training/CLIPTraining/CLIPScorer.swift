import CLIPModel
import Checkpointing
public import ImageCodec
public import PairDataset
import Synchronization
import TensorEngine

/// Scores pairs by the cosine of picture and caption.
public final class CLIPScorer: Sendable {
  /// Pairs that go through the model together.
  public let batchSize: Int
  /// SHA-256 of the weights as they were read, for provenance.
  public let weightsHash: String
  /// What the model is good for, if not for any picture, such as `scenes`.
  public let domain: String?
  private let trained: Mutex<TrainedCLIP>

  /// Opens a model as ``TrainedCLIP/load(_:configuration:)`` does.
  public init(
    folderOrWeights path: String, configuration: String? = nil, batchSize: Int = 64
  ) throws {
    self.batchSize = batchSize
    let trained = try TrainedCLIP.load(path, configuration: configuration)
    domain = trained.domain
    weightsHash = Checkpoint.hash(of: trained.model.state)
    self.trained = Mutex(trained)
  }

  /// A pair whose picture cannot be decoded; the pipeline's own shards hold none.
  public struct UndecodablePair: Error, Sendable, CustomStringConvertible {
    public var key: String
    public var cause: ImageError
    public var description: String { "pair \(key): \(cause)" }
  }

  /// The cosine of each pair, −1 … 1; one call at a time computes.
  ///
  /// - Throws: ``UndecodablePair``.
  public func scores(of pairs: [Pair]) throws(UndecodablePair) -> [Float] {
    var scores: [Float] = []
    for start in stride(from: 0, to: pairs.count, by: batchSize) {
      let batch = pairs[start..<min(start + batchSize, pairs.count)]
      var images: [RGBImage] = []
      for pair in batch {
        do throws(ImageError) { images.append(try ImageDecoder.decode(pair.image)) } catch {
          throw UndecodablePair(key: pair.key, cause: error)
        }
      }
      let captions = batch.map(\.caption)
      scores += trained.withLock { trained in
        Self.cosines(trained.imageFeatures(images), trained.textFeatures(captions))
      }
    }
    return scores
  }

  /// The product of corresponding rows of length one.
  static func cosines(_ images: Tensor, _ texts: Tensor) -> [Float] {
    let width = images.shape[1]
    return images.withSpan { image in
      texts.withSpan { text in
        (0..<images.shape[0]).map { row in
          var sum: Float = 0
          for column in (row * width)..<((row + 1) * width) { sum += image[column] * text[column] }
          return sum
        }
      }
    }
  }
}
