public import BatchLoading
public import CLIPModel
import Checkpointing
import ContentHashing
public import PairDataset
import Synchronization
public import TensorEngine
import WorkerThreads

/// How pairs are scored.
public enum ScoringPrecision: Sendable, Equatable {
  case float32
  /// Weights and activations of 8 bits where only decisions count, beside Float for what lies near a cut.
  case int8

  /// In what products are computed.
  var products: [ProductPrecision] { self == .float32 ? [.float32] : [.int8, .float32] }
}

/// Scores pairs by the cosine of picture and caption.
///
/// A pair's score has the same bits whatever pairs are scored with it, and in whichever order: see
/// ``CLIPEncoder``. Equal pictures and equal captions are encoded once while ``FeatureStore`` remembers.
public final class CLIPScorer: Sendable {
  /// Pairs that go through the model together, at most.
  public var batchSize: Int { batches.batchSize }
  /// SHA-256 of the weights as they were read, for provenance.
  public let weightsHash: String
  /// What the model is good for, if not for any picture, such as `scenes`.
  public let domain: String?
  /// All that made the scores: weights, configuration, activation, preprocessing, tokenizer, precision.
  public let provenance: [String: String]
  public let precision: ScoringPrecision
  let batches: FeatureBatches
  private let stores: [ProductPrecision: FeatureStores]

  /// Opens a model as ``TrainedCLIP/load(_:configuration:activation:)`` does.
  ///
  /// - Parameters:
  ///   - path: A folder or weights.
  ///   - configuration: Of weights without a description.
  ///   - activation: Of weights that do not say it.
  ///   - batchSize: Pairs that go through the model together, at most.
  ///   - precision: Whether scores of bytes are wanted beside those in Float.
  ///   - cacheFolder: Where features are kept for other runs; nil keeps them in memory alone.
  ///   - squares: Where pictures are decoded.
  /// - Throws: What the files lack.
  public convenience init(
    folderOrWeights path: String, configuration: String? = nil, activation: Activation? = nil,
    batchSize: Int = 64,
    precision: ScoringPrecision = .float32, cacheFolder: String? = nil,
    squares: (ImagePreprocessing) -> any PictureSquares = SquaresHere.init
  ) throws {
    try self.init(
      emptying: TrainedCLIP.load(
        path, configuration: configuration, activation: activation), true,
      batchSize: batchSize, precision: precision, cacheFolder: cacheFolder, squares: squares)
  }

  /// Scores by a model, which stays as it is: its weights are laid out anew.
  public convenience init(
    _ trained: TrainedCLIP, batchSize: Int = 64, precision: ScoringPrecision = .float32,
    cacheFolder: String? = nil
  ) throws {
    try self.init(
      emptying: trained, false, batchSize: batchSize, precision: precision,
      cacheFolder: cacheFolder, squares: SquaresHere.init)
  }

  private init(
    emptying trained: TrainedCLIP, _ isEmptied: Bool, batchSize: Int,
    precision: ScoringPrecision, cacheFolder: String?,
    squares: (ImagePreprocessing) -> any PictureSquares
  ) throws {
    self.precision = precision
    domain = trained.domain
    weightsHash = Checkpoint.hash(of: trained.model.state)
    provenance = try trained.scoringFacts().merging(["weights": weightsHash]) { $1 }
    // Float comes last, and takes the weights away while it lays them out.
    let encoders = precision.products.map {
      CLIPEncoder(trained.model, precision: $0, emptying: isEmptied && $0 == .float32)
    }
    StorageUsage.trim()
    batches = FeatureBatches(
      encoders: encoders, tokenizer: trained.tokenizer, preprocessing: trained.preprocessing,
      squares: squares(trained.preprocessing), batchSize: batchSize)
    var stores: [ProductPrecision: FeatureStores] = [:]
    for encoder in encoders {
      stores[encoder.precision] = try FeatureStores(
        folder: cacheFolder, weightsHash: weightsHash,
        configuration: trained.model.configuration, preprocessing: trained.preprocessing,
        precision: encoder.precision)
    }
    self.stores = stores
  }

  /// A pair whose picture cannot be decoded; the pipeline's own shards hold none.
  public struct UndecodablePair: Error, Sendable, CustomStringConvertible {
    public var key: String
    public var cause: PictureFault
    public var description: String { "pair \(key): \(cause)" }
  }

  /// Features of pairs, each row of length one.
  public struct Features: Sendable {
    /// `[B, D]`.
    public var images: Tensor
    /// `[B, D]`.
    public var texts: Tensor
  }

  /// Features of one pair, of length one each.
  public struct PairFeatures: Sendable {
    /// `[D]`, or why the picture cannot be decoded.
    public var image: Result<[Float], PictureFault>
    /// `[D]`.
    public var text: [Float]
  }

  /// The features of each pair's picture and caption, or why a picture has none.
  ///
  /// - Parameters:
  ///   - pairs: Any number; memory is needed for their features, pixels for some batches at a time.
  ///   - precision: Of the products; int8 only where the scorer was opened for it.
  /// - Returns: The features, in the pairs' order.
  /// - Throws: What keeps every picture from being decoded, as ``PictureSquares`` does.
  public func pairFeatures(
    of pairs: [Pair], in precision: ProductPrecision = .float32
  ) throws -> [PairFeatures] {
    guard let stores = stores[precision] else {
      preconditionFailure("the scorer was opened without \(precision.rawValue)")
    }
    return try batches.features(of: pairs, precision: precision, stores: stores)
  }

  /// As ``pairFeatures(of:in:)``, for pairs that all have a picture.
  ///
  /// - Throws: ``UndecodablePair``, for the first in order, and as ``pairFeatures(of:in:)``.
  public func features(
    of pairs: [Pair], in precision: ProductPrecision = .float32
  ) throws -> Features {
    var (images, texts): ([Float], [Float]) = ([], [])
    for (pair, features) in zip(pairs, try pairFeatures(of: pairs, in: precision)) {
      switch features.image {
      case .success(let row): images += row
      case .failure(let cause): throw UndecodablePair(key: pair.key, cause: cause)
      }
      texts += features.text
    }
    return Features(
      images: Tensor(shape: [pairs.count, width], images),
      texts: Tensor(shape: [pairs.count, width], texts))
  }

  /// D: the width of the space of both features.
  public var width: Int { batches.width }

  /// The cosine of each pair, −1 … 1, or why it has none.
  ///
  /// - Throws: As ``pairFeatures(of:in:)``.
  public func outcomes(
    of pairs: [Pair], in precision: ProductPrecision = .float32
  ) throws -> [Result<Float, PictureFault>] {
    var outcomes: [Result<Float, PictureFault>] = []
    outcomes.reserveCapacity(pairs.count)
    // Features of many pairs are not held at a time.
    let step = max(batchSize * 16, 1024)
    for start in stride(from: 0, to: pairs.count, by: step) {
      let slice = Array(pairs[start..<min(start + step, pairs.count)])
      outcomes += try pairFeatures(of: slice, in: precision).map { features in
        features.image.map { Self.cosine($0, features.text) }
      }
    }
    return outcomes
  }

  /// The cosine of each pair in Float, −1 … 1.
  ///
  /// - Throws: ``UndecodablePair``, and as ``pairFeatures(of:in:)``.
  public func scores(of pairs: [Pair]) throws -> [Float] {
    try scores(of: pairs, in: .float32)
  }

  /// The cosine of each pair, −1 … 1, about it in int8.
  ///
  /// - Throws: ``UndecodablePair``, and as ``pairFeatures(of:in:)``.
  public func scores(
    of pairs: [Pair], in precision: ProductPrecision
  ) throws -> [Float] {
    var scores: [Float] = []
    for (pair, outcome) in zip(pairs, try outcomes(of: pairs, in: precision)) {
      switch outcome {
      case .success(let score): scores.append(score)
      case .failure(let cause): throw UndecodablePair(key: pair.key, cause: cause)
      }
    }
    return scores
  }

  /// Writes features that the disk does not have yet; while scoring that is done for every thousand of them.
  ///
  /// - Throws: What the file system refuses.
  public func flushCache() throws {
    for store in stores.values { try store.flush() }
  }

  /// Gives up the features in memory.
  public func forget() {
    for store in stores.values { store.forget() }
  }

  /// The product of two rows of length one.
  static func cosine(_ image: [Float], _ text: [Float]) -> Float {
    var sum: Float = 0
    for (one, other) in zip(image, text) { sum += one * other }
    return sum
  }
}
