import ContentHashing
public import PairDataset

/// The pairs of one or several sources, by number, over all their shards.
public final class PairSource: Sendable {
  /// One source's pairs among all.
  public struct Part: Sendable {
    public let source: DataSource
    /// The numbers of its pairs.
    public let pairs: Range<Int>
    /// Of what it holds: of a `dataset.json` that file's SHA-256.
    public let sha256: String
    let allowsEmptyCaptions: Bool
  }

  /// In the order in which they were named.
  public let parts: [Part]
  /// A hash of what the sources hold and of their weights.
  public let fingerprint: String
  /// What was left out, or will be slow, in words for people.
  public let notes: [String]
  private let shards: [SourceShards.Shard]
  /// Number of the first pair of each shard, and at the end the count.
  private let starts: [Int]

  /// Bytes of decoded frames that all shards together keep.
  private static let frameCacheBytes = 64 << 20
  /// Of one source in an epoch, whose order is held in memory.
  private static let mostVisits = 0x1p33

  /// Opens every shard that the dataset names; pictures are read when asked for.
  ///
  /// - Throws: ``ShardError``; ``ShardMismatch`` for a shard that is not the one of the manifest.
  public convenience init(datasetPath: String) throws {
    let cache = FrameCache(budget: Self.frameCacheBytes)
    let opened = try SourceShards(dataset: datasetPath, cache: cache)
    self.init([(DataSource(path: datasetPath), opened)])
  }

  /// Opens every shard of `sources`; foreign tars are indexed by their headers, no picture is read.
  ///
  /// - Parameters:
  ///   - sources: At least one.
  ///   - threads: That index tars at the same time.
  /// - Throws: ``DataSourceError`` for a source without pairs; ``ShardError`` for a shard that is missing,
  ///   cut or no tar; ``ShardMismatch`` for one that is not that of its `dataset.json`.
  public convenience init(_ sources: [DataSource], threads: Int = 1) throws {
    precondition(!sources.isEmpty, "no source of pairs")
    let cache = FrameCache(budget: Self.frameCacheBytes)
    self.init(
      try sources.map { source in
        let opened = try SourceShards(source, cache: cache, threads: threads)
        guard opened.shards.contains(where: { $0.count > 0 }) else {
          let left = opened.notes.isEmpty ? "" : " (\(opened.notes.joined(separator: "; ")))"
          throw DataSourceError(source: source.path, problem: "holds no pair to train on\(left)")
        }
        let visits = Double(opened.shards.reduce(0) { $0 + $1.count }) * source.weight
        guard visits <= Self.mostVisits else {
          throw DataSourceError(
            source: source.path,
            problem:
              "has \(Int(visits)) visits in an epoch by its weight of \(source.weight), more "
              + "than \(Int(Self.mostVisits)). Give a smaller weight.")
        }
        return (source, opened)
      })
  }

  private init(_ opened: [(source: DataSource, shards: SourceShards)]) {
    var (parts, start): ([Part], Int) = ([], 0)
    for (source, each) in opened {
      let end = each.shards.reduce(start) { $0 + $1.count }
      parts.append(
        Part(
          source: source, pairs: start..<end, sha256: each.sha256,
          allowsEmptyCaptions: each.allowsEmptyCaptions))
      start = end
    }
    self.parts = parts
    shards = opened.flatMap(\.shards.shards)
    starts = shards.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.count) }
    notes = opened.flatMap(\.shards.notes)
    // Of one whole source it is that of its dataset.json, as ever.
    let isPlain = opened.count == 1 && opened[0].source.weight == 1
    let hashes = opened.map { "\($0.shards.sha256) \($0.source.weight)" }.joined(separator: "\n")
    fingerprint = isPlain ? opened[0].shards.sha256 : ContentHash.sha256Hex(Array(hashes.utf8))
  }

  public var count: Int { starts.last ?? 0 }

  public var shardCount: Int { shards.count }

  /// The order of a run's visits.
  public func order(seed: UInt64) -> PairOrder {
    PairOrder(
      parts: parts.filter { !$0.pairs.isEmpty }.map {
        PairOrder.Part(
          start: $0.pairs.lowerBound, count: $0.pairs.count, weight: $0.source.weight)
      }, seed: seed)
  }

  /// The source that a pair comes from.
  public func part(of index: Int) -> Part {
    precondition((0..<count).contains(index), "pair \(index) of \(count)")
    return parts[parts.firstIndex { $0.pairs.contains(index) } ?? 0]
  }

  /// The key of a pair in its shard.
  public func key(at index: Int) -> String {
    let (shard, number) = place(of: index)
    return shard.reader.key(at: number)
  }

  /// One pair, read from its shard.
  ///
  /// - Throws: ``ShardError``; ``MissingCaption`` where a foreign shard has none for it.
  public func pair(at index: Int) throws -> Pair {
    let (shard, number) = place(of: index)
    if let pair = try shard.reader.captionedPair(at: number) { return pair }
    guard part(of: index).allowsEmptyCaptions else {
      throw MissingCaption(shard: shard.reader.path, key: shard.reader.key(at: number))
    }
    return try shard.reader.pair(at: number)
  }

  /// One pair's caption; nil where the pair cannot be had, for which another will stand in.
  ///
  /// - Throws: What is no fault of the pair.
  public func caption(at index: Int) throws -> String? {
    do { return try pair(at: index).caption } catch {
      guard UnreadablePair(error) != nil else { throw error }
      return nil
    }
  }

  private func place(of index: Int) -> (SourceShards.Shard, number: Int) {
    precondition((0..<count).contains(index), "pair \(index) of \(count)")
    // The last shard that starts at or before the index.
    var (low, high) = (0, shards.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if starts[middle] <= index { low = middle } else { high = middle - 1 }
    }
    let number = index - starts[low]
    return (shards[low], shards[low].numbers?[number] ?? number)
  }
}

/// A shard that is not what `dataset.json` says: the numbers of the run would be those of other data.
public struct ShardMismatch: Error, Equatable, Sendable, CustomStringConvertible {
  public var shard: String
  /// What differs: `bytes` or `pairs`.
  public var what: String
  public var stated: Int
  public var found: Int

  public var description: String {
    "\(shard): dataset.json states \(stated) \(what), and there are \(found). Copy the shard again, "
      + "or make the data set again with pairloom run."
  }
}

/// A picture of a foreign shard whose caption is nowhere.
public struct MissingCaption: Error, Equatable, Sendable, CustomStringConvertible {
  public var shard: String
  public var key: String

  public var description: String {
    "\(shard): \(key) has no .txt, .caption or .text, and no caption in its .json"
  }
}
