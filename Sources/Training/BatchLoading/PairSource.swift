import DurableFiles
public import PairDataset

/// The pairs of a `dataset.json`, by number, over all its shards.
public final class PairSource: Sendable {
  private let readers: [ShardReader]
  /// Number of the first pair of each shard, and at the end the count.
  private let starts: [Int]
  public let manifest: DatasetManifest

  /// Bytes of decoded frames that all shards together keep.
  private static let frameCacheBytes = 64 << 20

  /// Opens every shard that the dataset names; pictures are read when asked for.
  ///
  /// - Throws: ``ShardError``; ``ShardMismatch`` for a shard that is not the one of the manifest.
  public init(datasetPath: String) throws {
    manifest = try DatasetManifest.read(datasetPath)
    let folder = datasetPath.lastIndex(of: "/").map { String(datasetPath[..<$0]) } ?? "."
    let cache = FrameCache(budget: Self.frameCacheBytes)
    readers = try manifest.shards.map { shard in
      let path = folder + "/" + shard.file
      let bytes = try DurableFile.size(of: path)
      guard bytes == shard.bytes else {
        throw ShardMismatch(shard: path, what: "bytes", stated: shard.bytes, found: bytes)
      }
      let reader = try ShardReader(path: path, cache: cache)
      guard reader.count == shard.pairs else {
        throw ShardMismatch(shard: path, what: "pairs", stated: shard.pairs, found: reader.count)
      }
      return reader
    }
    starts = readers.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.count) }
  }

  public var count: Int { starts.last ?? 0 }

  /// One pair, read from its shard.
  public func pair(at index: Int) throws -> Pair {
    precondition((0..<count).contains(index), "pair \(index) of \(count)")
    // The last shard that starts at or before the index.
    var (low, high) = (0, readers.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if starts[middle] <= index { low = middle } else { high = middle - 1 }
    }
    return try readers[low].pair(at: index - starts[low])
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
