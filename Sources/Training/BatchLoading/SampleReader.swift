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
  /// Whether pictures become RGB before they are cropped and resized, not afterwards.
  ///
  /// The one is open_clip's loader of WebDatasets, the other are its transforms. It shows for palettes, alpha,
  /// inks and 16 bits only.
  public var convertsFirst = false
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
    var picture: FilePicture
    var tokens: [Int32]
  }
  private struct Memory {
    var samples: [Int: Sample] = [:]
    var bytes = 0
    /// Why a pair cannot be had: it is tried once.
    var failures: [Int: String] = [:]
  }

  public let source: PairSource
  public let options: BatchOptions
  private let encode: @Sendable (String) -> [Int32]
  private let memory = Mutex(Memory())

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
  /// A pair that cannot be read or decoded is replaced by the next in number of its source that can.
  ///
  /// - Throws: ``NoReadablePair`` when none can; ``ShardError`` when the system lacks memory or open files.
  public func batch(of visits: [PairVisit]) throws -> PairBatch {
    let slots = Mutex([Int: Result<Slot, any Error>]())
    Parallel.forEach(visits.count, threads: options.decodeThreads) { slot in
      let result = Result { try self.slot(visits[slot]) }
      slots.withLock { $0[slot] = result }
    }
    let filled = slots.withLock { $0 }
    let made = try visits.indices.compactMap { try filled[$0]?.get() }
    return PairBatch(
      images: options.preprocessing.tensor(
        of: made.map(\.square), threads: options.decodeThreads),
      tokens: made.map(\.tokens), keys: made.map(\.key), visits: visits,
      replaced: made.compactMap(\.replaced))
  }

  private struct Slot: Sendable {
    var key: String
    var tokens: [Int32]
    var square: RGBImage
    var replaced: ReplacedPair?
  }

  private func slot(_ visit: PairVisit) throws -> Slot {
    let part = source.part(of: visit.index)
    var reason: String?
    for step in 0..<part.pairs.count {
      let turn = (visit.index - part.pairs.lowerBound + step) % part.pairs.count
      let candidate = part.pairs.lowerBound + turn
      switch try sample(candidate) {
      case .success(let sample):
        return Slot(
          key: sample.key, tokens: sample.tokens,
          square: square(of: sample.picture, candidate, visit.epoch),
          replaced: reason.map { ReplacedPair(index: visit.index, by: candidate, reason: $0) })
      // Only the first reason is told: it is the one of the pair that was asked for.
      case .failure(let failure): reason = reason ?? failure.reason
      }
    }
    throw NoReadablePair(source: part.source.path, reason: reason ?? "it is empty")
  }

  private func square(of picture: FilePicture, _ index: Int, _ epoch: Int) -> RGBImage {
    guard let scale = options.cropScale else { return options.preprocessing.square(picture) }
    // "crop": keeps these draws apart from the permutation, which has the path (epoch).
    var random = RandomStream(
      seed: options.seed, path: UInt64(epoch), UInt64(index), 0x6372_6F70)
    let box = ImagePreprocessing.randomCrop(
      width: picture.width, height: picture.height, scale: scale
    ) { random.uniform() }
    return options.preprocessing.square(of: box, in: picture)
  }

  private func sample(_ index: Int) throws -> Result<Sample, UnreadablePair> {
    let known: Result<Sample, UnreadablePair>? = memory.withLock { memory in
      if let sample = memory.samples[index] { return .success(sample) }
      return memory.failures[index].map { .failure(UnreadablePair(reason: $0)) }
    }
    if let known { return known }
    let pair: Pair
    let picture: FilePicture
    do {
      pair = try source.pair(at: index)
      let opened = try ImageDecoder.filePicture(in: pair.image)
      picture = options.convertsFirst ? FilePicture(opened.rgb) : opened
    } catch {
      guard let failure = UnreadablePair(error) else { throw error }
      memory.withLock { $0.failures[index] = failure.reason }
      return .failure(failure)
    }
    let sample = Sample(key: pair.key, picture: picture, tokens: encode(pair.caption))
    let bytes = picture.byteCount
    memory.withLock { memory in
      guard memory.bytes + bytes <= options.cacheBytes, memory.samples[index] == nil else { return }
      memory.samples[index] = sample
      memory.bytes += bytes
    }
    return .success(sample)
  }
}
