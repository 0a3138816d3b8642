import DurableFiles
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
    "no job of this run lists it: `pairloom gc` removes it where Pairloom has made it, else move it"
      + " out of the folder")

  func run() throws {
    for path in try unknown() { found.add(path, "nothing knows of it", Self.advice) }
    for path in leftovers {
      found.add(
        path, "a job that was done again does not write it any more", .removeLeftovers)
    }
    for path in try facts.folder.abandonedTemporaries() {
      found.add(facts.name(path), "a killed process left it", .removeTemporaries)
    }
  }

  /// The files that no job lists, by paths relative to the run's folder.
  ///
  /// - Throws: What the disk refuses; a manifest that cannot be read lists nothing and misses nothing.
  static func unknown(to facts: RunFacts) throws -> Set<String> {
    // Where the manifest cannot be read, what it lists cannot be told.
    let manifest = try? DatasetManifest.read(facts.folder.dataset)
    let final = manifest.map { $0.shards.filter { $0.file.hasPrefix("filtered/") } }
    let search = OrphanSearch(facts: facts, found: ProblemList(), final: final, leftovers: [])
    return Set(try search.unknown())
  }

  private func unknown() throws -> [String] {
    let folder = facts.folder
    var paths = try search(folder.shards) { number in
      guard facts.chunks.contains(number) else { return nil }
      // A job that is not done may have left its outputs; it will make them again.
      guard let report = facts.report(.shard, number) else { return .all }
      return report.shard.map { .shard($0.file) } ?? .tables
    }
    if let final, facts.unfinishedJobs == 0 {
      let listed = Dictionary(
        final.map { (Self.number($0.file.split(separator: "/").last ?? "") ?? -1, $0.file) },
        uniquingKeysWith: { first, _ in first })
      paths += try search(folder.filtered) { number in
        listed[number].map { .shard($0.split(separator: "/").last.map(String.init) ?? $0) }
      }
    }
    if let scorer = facts.scorer {
      paths += try search(folder.scores(of: scorer)) { facts.chunks.contains($0) ? .all : nil }
    }
    let ofChunks = ["chunks", "decoded", "deduplicated", "fetched", "duplicates/samples"]
    for name in ofChunks {
      paths += try search("\(folder.path)/\(name)") { number in
        let isBeingMade = name == "chunks" && facts.unfinishedIngests > 0
        return isBeingMade || facts.chunks.contains(number) ? .all : nil
      }
    }
    return paths
  }

  /// What may be there under a number.
  private enum Expected {
    case all
    /// No shard: the chunk has kept nothing.
    case tables
    /// One shard of this name, with index and tables.
    case shard(String)
  }

  private func search(_ folder: String, _ expected: (Int) -> Expected?) throws -> [String] {
    try DurableFile.names(in: folder).compactMap { name in
      guard !name.hasSuffix(".tmp"), let number = Self.number(name[...]) else { return nil }
      let isShard = name.hasSuffix(".tar") || name.hasSuffix(".tar.lz4")
      let isFine =
        switch expected(number) {
        case nil: false
        case .all: true
        case .tables: !isShard && !name.hasSuffix(".idx")
        case .shard(let file): !isShard || name == file
        }
      let path = facts.name("\(folder)/\(name)")
      return isFine || leftovers.contains(path) ? nil : path
    }
  }

  /// The number that a file's name begins with.
  private static func number(_ name: Substring) -> Int? {
    let digits = name.prefix { $0.isASCII && $0.isNumber }
    guard digits.count >= 5 else { return nil }
    return Int(digits)
  }
}
