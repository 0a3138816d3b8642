import ImageCodec
import PairDataset
import SeededRandom
import Synchronization
import TensorEngine
import WorkerThreads

/// What a batch is made of and how.
public struct BatchOptions: Sendable {
  /// Pairs of all ranks together.
  public var globalBatch: Int
  public var seed: UInt64
  public var preprocessing: ImagePreprocessing
  /// Share of the area that a random crop keeps; nil takes the centre as evaluation does.
  public var cropScale: ClosedRange<Double>?
  /// Bytes of decoded pictures that are kept for the next epoch, in this process.
  public var cacheBytes: Int
  /// Threads that decode one batch.
  public var decodeThreads: Int

  public init(
    globalBatch: Int, seed: UInt64, preprocessing: ImagePreprocessing,
    cropScale: ClosedRange<Double>? = nil, cacheBytes: Int = 256 << 20, decodeThreads: Int = 1
  ) {
    self.globalBatch = globalBatch
    self.seed = seed
    self.preprocessing = preprocessing
    self.cropScale = cropScale
    self.cacheBytes = cacheBytes
    self.decodeThreads = decodeThreads
  }
}

/// Makes batches of a source: reads, decodes, crops, tokenizes.
///
/// A batch depends on seed and positions only, never on what was read before.
public final class SampleReader: Sendable {
  /// A pair as it stays in memory between epochs.
  private struct Sample: Sendable {
    var key: String
    var image: RGBImage
    var tokens: [Int32]
  }
  private struct Cache {
    var samples: [Int: Sample] = [:]
    var bytes = 0
  }

  public let source: PairSource
  public let options: BatchOptions
  private let encode: @Sendable (String) -> [Int32]
  private let cache = Mutex(Cache())

  /// Reads `source`; `encode` turns a caption into its tokens.
  public init(
    source: PairSource, options: BatchOptions, encode: @escaping @Sendable (String) -> [Int32]
  ) {
    self.source = source
    self.options = options
    self.encode = encode
  }

  /// The batch of the given visits.
  ///
  /// A pair whose picture cannot be decoded is replaced by the next in number whose can.
  ///
  /// - Throws: ``NoReadablePair`` when none can; ``ShardError`` when a shard cannot be read.
  public func batch(of visits: [(index: Int, epoch: Int)]) throws -> PairBatch {
    let slots = Mutex([Int: Result<Slot, any Error>]())
    Parallel.forEach(visits.count, threads: options.decodeThreads) { slot in
      let result = Result { try self.slot(visits[slot].index, epoch: visits[slot].epoch) }
      slots.withLock { $0[slot] = result }
    }
    let size = options.preprocessing.size
    var batch = PairBatch(images: Tensor(shape: [0, 3, size, size]), tokens: [], keys: [])
    var pixels: [Float] = []
    pixels.reserveCapacity(visits.count * 3 * size * size)
    let filled = slots.withLock { $0 }
    for index in visits.indices {
      guard let slot = try filled[index]?.get() else { continue }
      pixels += slot.pixels
      batch.tokens.append(slot.sample.tokens)
      batch.keys.append(slot.sample.key)
      if let replaced = slot.replaced { batch.replaced.append(replaced) }
    }
    batch.images = Tensor(shape: [visits.count, 3, size, size], pixels)
    return batch
  }

  private struct Slot: Sendable {
    var sample: Sample
    var pixels: [Float]
    var replaced: ReplacedPair?
  }

  private func slot(_ index: Int, epoch: Int) throws -> Slot {
    var reason: String?
    for step in 0..<source.count {
      let candidate = (index + step) % source.count
      do {
        let sample = try self.sample(candidate)
        return Slot(
          sample: sample, pixels: pixels(of: sample.image, candidate, epoch),
          replaced: reason.map { ReplacedPair(index: index, by: candidate, reason: $0) })
      } catch let error as ImageError {
        // A shard or file that fails is no bad picture: it ends the run. Only the first reason is
        // told: it is the one of the pair that was asked for.
        reason = reason ?? "\(error)"
      }
    }
    throw NoReadablePair(reason: reason ?? "it is empty")
  }

  private func pixels(of image: RGBImage, _ index: Int, _ epoch: Int) -> [Float] {
    guard let scale = options.cropScale else { return options.preprocessing.evaluate(image) }
    // "crop": keeps these draws apart from the permutation, which has the path (epoch).
    var random = RandomStream(
      seed: options.seed, path: UInt64(epoch), UInt64(index), 0x6372_6F70)
    return options.preprocessing.train(image, random: &random, scale: scale)
  }

  private func sample(_ index: Int) throws -> Sample {
    if let known = cache.withLock({ $0.samples[index] }) { return known }
    let pair = try source.pair(at: index)
    let sample = Sample(
      key: pair.key, image: try ImageDecoder.decode(pair.image), tokens: encode(pair.caption))
    cache.withLock { cache in
      let bytes = sample.image.pixels.count
      guard cache.bytes + bytes <= options.cacheBytes, cache.samples[index] == nil else { return }
      cache.samples[index] = sample
      cache.bytes += bytes
    }
    return sample
  }
}
