internal import GRDB

/// Work that is added to a ledger whose work is done, such as a retry.
extension SQLiteLedger {
  /// The highest chunk that a stage has a job for; nil when it has none.
  public func lastChunk(stage: String) throws(LedgerError) -> Int? {
    try read { database in
      try Int.fetchOne(
        database, sql: "SELECT MAX(chunk) FROM jobs WHERE stage = ?", arguments: [stage])
    }
  }

  /// Enters jobs together with a note, unless there is work left or one of them is known.
  ///
  /// One transaction, so of two processes that try, one succeeds.
  ///
  /// - Parameters:
  ///   - jobs: None of which may be there yet.
  ///   - note: Kept under its key, for whoever runs the jobs.
  ///   - now: Milliseconds since 1970.
  /// - Returns: Whether they were entered.
  /// - Throws: ``LedgerError/database(path:message:)``.
  public func addWhenIdle(_ jobs: [NewJob], note: (key: String, value: String), now: Int)
    async throws(LedgerError) -> Bool
  {
    try await change { database in
      if try Self.unsettledCount(stages: nil, in: database) > 0 { return false }
      for job in jobs {
        let isKnown = try Bool.fetchOne(
          database, sql: "SELECT EXISTS (SELECT 1 FROM jobs WHERE stage = ? AND chunk = ?)",
          arguments: [job.name.stage, job.name.chunk])
        if isKnown == true { return false }
      }
      try Self.setNote(note.key, note.value, in: database)
      try Self.insert(jobs, into: database, now: now)
      return true
    }
  }

  static func setNote(_ key: String, _ value: String, in database: Database) throws {
    try database.execute(
      sql: """
        INSERT INTO meta(key, value) VALUES (?, ?)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value
        """, arguments: ["note." + key, value])
  }
}
