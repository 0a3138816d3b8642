internal import GRDB

/// What the ledger knows, for progress and for stages that look at the whole run.
///
/// Reports read one state of the ledger and hold nobody up. Counts and sums come from the tallies that
/// triggers keep, so they cost the same on a million jobs as on ten.
extension SQLiteLedger {
  /// Jobs by stage and state; states that no job is in are left out.
  public func tally() throws(LedgerError) -> [String: [JobState: Int]] {
    try read { database in
      var tally: [String: [JobState: Int]] = [:]
      let rows = try Row.fetchAll(
        database, sql: "SELECT stage, state, jobs FROM job_tally WHERE jobs > 0")
      for row in rows {
        let stage: String = try row.decode(atIndex: 0)
        tally[stage, default: [:]][try row.state(atIndex: 1)] = try row.decode(atIndex: 2)
      }
      return tally
    }
  }

  /// Jobs of these stages that have not settled.
  public func unsettledCount(stages: [String]?) throws(LedgerError) -> Int {
    try read { try Self.unsettledCount(stages: stages, in: $0) }
  }

  static func unsettledCount(stages: [String]?, in database: Database) throws -> Int {
    let places = (stages ?? []).map { _ in "?" }.joined(separator: ", ")
    let statement = try database.cachedStatement(
      sql: "SELECT SUM(jobs) FROM job_tally WHERE state NOT IN ('completed', 'quarantined')"
        + (stages == nil ? "" : " AND stage IN (\(places))"))
    return try Int.fetchOne(statement, arguments: StatementArguments(stages ?? [])) ?? 0
  }

  /// The sums of every integer in the counts of completed jobs, by stage and JSON path (`$.kept`).
  public func totals() throws(LedgerError) -> [String: [String: Int]] {
    try read { database in
      var totals: [String: [String: Int]] = [:]
      let rows = try Row.fetchAll(
        database, sql: "SELECT stage, path, total FROM job_totals WHERE terms > 0")
      for row in rows {
        let stage: String = try row.decode(atIndex: 0)
        totals[stage, default: [:]][try row.decode(atIndex: 1)] = try row.decode(atIndex: 2)
      }
      return totals
    }
  }

  /// The counts of the completed jobs of a stage, as the JSON text given at completion, by chunk.
  public func counts(stage: String) throws(LedgerError) -> [(chunk: Int, counts: String)] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT chunk, counts FROM jobs WHERE stage = ? AND state = 'completed' ORDER BY chunk
          """, arguments: [stage]
      ).map { (try $0.decode(atIndex: 0), try $0.decode(atIndex: 1)) }
    }
  }

  /// The counts of one completed job; nil when it has not completed.
  public func counts(of name: JobName) throws(LedgerError) -> String? {
    try read { database in
      try String.fetchOne(
        database,
        sql: "SELECT counts FROM jobs WHERE stage = ? AND chunk = ? AND state = 'completed'",
        arguments: [name.stage, name.chunk])
    }
  }

  /// The chunks of these stages whose jobs have settled.
  public func settledChunks(stages: [String]) throws(LedgerError) -> [String: Set<Int>] {
    try read { database in
      var chunks: [String: Set<Int>] = [:]
      for stage in stages {
        chunks[stage] = try Int.fetchSet(
          database,
          sql: "SELECT chunk FROM jobs WHERE stage = ? AND state IN ('completed', 'quarantined')",
          arguments: [stage])
      }
      return chunks
    }
  }

  /// The state of one job, nil when it was never entered.
  public func state(of name: JobName) throws(LedgerError) -> JobState? {
    try read { database in
      try Row.fetchOne(
        database, sql: "SELECT state FROM jobs WHERE stage = ? AND chunk = ?",
        arguments: [name.stage, name.chunk]
      )?.state(atIndex: 0)
    }
  }

  /// Every attempt at a job, oldest first; at all jobs when `name` is nil.
  public func history(of name: JobName?) throws(LedgerError) -> [JobAttempt] {
    try read { try history(of: name, in: $0) }
  }

  func history(of name: JobName?, in database: Database) throws -> [JobAttempt] {
    try Row.fetchAll(
      database,
      sql: "SELECT stage, chunk, attempts.* FROM attempts JOIN jobs ON jobs.id = job"
        + (name == nil ? "" : " WHERE stage = ? AND chunk = ?")
        + " ORDER BY job, attempts.attempt",
      arguments: name.map { [$0.stage, $0.chunk] } ?? []
    ).map { row in
      let text: String = try row.decode(forColumn: "outcome")
      guard let outcome = JobAttempt.Outcome(rawValue: text) else {
        throw LedgerError.damaged(path: path, message: "an attempt's outcome is \"\(text)\"")
      }
      return JobAttempt(
        name: JobName(
          stage: try row.decode(forColumn: "stage"), chunk: try row.decode(forColumn: "chunk")),
        attempt: try row.decode(forColumn: "attempt"), host: try row.decode(forColumn: "host"),
        pid: try row.decode(forColumn: "pid"), worker: try row.decode(forColumn: "worker"),
        startedAt: try row.decode(forColumn: "started_at"),
        endedAt: try row.decode(forColumn: "ended_at"), outcome: outcome,
        error: try row.decode(forColumn: "error"))
    }
  }

  /// The chunks whose job of a stage was given up.
  public func givenUpChunks(stage: String) throws(LedgerError) -> Set<Int> {
    try read { database in
      try Int.fetchSet(
        database, sql: "SELECT chunk FROM jobs WHERE state = 'quarantined' AND stage = ?",
        arguments: [stage])
    }
  }

  /// The quarantined jobs, each with the last error that it met; nil for one that only needed another.
  public func quarantined() throws(LedgerError) -> [(name: JobName, error: String?)] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT stage, chunk, (SELECT error FROM attempts WHERE job = jobs.id AND outcome = 'failed'
            ORDER BY attempts.attempt DESC LIMIT 1)
          FROM jobs WHERE state = 'quarantined' ORDER BY chunk, rank
          """
      ).map {
        (
          JobName(stage: try $0.decode(atIndex: 0), chunk: try $0.decode(atIndex: 1)),
          try $0.decode(atIndex: 2)
        )
      }
    }
  }

  /// A note of the run, such as the name of its scorer.
  public func note(_ key: String) throws(LedgerError) -> String? {
    try read { database in
      try String.fetchOne(
        database, sql: "SELECT value FROM meta WHERE key = ?", arguments: ["note." + key])
    }
  }

  public func setNote(_ key: String, _ value: String) async throws(LedgerError) {
    try await change { try Self.setNote(key, value, in: $0) }
  }
}
