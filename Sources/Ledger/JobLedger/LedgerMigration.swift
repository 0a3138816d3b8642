internal import GRDB

/// Brings a ledger file to the present schema when it is opened.
enum LedgerMigration {
  /// Makes the tables in a new file and migrates those of an older one; one transaction each.
  ///
  /// - Throws: ``LedgerError/newerSchema(path:found:known:)``, and ``LedgerError/damaged(path:message:)``
  ///   for a file of SQLite that is no ledger.
  static func prepare(_ database: Database, path: String) throws {
    let found = try version(of: database)
    // The usual case takes no lock, so a status is never held up by the run that it looks at.
    if found == LedgerSchema.version { return try requireJobs(database, path: path) }
    guard found < LedgerSchema.version else {
      throw LedgerError.newerSchema(path: path, found: found, known: LedgerSchema.version)
    }
    // Tables are replaced under the names that others refer to; the pragma does nothing in a transaction.
    try database.execute(sql: "PRAGMA foreign_keys = OFF")
    try database.inTransaction(.immediate) {
      // Another process may have been first.
      switch try version(of: database) {
      case LedgerSchema.version: return .commit
      case 1: try migrateFrom1(database)
      case 0:
        guard try tables(of: database).isEmpty else {
          throw LedgerError.damaged(
            path: path, message: "it is a database of SQLite, but no ledger of Pairloom")
        }
        try database.execute(sql: LedgerSchema.statements)
      case let other:
        throw LedgerError.damaged(path: path, message: "it says that its format is \(other).")
      }
      try database.checkForeignKeys()
      return .commit
    }
    try database.execute(sql: "PRAGMA foreign_keys = ON")
  }

  private static func version(of database: Database) throws -> Int {
    try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
  }

  private static func tables(of database: Database) throws -> Set<String> {
    try String.fetchSet(database, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
  }

  private static func requireJobs(_ database: Database, path: String) throws {
    let missing = Set(["jobs", "attempts", "job_dependencies", "job_tally", "meta", "sessions"])
      .subtracting(try tables(of: database))
    guard missing.isEmpty else {
      throw LedgerError.damaged(
        path: path, message: "it lacks \(missing.sorted().joined(separator: ", ")).")
    }
  }

  /// Schema 1 had one index for all claims, no tallies, no duration of a lease, no host of a session.
  ///
  /// Leases are kept with the duration that every worker gave them then. What was a session counts as
  /// worked and as ended: a program of then that still runs is refused by the new constraints.
  private static func migrateFrom1(_ database: Database) throws {
    let names = ["meta", "jobs", "job_dependencies", "attempts", "sessions"]
    try database.execute(sql: "DROP INDEX jobs_claimable; DROP INDEX jobs_leased")
    for name in names { try database.execute(sql: "ALTER TABLE \(name) RENAME TO old_\(name)") }
    try database.execute(sql: LedgerSchema.statements)
    try database.execute(
      sql: """
        INSERT INTO meta SELECT key, value FROM old_meta;
        INSERT INTO jobs(id, stage, chunk, rank, state, attempt, failures, waiting_for, not_before,
            lease_expires, lease_duration, owner_host, owner_pid, owner_start, owner_worker,
            counts, settled_at)
          SELECT id, stage, chunk, rank, state, attempt, failures, waiting_for, not_before,
            lease_expires, CASE state WHEN 'leased' THEN 60000 END, owner_host, owner_pid,
            owner_start, owner_worker, counts, settled_at
          FROM old_jobs ORDER BY id;
        INSERT INTO job_dependencies SELECT job, needs, kind FROM old_job_dependencies;
        INSERT INTO attempts
          SELECT job, attempt, host, pid, worker, started_at, ended_at, outcome, error
          FROM old_attempts;
        INSERT INTO sessions(id, host, pid, started_at, seen_at, ended_at)
          SELECT id, 'of schema 1', 1, started_at, seen_at, seen_at FROM old_sessions;
        """)
    // Whoever refers to another goes first.
    for name in names.reversed() { try database.execute(sql: "DROP TABLE old_\(name)") }
  }
}
