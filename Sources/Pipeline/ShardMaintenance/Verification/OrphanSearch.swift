import DurableFiles
import Glibc
import PairDataset
import PipelineCore

/// Finds files that no job of the ledger has made: whoever takes all of a folder would take them too.
struct OrphanSearch {
  let facts: RunFacts
  let found: ProblemList
  /// The shards that the manifest lists and that are no chunk's own; nil without a manifest.
  let final: [ShardSummary]?
  /// What jobs of the run have made and do not make any more, by paths relative to its folder.
  let leftovers: [String]

  private static let advice = Repair.byHand(
    "no job of this run has made it: move it out of the folder")

  func run() throws {
    let folder = facts.folder
    try search(folder.shards) { number in
      guard facts.chunks.contains(number) else { return nil }
      // A job that is not done may have left its outputs; it will make them again.
      guard let report = facts.report(.shard, number) else { return .all }
      return report.shard.map { .shard($0.file) } ?? .tables
    }
    if let final, facts.unfinishedJobs == 0 {
      let listed = Dictionary(
        final.map { (Self.number($0.file.split(separator: "/").last ?? "") ?? -1, $0.file) },
        uniquingKeysWith: { first, _ in first })
      try search(folder.filtered) { number in
        listed[number].map { .shard($0.split(separator: "/").last.map(String.init) ?? $0) }
      }
    }
    if let scorer = facts.scorer {
      try search(folder.scores(of: scorer)) { facts.chunks.contains($0) ? .all : nil }
    }
    for name in ["chunks", "decoded", "deduplicated", "fetched"] {
      try search("\(folder.path)/\(name)") { number in
        let isBeingMade = name == "chunks" && facts.unfinishedIngests > 0
        return isBeingMade || facts.chunks.contains(number) ? .all : nil
      }
    }
    for path in leftovers {
      found.add(
        path, "a job that was done again does not write it any more", .removeLeftovers)
    }
    try searchTemporaries()
  }

  /// What may be there under a number.
  private enum Expected {
    case all
    /// No shard: the chunk has kept nothing.
    case tables
    /// One shard of this name, with index and tables.
    case shard(String)
  }

  private func search(_ folder: String, _ expected: (Int) -> Expected?) throws {
    for name in try DurableFile.names(in: folder) where !name.hasSuffix(".tmp") {
      guard let number = Self.number(name[...]) else { continue }
      let isShard = name.hasSuffix(".tar") || name.hasSuffix(".tar.lz4")
      let isFine =
        switch expected(number) {
        case nil: false
        case .all: true
        case .tables: !isShard && !name.hasSuffix(".idx")
        case .shard(let file): !isShard || name == file
        }
      let path = facts.name("\(folder)/\(name)")
      if !isFine && !leftovers.contains(path) {
        found.add(path, "nothing knows of it", Self.advice)
      }
    }
  }

  /// The number that a file's name begins with.
  private static func number(_ name: Substring) -> Int? {
    let digits = name.prefix { $0.isASCII && $0.isNumber }
    guard digits.count >= 5 else { return nil }
    return Int(digits)
  }

  private func searchTemporaries() throws {
    let folder = facts.folder
    let places =
      [
        folder.path, folder.shards, folder.filtered, "\(folder.filtered)/verdicts",
        "\(folder.path)/chunks", "\(folder.path)/fetched", "\(folder.path)/decoded",
        "\(folder.path)/deduplicated",
      ] + (facts.scorer.map { [folder.scores(of: $0)] } ?? [])
    for place in places {
      for name in try DurableFile.names(in: place) where name.hasSuffix(".tmp") {
        let parts = name.split(separator: ".")
        guard parts.count > 3, let process = Int32(parts[parts.count - 3]),
          kill(process, 0) != 0 && errno == ESRCH
        else { continue }
        found.add(
          facts.name("\(place)/\(name)"), "a killed process left it", .removeTemporaries)
      }
    }
  }
}
