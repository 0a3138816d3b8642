internal import GRDB

/// A job to be entered as it once stood, from what its files tell of it.
public struct RestoredJob: Sendable, Equatable {
  public var job: NewJob
  /// Attempts that were made; later ones have higher numbers.
  public var attempt: Int
  /// What it counted, as JSON text, which makes it completed; nil for one that is yet to be done.
  public var counts: String?
  /// Whether it is given up, and with it what needs it; never for a completed one.
  public var isGivenUp: Bool

  public init(
    _ job: NewJob, attempt: Int = 0, counts: String? = nil, isGivenUp: Bool = false
  ) {
    precondition(attempt >= 0, "\(job.name) cannot have had \(attempt) attempts")
    precondition(counts == nil || !isGivenUp, "\(job.name) cannot be completed and given up")
    self.job = job
    self.attempt = attempt
    self.counts = counts
    self.isGivenUp = isGivenUp
  }
}

/// A ledger made again, or made for work that was done elsewhere.
extension SQLiteLedger {
  /// Enters jobs as they stood, with the run's configuration and notes, all in one transaction.
  ///
  /// A completed job has no history here. One that is yet to be done waits for its dependencies, or
  /// is available. The configuration takes the place of the one that the ledger is bound to; a note
  /// that it has and that is not named stays.
  ///
  /// - Parameters:
  ///   - jobs: Each after what it depends on.
  ///   - configuration: What the ledger is bound to from now on.
  ///   - notes: By key, as for `setNote`.
  ///   - now: Milliseconds since 1970, when the completed jobs count as settled.
  /// - Throws: ``LedgerError/database(path:message:)``, and nothing is changed, for a ledger that has
  ///   jobs; ``LedgerError/unknownDependency(job:needs:)``.
  public func restore(
    _ jobs: [RestoredJob], configuration: [(key: String, value: String)],
    notes: [(key: String, value: String)], now: Int
  ) throws(LedgerError) {
    try transaction { database in
      if try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM jobs)") == true {
        throw LedgerError.database(
          path: path,
          message: "it has jobs already, and another run's cannot be entered beside them.")
      }
      try database.execute(sql: "DELETE FROM meta WHERE key LIKE 'config.%'")
      for (key, value) in configuration {
        try database.execute(
          sql: "INSERT INTO meta(key, value) VALUES (?, ?)", arguments: ["config." + key, value])
      }
      for (key, value) in notes { try Self.setNote(key, value, in: database) }
      for restored in jobs {
        try Self.insert([restored.job], into: database, now: now)
        let name = restored.job.name
        if restored.isGivenUp {
          let id = try Int64.fetchOne(
            database, sql: "SELECT id FROM jobs WHERE stage = ? AND chunk = ?",
            arguments: [name.stage, name.chunk])
          if let id { try Self.quarantine(id, in: database, now: now) }
        }
        if let counts = restored.counts {
          try database.execute(
            sql: """
              UPDATE jobs SET state = 'completed', waiting_for = 0, attempt = ?, counts = ?,
                settled_at = ?
              WHERE stage = ? AND chunk = ?
              """,
            arguments: [max(1, restored.attempt), counts, now, name.stage, name.chunk])
        } else if restored.attempt > 0 {
          try database.execute(
            sql: "UPDATE jobs SET attempt = ? WHERE stage = ? AND chunk = ?",
            arguments: [restored.attempt, name.stage, name.chunk])
        }
      }
    }
  }

  /// What the ledger is bound to and all its notes, each sorted by key.
  public func everything() throws(LedgerError) -> (
    configuration: [(key: String, value: String)], notes: [(key: String, value: String)]
  ) {
    try read { database in
      func pairs(_ kind: String) throws -> [(key: String, value: String)] {
        try Row.fetchAll(
          database, sql: "SELECT key, value FROM meta WHERE key LIKE ? ORDER BY key",
          arguments: [kind + ".%"]
        ).map { (String(($0["key"] as String).dropFirst(kind.count + 1)), $0["value"]) }
      }
      return (try pairs("config"), try pairs("note"))
    }
  }

  /// How often the configuration or a note has been changed; the later of two states has more.
  public func revision() throws(LedgerError) -> Int {
    try read { database in
      let text = try String.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'revision'")
      return text.flatMap { Int($0) } ?? 0
    }
  }
}
