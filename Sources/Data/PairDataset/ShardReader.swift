import DurableFiles
import Synchronization

/// Reads a shard: ours, or any WebDataset tar, plain or in LZ4, gzip or zstd.
///
/// A valid `NAME.idx` beside it tells where the pairs are; else the shard is scanned once. Samples
/// without a picture are passed over; a caption that is missing is empty. Any number of threads may
/// read at once. No archive, however hostile, makes it trap, hang, or take memory for what is only
/// claimed: a member has at most 256 MiB, a sample 512 MiB.
public final class ShardReader: Sendable {
  public let path: String
  let index: ShardIndex
  let isCompressed: Bool
  let cache: FrameCache
  let number = FrameCache.newReader()
  /// What takes the place of the file.
  let memory: [UInt8]?
  /// The first pair of each key; nil until one is asked for.
  private let numbers = Mutex<[String: Int]?>(nil)

  /// - Parameter path: Of the shard, plain or compressed as its content says.
  /// - Throws: `file`, `truncated`, `badHeader`, `badFrame`, `unsafeName`, `unsupported` or `tooMany`.
  public convenience init(path: String) throws(ShardError) {
    try self.init(path: path, cache: .shared)
  }

  /// A reader that keeps frames in `cache`, with those of other shards.
  package convenience init(path: String, cache: FrameCache) throws(ShardError) {
    let source = try ShardFile(path)
    try self.init(source, memory: nil, index: try Self.index(beside: path), cache: cache)
  }

  /// A reader of a shard in `memory`, which is called `path` in errors.
  convenience init(
    path: String, memory: [UInt8], index: ShardIndex?, cache: FrameCache
  ) throws(ShardError) {
    let source = try ShardFile(path, bytes: memory)
    try self.init(source, memory: memory, index: index, cache: cache)
  }

  init(
    _ source: ShardFile, memory: [UInt8]?, index: ShardIndex?, cache: FrameCache
  ) throws(ShardError) {
    path = source.path
    self.memory = memory
    self.cache = cache
    isCompressed = StreamDecoder.begins(try source.read(count: 4, at: 0))
    if let index, index.fileSize == source.size, index.frames.isEmpty != isCompressed,
      isCompressed || index.tarSize == index.fileSize
    {
      self.index = index
    } else {
      self.index = try ShardScan.index(of: source)
    }
  }

  /// The number of pairs.
  public var count: Int { index.entries.count }

  /// The keys in the order of the shard.
  public var keys: [String] { index.entries.map(\.key) }

  /// The key of the pair at `index`.
  public func key(at index: Int) -> String { self.index.entries[index].key }

  /// The number of the first pair with this key; nil where the shard has none.
  ///
  /// The first call costs a pass over the keys.
  public func number(of key: String) -> Int? {
    numbers.withLock { numbers in
      if let numbers { return numbers[key] }
      var made: [String: Int] = Dictionary(minimumCapacity: index.entries.count)
      for (number, entry) in index.entries.enumerated() where made[entry.key] == nil {
        made[entry.key] = number
      }
      numbers = made
      return made[key]
    }
  }

  /// The pair at `index`, which is in 0 ..< ``count``.
  ///
  /// Costs a read of the pair from a plain tar; from LZ4 that of its frame of about 1 MiB, many of
  /// which are kept. A foreign file of one huge frame is decoded up to the pair.
  ///
  /// - Throws: `file`, `truncated`, `badFrame`, `badHeader`, `memberTooLarge` or `staleIndex`.
  public func pair(at index: Int) throws(ShardError) -> Pair {
    let sample = try members(at: index, readsAll: false)
    guard let pair = try SampleAssembler.pair(sample, path: path) else {
      throw stale(self.index.entries[index])
    }
    return pair
  }

  /// The first pair with this key; nil where the shard has none.
  ///
  /// - Throws: As ``pair(at:)``.
  public func pair(key: String) throws(ShardError) -> Pair? {
    guard let number = number(of: key) else { return nil }
    return try pair(at: number)
  }

  /// All members of the pair at `index`, which is in 0 ..< ``count``.
  ///
  /// - Throws: As ``pair(at:)``.
  public func sample(at index: Int) throws(ShardError) -> ShardSample {
    SampleAssembler.shardSample(try members(at: index, readsAll: true))
  }

  /// All members of the first pair with this key; nil where the shard has none.
  ///
  /// - Throws: As ``pair(at:)``.
  public func sample(key: String) throws(ShardError) -> ShardSample? {
    guard let number = number(of: key) else { return nil }
    return try sample(at: number)
  }

  /// Calls `body` with each pair in the order of the shard.
  ///
  /// Reads the file once from start to end, in memory of one pair and 12 MiB, and verifies the
  /// checksums of compressed frames.
  ///
  /// - Throws: What `body` throws; else a ``ShardError``.
  public func forEach(_ body: (Pair) throws -> Void) throws {
    try walk(readsAll: false) { sample in
      if let pair = try SampleAssembler.pair(sample, path: path) { try body(pair) }
    }
  }

  /// Calls `body` with all members of each pair in the order of the shard.
  ///
  /// Samples without a picture are passed over, as everywhere. Reads as ``forEach(_:)``.
  ///
  /// - Throws: What `body` throws; else a ``ShardError``.
  public func forEachSample(_ body: (ShardSample) throws -> Void) throws {
    try walk(readsAll: true) { try body(SampleAssembler.shardSample($0)) }
  }

  private func walk(readsAll: Bool, _ body: (SampleAssembler.Sample) throws -> Void) throws {
    let ends = index.frames.dropFirst() + [index.end]
    let stream = try TarByteStream(try ShardFile(path, bytes: memory), cuts: ends[...])
    let reader = TarReader(stream)
    var samples = SampleAssembler(readsAll: readsAll, path: path)
    while let member = try reader.next() {
      if let sample = try samples.add(member, from: reader) { try body(sample) }
    }
    if let sample = samples.finish() { try body(sample) }
    // A damaged end of a compressed file shows only there.
    if isCompressed { try stream.skipToEnd() }
  }

  func stale(_ entry: ShardIndex.Entry) -> ShardError {
    ShardError(.staleIndex(key: entry.key), shard: path, offset: entry.start)
  }

  static func index(beside path: String) throws(ShardError) -> ShardIndex? {
    let indexPath = ShardIndex.path(beside: path)
    guard DurableFile.exists(indexPath) else { return nil }
    let source = try ShardFile(indexPath)
    guard source.size <= ShardIndex.maxFile else { return nil }
    return ShardIndex.decode(try source.read(count: source.size, at: 0))
  }
}
