import DurableFiles

/// Reads a shard: ours, or any WebDataset tar, plain or in LZ4, gzip or zstd.
///
/// A valid `NAME.idx` beside it tells where the pairs are; else the shard is scanned once. Samples
/// without a picture are passed over; a caption that is missing is empty. Any number of threads may
/// read at once.
public final class ShardReader: Sendable {
  public let path: String
  private let index: ShardIndex
  private let isCompressed: Bool
  private let cache: FrameCache

  /// - Parameter path: Of the shard, plain or compressed as its content says.
  /// - Throws: `file`, `truncated`, `badHeader` or `badFrame`.
  public convenience init(path: String) throws(ShardError) {
    try self.init(path: path, cache: FrameCache())
  }

  /// A reader that shares `cache` with those of other shards.
  package init(path: String, cache: FrameCache) throws(ShardError) {
    self.path = path
    self.cache = cache
    let size = try file(path) { () throws(FileError) in try DurableFile.size(of: path) }
    let magic = try file(path) { () throws(FileError) in
      try DurableFile.read(path, count: 4, at: 0)
    }
    isCompressed = StreamDecoder.begins(magic)
    if let index = try Self.index(beside: path), index.fileSize == size,
      index.frames.isEmpty != isCompressed
    {
      self.index = index
    } else {
      index = try Self.scan(path, fileSize: size)
    }
  }

  /// The number of pairs.
  public var count: Int { index.entries.count }

  /// The keys in the order of the shard.
  public var keys: [String] { index.entries.map(\.key) }

  /// The pair at `index`, which is in 0 ..< ``count``.
  ///
  /// Costs a read of the pair from a plain tar; from LZ4 that of its frame of about 1 MiB, the last
  /// few of which are kept. A foreign file of one huge frame is decoded up to the pair.
  ///
  /// - Throws: `file`, `truncated`, `badFrame`, `badHeader`, `memberTooLarge` or `staleIndex`.
  public func pair(at index: Int) throws(ShardError) -> Pair {
    precondition(
      self.index.entries.indices.contains(index),
      "\(path): pair \(index) of \(self.index.entries.count)")
    let entry = self.index.entries[index]
    let reader = TarReader(
      TarByteStream(try bytes(of: entry)[...], at: entry.start, of: path), isFragment: true)
    guard let pair = try Self.nextPair(reader), pair.key == entry.key else {
      throw ShardError(.staleIndex(key: entry.key), shard: path, offset: entry.start)
    }
    return pair
  }

  /// Calls `body` with each pair in the order of the shard.
  ///
  /// Reads the file once from start to end, in memory of one pair and 2 MiB.
  ///
  /// - Throws: What `body` throws; else a ``ShardError``.
  public func forEach(_ body: (Pair) throws -> Void) throws {
    let reader = TarReader(try TarByteStream(path: path))
    var samples = PairCollector()
    while let member = try reader.next() {
      if let pair = try samples.add(member, from: reader) { try body(pair) }
    }
    if let pair = samples.finish() { try body(pair) }
  }

  private static func nextPair(_ reader: TarReader) throws(ShardError) -> Pair? {
    var samples = PairCollector()
    while let member = try reader.next() {
      if let pair = try samples.add(member, from: reader) { return pair }
    }
    return samples.finish()
  }

  private static func index(beside path: String) throws(ShardError) -> ShardIndex? {
    let indexPath = ShardIndex.path(beside: path)
    guard DurableFile.exists(indexPath) else { return nil }
    return ShardIndex.decode(
      try file(indexPath) { () throws(FileError) in try DurableFile.read(indexPath) })
  }

  /// Finds the pairs by walking the tar.
  private static func scan(_ path: String, fileSize: Int) throws(ShardError) -> ShardIndex {
    let stream = try TarByteStream(path: path)
    let reader = TarReader(stream)
    var collector = SampleGrouping.Collector<TarReader.Member>()
    var entries: [ShardIndex.Entry] = []
    func keep(_ sample: SampleGrouping.Collector<TarReader.Member>.Sample?) {
      guard let sample, let first = sample.members.first, let last = sample.members.last,
        sample.members.contains(where: { SampleGrouping.imageExtensions.contains($0.suffix) })
      else { return }
      entries.append(
        ShardIndex.Entry(
          key: sample.key, start: first.payload.start,
          length: last.payload.end - first.payload.start))
    }
    while let member = try reader.next() {
      guard let (key, suffix) = SampleGrouping.split(member.name) else { continue }
      keep(collector.add(key: key, suffix: suffix, member))
    }
    keep(collector.finish())
    // Where the last frame ends is known only there.
    try stream.skipToEnd()
    return ShardIndex(
      fileSize: fileSize, tarSize: stream.position, frames: stream.frames, entries: entries)
  }

  /// The bytes of a pair's members.
  private func bytes(of entry: ShardIndex.Entry) throws(ShardError) -> [UInt8] {
    guard isCompressed else {
      let bytes = try file(path) { () throws(FileError) in
        try DurableFile.read(path, count: entry.length, at: entry.start)
      }
      guard bytes.count == entry.length else {
        throw ShardError(
          .truncated(needed: entry.length, found: bytes.count), shard: path, offset: entry.start)
      }
      return bytes
    }
    var result: [UInt8] = []
    let end = entry.start + entry.length
    while entry.start + result.count < end {
      let position = entry.start + result.count
      let number = frameNumber(holding: position)
      let frame = index.frames[number]
      let next =
        number + 1 < index.frames.count
        ? index.frames[number + 1]
        : TarByteStream.FrameStart(fileOffset: index.fileSize, tarOffset: index.tarSize)
      guard next.tarOffset > position else {
        throw ShardError(.staleIndex(key: entry.key), shard: path, offset: entry.start)
      }
      let part = position - frame.tarOffset..<min(end, next.tarOffset) - frame.tarOffset
      if next.tarOffset - frame.tarOffset <= FrameCache.maxFrame {
        result += try cache.content(of: number, in: path, from: frame, to: next)[part]
      } else {
        let stream = try TarByteStream(path: path, from: frame)
        try stream.skip(part.lowerBound)
        result += try stream.read(part.count)
      }
    }
    return result
  }

  /// The last frame that begins at or before `position`.
  private func frameNumber(holding position: Int) -> Int {
    var low = 0
    var high = index.frames.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if index.frames[middle].tarOffset <= position { low = middle } else { high = middle }
    }
    return low
  }
}

/// Makes pairs of the members of a tar, reading only the data that a pair holds.
private struct PairCollector {
  private var collector = SampleGrouping.Collector<[UInt8]>()

  mutating func add(_ member: TarReader.Member, from reader: TarReader) throws(ShardError)
    -> Pair?
  {
    guard let (key, suffix) = SampleGrouping.split(member.name) else { return nil }
    let isWanted =
      suffix == "txt" || suffix == "json" || SampleGrouping.imageExtensions.contains(suffix)
    let data = isWanted ? try reader.data(of: member) : []
    return Self.pair(collector.add(key: key, suffix: suffix, data))
  }

  mutating func finish() -> Pair? { Self.pair(collector.finish()) }

  private static func pair(_ sample: SampleGrouping.Collector<[UInt8]>.Sample?) -> Pair? {
    guard let sample,
      let image = sample.members.first(where: {
        SampleGrouping.imageExtensions.contains($0.suffix)
      })
    else { return nil }
    func data(_ suffix: String) -> [UInt8] {
      sample.members.first { $0.suffix == suffix }?.payload ?? []
    }
    // Foreign text that is not UTF-8 keeps its readable part.
    return Pair(
      key: sample.key, caption: String(decoding: data("txt"), as: UTF8.self),
      image: image.payload, imageExtension: image.suffix, metadata: data("json"),
      hasText: sample.members.contains { $0.suffix == "txt" })
  }
}
