internal import GRDB

/// What goes on in a ledger now.
public struct LedgerProgress: Sendable, Equatable {
  /// What a stage has completed of late.
  public struct Pace: Sendable, Equatable {
    public var jobs = 0
    /// The sum of `input` in the jobs' counts.
    public var input = 0
  }
  /// A job that is being worked on.
  public struct Leased: Sendable, Equatable {
    public var name: JobName
    public var attempt: Int
    public var host: String
    public var processID: Int
    public var worker: String
    /// Milliseconds since 1970.
    public var startedAt: Int
    public var expires: Int
    /// The process that holds it is known to be dead.
    public var isAbandoned: Bool
  }

  /// By stage, of jobs that completed after ``since``.
  public var recent: [String: Pace] = [:]
  /// Milliseconds since 1970 from which ``recent`` counts; nil while no process works.
  public var since: Int?
  /// The longest in work first.
  public var leased: [Leased] = []
  /// When the first of a stage's failed jobs may be tried again.
  public var nextRetry: [String: Int] = [:]

  /// Nothing goes on.
  public init() {}
}

/// Progress, at a cost that does not grow with the ledger.
extension SQLiteLedger {
  /// Completed jobs after which no older one is looked at.
  private static let mostRecent = 2_000
  /// A session that was not seen for so many milliseconds has ended: it is marked every second.
  private static let silence = 10_000

  /// What goes on, and what was completed of late by the processes that work.
  ///
  /// - Parameters:
  ///   - since: How far back the pace is taken, in milliseconds since 1970.
  ///   - now: Milliseconds since 1970.
  /// - Returns: By the index over times of settling, at most 2,000 jobs are looked at.
  /// - Throws: ``LedgerError/database(path:message:)``.
  public func progress(since: Int, now: Int) throws(LedgerError) -> LedgerProgress {
    try read { database in
      var progress = LedgerProgress()
      let begun = try Int.fetchOne(
        database,
        sql: "SELECT MIN(started_at) FROM sessions WHERE seen_at > ? AND ended_at IS NULL",
        arguments: [now - Self.silence])
      if let begun { try Self.addPace(since: max(since, begun), to: &progress, database) }
      progress.leased = try Row.fetchAll(
        database,
        sql: """
          SELECT stage, chunk, jobs.attempt, owner_host, owner_pid, owner_start, owner_worker,
            lease_expires, started_at
          FROM jobs JOIN attempts ON job = jobs.id AND attempts.attempt = jobs.attempt
          WHERE state = 'leased' ORDER BY started_at, jobs.id
          """
      ).map { row in
        let owner = LeaseOwner(
          host: row["owner_host"], processID: row["owner_pid"], processStart: row["owner_start"],
          worker: row["owner_worker"])
        return LedgerProgress.Leased(
          name: JobName(stage: row["stage"], chunk: row["chunk"]), attempt: row["attempt"],
          host: row["owner_host"], processID: row["owner_pid"], worker: row["owner_worker"],
          startedAt: row["started_at"], expires: row["lease_expires"],
          isAbandoned: ProcessIdentity.isAlive(owner) == false)
      }
      // The plus keeps SQLite from reading all jobs in the order of their stages.
      let retries = try Row.fetchAll(
        database,
        sql: """
          SELECT stage, MIN(not_before) AS first FROM jobs
          WHERE state = 'retryable' GROUP BY +stage
          """)
      for row in retries { progress.nextRetry[row["stage"]] = row["first"] }
      return progress
    }
  }

  private static func addPace(since: Int, to progress: inout LedgerProgress, _ database: Database)
    throws
  {
    progress.since = since
    let rows = try Row.fetchAll(
      database,
      sql: """
        SELECT stage, settled_at, json_extract(counts, '$.input') AS input FROM jobs
        WHERE settled_at > ? AND state = 'completed' ORDER BY settled_at DESC LIMIT ?
        """, arguments: [since, mostRecent])
    for row in rows {
      progress.recent[row["stage"], default: .init()].jobs += 1
      progress.recent[row["stage"], default: .init()].input += row["input"] ?? 0
    }
    if rows.count == mostRecent, let oldest = rows.last { progress.since = oldest["settled_at"] }
  }

  /// The chunks of a stage whose jobs are completed.
  public func completedChunks(stage: String) throws(LedgerError) -> Set<Int> {
    try read { database in
      try Int.fetchSet(
        database, sql: "SELECT chunk FROM jobs WHERE stage = ? AND state = 'completed'",
        arguments: [stage])
    }
  }
}

extension SQLiteLedger {
  /// Moves what stands in the ledger's log into the file, and empties the log where nobody reads it.
  ///
  /// Nothing is lost where it cannot: the log is read with the file.
  public func checkpoint() throws(LedgerError) {
    do {
      try database.writeWithoutTransaction { database in
        _ = try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
      }
    } catch {
      throw .wrapping(error, path: path)
    }
  }
}
