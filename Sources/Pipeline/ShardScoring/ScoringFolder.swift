import DurableFiles
import Glibc
import PipelineCore

/// Where the tables of scores go, one for each shard, and the locks of those who make them.
struct ScoringFolder: Sendable {
  private static let marker = ".pairloom-score"

  let path: String
  /// The tables' names, without an ending; different for each shard.
  private let names: [String]
  private var locks: String { "\(path)/\(Self.marker)" }

  /// - Parameters:
  ///   - path: Made where it is not there.
  ///   - shards: In order.
  ///   - isOwn: Whether nothing but scores may be in it, as it will be removed.
  /// - Throws: ``ShardScoringError/foreignFolder(_:)``, `FileError`.
  init(_ path: String, shards: [String], isOwn: Bool) throws {
    self.path = path
    names = Self.names(of: shards)
    if isOwn, DurableFile.exists(path) {
      let there = try DurableFile.names(in: path)
      guard there.isEmpty || there.contains(Self.marker) else {
        throw ShardScoringError.foreignFolder(path)
      }
    }
    // The locks' folder is the marker: it is there before any table.
    try DurableFile.makeFolder(locks)
  }

  func table(_ shard: Int) -> String { "\(path)/\(names[shard]).parquet" }

  /// A claim on a shard; nil where another process works on it.
  func claim(_ shard: Int) throws -> WorkClaim? { try claim("\(names[shard]).lock") }

  func claimMerge() throws -> WorkClaim? { try claim("merge.lock") }

  private func claim(_ name: String) throws -> WorkClaim? {
    var tries = 0
    while true {
      do throws(FileError) {
        return try WorkClaim("\(locks)/\(name)")
      } catch {
        // The work is over, and another process has just removed its locks.
        tries += 1
        guard error.errorNumber == ENOENT, tries < 100 else { throw error }
      }
      try DurableFile.makeFolder(locks)
    }
  }

  /// Removes the locks, once every table is there.
  func removeLocks() throws {
    for name in try DurableFile.names(in: locks) { try DurableFile.remove("\(locks)/\(name)") }
    try Self.removeFolder(locks)
  }

  /// Removes the tables, the locks and the folder, once the tables are one.
  func remove() throws {
    for name in try DurableFile.names(in: path) where name != Self.marker {
      try DurableFile.remove("\(path)/\(name)")
    }
    try removeLocks()
    try Self.removeFolder(path)
  }

  private static func removeFolder(_ path: String) throws(FileError) {
    do throws(FileError) { try DurableFile.removeFolder(path) } catch {
      // Another process has just looked whether there is work; it removes the folder in its turn.
      guard error.errorNumber == ENOTEMPTY else { throw error }
    }
  }

  /// By the shards' names; with their numbers in front where two have one name.
  static func names(of shards: [String]) -> [String] {
    let stems = shards.map { path in
      let name = ShardIdentity.name(path)
      let ending = [".tar.lz4", ".tar.gz", ".tar.zst", ".tar", ".tgz"].first { name.hasSuffix($0) }
      return String(name.dropLast(ending?.count ?? 0))
    }
    guard Set(stems).count < stems.count else { return stems }
    return stems.enumerated().map { "\(RunFolder.digits($0.offset))-\($0.element)" }
  }
}
