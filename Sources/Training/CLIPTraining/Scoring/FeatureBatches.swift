import BatchLoading
import CLIPModel
import PairDataset
import SeededRandom
import Synchronization
import TensorEngine
import Tokenizers
import WorkerThreads

/// Takes pairs from bytes and strings to features.
///
/// Every core runs a lane of its own: it decodes the pictures of a small batch, resizes them and sends
/// them through the tower, while other lanes are at another point of theirs. No lane waits for another
/// before the end, and reading of weights is shared through the cache.
final class FeatureBatches: Sendable {
  private let encoders: [CLIPEncoder]
  private let tokenizer: BytePairTokenizer
  let preprocessing: ImagePreprocessing
  let squares: any PictureSquares
  private let sizes: Mutex<Sizes>
  /// One call computes at a time, on all cores: several would only take each other's caches.
  private let turn = Mutex(())

  private struct Sizes {
    var batch: Int
    /// Lanes; nil goes by the threads of tensor work.
    var threads: Int?
  }

  init(
    encoders: [CLIPEncoder], tokenizer: BytePairTokenizer, preprocessing: ImagePreprocessing,
    squares: any PictureSquares, batchSize: Int
  ) {
    precondition(batchSize >= 1, "batches of \(batchSize)")
    self.encoders = encoders
    self.tokenizer = tokenizer
    self.preprocessing = preprocessing
    self.squares = squares
    sizes = Mutex(Sizes(batch: batchSize))
  }

  var width: Int { encoders[0].configuration.embedDim }
  var batchSize: Int { sizes.withLock(\.batch) }
  private var lanes: Int { sizes.withLock(\.threads) ?? TensorThreads.current }

  func use(_ calibration: ScorerCalibration) {
    sizes.withLock { $0 = Sizes(batch: calibration.batchSize, threads: calibration.threads) }
  }

  /// Sends a batch of random pictures through the tower on each of so many threads.
  func tryOut(batch: Int, threads: Int) {
    let side = preprocessing.size
    var random = RandomStream(seed: 0)
    let pixels = Tensor(
      shape: [batch, 3, side, side],
      (0..<batch * 3 * side * side).map { _ in Float(random.uniform()) })
    let encoder = encoders[0]
    guard encoder.isExactInAnyBatch, threads > 1 else {
      for _ in 0..<threads { _ = encoder.imageFeatures(pixels) }
      return
    }
    Parallel.forEach(threads, threads: threads) { _ in
      TensorThreads.within(1) { _ = encoder.imageFeatures(pixels) }
    }
  }

  /// One batch of one tower, by places in the list of pairs.
  private enum Work {
    case images([Int])
    case texts([Int])
  }

  /// What lanes hand in.
  private struct Found {
    var images: [FeatureKey: [Float]] = [:]
    var texts: [FeatureKey: [Float]] = [:]
    var faults: [FeatureKey: PictureFault] = [:]
    /// What ends the work of all lanes.
    var refusal: (any Error)?
  }

  /// The features of all pairs, in their order.
  ///
  /// - Throws: What keeps every picture from being decoded.
  func features(
    of pairs: [Pair], precision: ProductPrecision, stores: FeatureStores
  ) throws -> [CLIPScorer.PairFeatures] {
    guard let encoder = encoders.first(where: { $0.precision == precision }) else {
      preconditionFailure("no encoder of \(precision.rawValue)")
    }
    let prepared = prepare(pairs)
    var found = Found()
    let newImages = missing(prepared.map(\.image), stores.images, &found.images)
    let newTexts = missing(prepared.map(\.text), stores.texts, &found.texts)
    let work = schedule(images: newImages, texts: newTexts)
    let shared = Mutex(found)
    let next = Atomic<Int>(0)
    let lanes = encoder.isExactInAnyBatch ? min(self.lanes, work.count) : 1
    let run: @Sendable () -> Void = {
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < work.count, shared.withLock({ $0.refusal == nil }) else { return }
        switch work[index] {
        case .images(let places):
          let results = Result { try self.encode(places, of: pairs, by: encoder) }
          shared.withLock { shared in
            guard case .success(let results) = results else {
              if case .failure(let refusal) = results { shared.refusal = refusal }
              return
            }
            for (place, result) in zip(places, results) {
              switch result {
              case .success(let row): shared.images[prepared[place].image] = row
              case .failure(let fault): shared.faults[prepared[place].image] = fault
              }
            }
          }
        case .texts(let places):
          let features = encoder.textFeatures(places.map { prepared[$0].tokens })
          let rows = Self.rows(features)
          shared.withLock { shared in
            for (place, row) in zip(places, rows) { shared.texts[prepared[place].text] = row }
          }
        }
      }
    }
    turn.withLock { _ in
      if lanes <= 1 {
        run()
      } else {
        Parallel.forEach(lanes, threads: lanes) { _ in TensorThreads.within(1, run) }
      }
    }
    found = shared.withLock { $0 }
    if let refusal = found.refusal { throw refusal }
    stores.images.insert(
      newImages.compactMap { place in
        found.images[prepared[place].image].map { (prepared[place].image, $0) }
      })
    stores.texts.insert(newTexts.map { (prepared[$0].text, found.texts[prepared[$0].text] ?? []) })
    return prepared.map { pair in
      guard let text = found.texts[pair.text] else {
        preconditionFailure("CLIP: a caption was left out")
      }
      if let row = found.images[pair.image] { return .init(image: .success(row), text: text) }
      guard let fault = found.faults[pair.image] else {
        preconditionFailure("CLIP: a picture was left out")
      }
      return .init(image: .failure(fault), text: text)
    }
  }

  private struct Prepared: Sendable {
    var tokens: [Int32]
    var image: FeatureKey
    var text: FeatureKey
  }

  /// Tokens and keys of all pairs.
  private func prepare(_ pairs: [Pair]) -> [Prepared] {
    let pieces = max(1, min(TensorThreads.current, pairs.count / 64))
    let done = Mutex([Int: [Prepared]]())
    Parallel.forEach(pieces, threads: pieces) { piece in
      let range = pairs.count * piece / pieces..<pairs.count * (piece + 1) / pieces
      let part = pairs[range].map { pair in
        let tokens = tokenizer.encode(pair.caption)
        return Prepared(
          tokens: tokens, image: FeatureKey(pair.image), text: FeatureKey(tokens: tokens))
      }
      done.withLock { $0[piece] = part }
    }
    let parts = done.withLock { $0 }
    return (0..<pieces).flatMap { parts[$0] ?? [] }
  }

  /// The first place of each key that the store does not have; what it has goes to `found`.
  private func missing(
    _ keys: [FeatureKey], _ store: FeatureStore, _ found: inout [FeatureKey: [Float]]
  ) -> [Int] {
    for (key, row) in zip(keys, store.find(keys)) {
      if let row { found[key] = row }
    }
    var seen = Set<FeatureKey>()
    return keys.indices.filter { found[keys[$0]] == nil && seen.insert(keys[$0]).inserted }
  }

  /// Batches small enough that every lane has several, pictures first: they are the dear ones.
  private func schedule(images: [Int], texts: [Int]) -> [Work] {
    let (lanes, batchSize) = (lanes, batchSize)
    func cut(_ places: [Int]) -> [[Int]] {
      guard !places.isEmpty else { return [] }
      let size = max(1, min(batchSize, (places.count + 4 * lanes - 1) / (4 * lanes)))
      return stride(from: 0, to: places.count, by: max(size, min(4, batchSize))).map {
        Array(places[$0..<min($0 + max(size, min(4, batchSize)), places.count)])
      }
    }
    return cut(images).map { .images($0) } + cut(texts).map { .texts($0) }
  }
}
