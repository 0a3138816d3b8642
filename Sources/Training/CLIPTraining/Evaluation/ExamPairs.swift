public import PairDataset

/// The pairs that a model is measured on: all of some shards, or some of them, evenly spread.
public struct ExamPairs: Sendable {
  /// As they were named.
  public let paths: [String]
  private let readers: [ShardReader]
  /// Number of the first pair of each shard, and at the end the count of all.
  private let starts: [Int]
  public let count: Int

  /// Opens every shard; pictures are read when asked for.
  ///
  /// - Parameters:
  ///   - paths: Each a `dataset.json` or a shard.
  ///   - limit: At most so many pairs: number i is ⌊i·N/limit⌋ of all N, whatever the ranks.
  /// - Throws: ``ShardError`` for what is missing or no shard.
  public init(_ paths: [String], limit: Int? = nil) throws {
    precondition(limit.map { $0 > 0 } ?? true, "an exam of \(limit ?? 0) pairs")
    self.paths = paths
    readers = try paths.flatMap { path -> [String] in
      guard path.hasSuffix(".json") else { return [path] }
      let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
      return try DatasetManifest.read(path).shards.map {
        $0.file.hasPrefix("/") ? $0.file : folder + $0.file
      }
    }.map { try ShardReader(path: $0) }
    starts = readers.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.count) }
    let all = starts.last ?? 0
    count = min(limit ?? all, all)
  }

  /// One pair, read from its shard, with the caption that training gives it; where it has none, an empty one.
  ///
  /// - Throws: ``ShardError``.
  public func pair(at number: Int) throws -> Pair {
    precondition((0..<count).contains(number), "pair \(number) of \(count)")
    let all = starts.last ?? 0
    let (product, isTooLarge) = number.multipliedReportingOverflow(by: all)
    precondition(!isTooLarge, "\(all) pairs are too many to spread")
    let place = product / count
    // The last shard that starts at or before the place.
    var (low, high) = (0, readers.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if starts[middle] <= place { low = middle } else { high = middle - 1 }
    }
    let index = place - starts[low]
    return try readers[low].captionedPair(at: index) ?? readers[low].pair(at: index)
  }
}
