import DurableFiles

/// Where an audited scoring grows, beside its output; it goes when the output is whole.
///
/// `int8/` has the tables of bytes, `round-N/` the exact scores of each round of the audit, `final/` the tables
/// that one is made of.
struct AuditFolder: Sendable {
  private static let marker = ".pairloom-audit"

  let path: String
  private let shards: [String]
  private let presence: WorkPresence

  /// - Parameters:
  ///   - path: Made where it is not there.
  ///   - shards: In order.
  /// - Throws: ``ShardScoringError/foreignFolder(_:)``, `FileError`.
  init(_ path: String, shards: [String]) async throws {
    self.path = path
    self.shards = shards
    while true {
      if DurableFile.exists(path) {
        let there = try DurableFile.names(in: path)
        guard there.isEmpty || there.contains(Self.marker) else {
          throw ShardScoringError.foreignFolder(path)
        }
      }
      try DurableFile.makeFolder(path)
      if let presence = try WorkPresence("\(path)/\(Self.marker)") {
        self.presence = presence
        return
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  var int8: String { "\(path)/int8" }

  func int8Tables() throws -> ScoringFolder {
    try ScoringFolder(int8, shards: shards, isOwn: false)
  }

  /// The exact scores of a round.
  func round(_ number: Int) throws -> ScoringFolder {
    try ScoringFolder("\(path)/round-\(number)", shards: shards, isOwn: false)
  }

  /// The claims on final tables, and those tables where one is made of them.
  func finals() throws -> ScoringFolder {
    try ScoringFolder("\(path)/final", shards: shards, isOwn: false)
  }

  /// Clears the folder unless another process is at work in it, which then does.
  func removeIfAlone() throws {
    guard presence.becomeAlone() else { return }
    for name in try DurableFile.names(in: path) where name != Self.marker {
      try Self.removeTree("\(path)/\(name)")
    }
    // Last: without it the folder would be nobody's.
    try DurableFile.remove("\(path)/\(Self.marker)")
    try DurableFile.removeFolder(path)
  }

  private static func removeTree(_ path: String) throws {
    guard DurableFile.isFolder(path) else { return try DurableFile.remove(path) }
    for name in try DurableFile.names(in: path) { try removeTree("\(path)/\(name)") }
    try DurableFile.removeFolder(path)
  }
}
