import BatchLoading
import DurableFiles
import PairDataset

/// What `replaced.jsonl` of a run says of a pair: it could not be had, or it stood in for others.
struct SeenReplacements {
  /// Its own line, if another pair ever stood in for it.
  var own: ReplacementLine?
  /// Those of the pairs that it stood in for.
  var others: [ReplacementLine] = []

  /// - Parameters:
  ///   - key: The pair's.
  ///   - source: As the run's manifest names it; nil where it has one only, whatever it was called.
  ///   - folder: The run's.
  /// - Throws: `FileError`; what the file's lines are at fault with.
  init(of key: String, source: String?, folder: String) throws {
    let path = folder + "/replaced.jsonl"
    guard DurableFile.exists(path) else { return }
    let lines = try ReplacementLog.lines(try DurableFile.read(path))
      .filter { source == nil || $0.source == source }
    own = lines.first { $0.key == key }
    others = lines.filter { $0.standIn == key }
  }

  /// The steps that saw the pair: of those that were to, and of those of the pairs that it stood in for.
  ///
  /// - Parameters:
  ///   - planned: Of the pair.
  ///   - dataset: The path of the `dataset.json` that has all of them.
  ///   - steps: Gives those of another pair, by its number.
  /// - Returns: Ascending.
  /// - Throws: `ShardError`.
  func steps(
    planned: [Int], dataset: String, of steps: (Int) -> [Int]
  ) throws -> [Int] {
    var seen = own.map { own in planned.filter { $0 < own.step } } ?? planned
    for other in others {
      guard let number = try Self.number(of: other.key, in: dataset) else { continue }
      seen += steps(number).filter { $0 >= other.step }
    }
    return seen.sorted()
  }

  private static func number(of key: String, in dataset: String) throws -> Int? {
    let folder = dataset.lastIndex(of: "/").map { String(dataset[...$0]) } ?? ""
    var before = 0
    for shard in try DatasetManifest.read(dataset).shards {
      if let number = try ShardReader(path: folder + shard.file).number(of: key) {
        return before + number
      }
      before += shard.pairs
    }
    return nil
  }

  /// For a person.
  var lines: [String] {
    let missed = own.map {
      "    not to be had from step \($0.step) on, \($0.standIn) took its place: \($0.why)"
    }
    return [missed].compactMap(\.self)
      + others.map { "    took the place of \($0.key) from step \($0.step) on" }
  }
}
