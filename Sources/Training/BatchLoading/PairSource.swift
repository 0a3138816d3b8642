import DurableFiles
public import PairDataset

/// The pairs of a `dataset.json`, by number, over all its shards.
public final class PairSource: Sendable {
  private let readers: [ShardReader]
  /// Number of the first pair of each shard, and at the end the count.
  private let starts: [Int]
  public let manifest: DatasetManifest

  /// Opens every shard that the dataset names; pictures are read when asked for.
  public init(datasetPath: String) throws {
    manifest = try DatasetManifest.read(datasetPath)
    let folder = datasetPath.lastIndex(of: "/").map { String(datasetPath[..<$0]) } ?? "."
    readers = try manifest.shards.map { try ShardReader(path: folder + "/" + $0.file) }
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
