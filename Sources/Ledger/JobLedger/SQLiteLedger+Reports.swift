internal import GRDB

/// What the ledger knows, for progress and for stages that look at the whole run.
extension SQLiteLedger {
  /// Jobs by stage and state.
  public func tally() throws(LedgerError) -> [String: [JobState: Int]] {
    try transaction { database in
      var tally: [String: [JobState: Int]] = [:]
      let rows = try Row.fetchAll(
        database, sql: "SELECT stage, state, COUNT(*) AS n FROM jobs GROUP BY stage, state")
      for row in rows {
        guard let state = JobState(rawValue: row["state"]) else { continue }
        tally[row["stage"], default: [:]][state] = row["n"]
      }
      return tally
    }
  }

  /// Jobs of these stages that have not settled.
  public func unsettledCount(stages: [String]?) throws(LedgerError) -> Int {
    try transaction { database in
      let places = (stages ?? []).map { _ in "?" }.joined(separator: ", ")
      return try Int.fetchOne(
        database,
        sql: "SELECT COUNT(*) FROM jobs WHERE state NOT IN ('completed', 'quarantined')"
          + (stages == nil ? "" : " AND stage IN (\(places))"),
        arguments: StatementArguments(stages ?? [])) ?? 0
    }
  }

  /// The sums of every integer in the counts of completed jobs, by stage and JSON path (`$.kept`).
  public func totals() throws(LedgerError) -> [String: [String: Int]] {
    try transaction { database in
      var totals: [String: [String: Int]] = [:]
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT stage, fullkey, SUM(atom) AS total FROM jobs, json_tree(counts)
          WHERE state = 'completed' AND type = 'integer' GROUP BY stage, fullkey
          """)
      for row in rows {
        // SQLite quotes a key that is not all letters and digits: $.dropped."bad_url".
        let path = (row["fullkey"] as String).filter { $0 != "\"" }
        totals[row["stage"], default: [:]][path] = row["total"]
      }
      return totals
    }
  }

  /// The counts of the completed jobs of a stage, as the JSON text given at completion, by chunk.
  public func counts(stage: String) throws(LedgerError) -> [(chunk: Int, counts: String)] {
    try transaction { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT chunk, counts FROM jobs WHERE stage = ? AND state = 'completed' ORDER BY chunk
          """, arguments: [stage]
      ).map { ($0["chunk"], $0["counts"]) }
    }
  }

  /// The counts of one completed job; nil when it has not completed.
  public func counts(of name: JobName) throws(LedgerError) -> String? {
    try transaction { database in
      try String.fetchOne(
        database,
        sql: "SELECT counts FROM jobs WHERE stage = ? AND chunk = ? AND state = 'completed'",
        arguments: [name.stage, name.chunk])
    }
  }

  /// The chunks of these stages whose jobs have settled.
  public func settledChunks(stages: [String]) throws(LedgerError) -> [String: Set<Int>] {
    try transaction { database in
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
    try transaction { database in
      try String.fetchOne(
        database, sql: "SELECT state FROM jobs WHERE stage = ? AND chunk = ?",
        arguments: [name.stage, name.chunk]
      ).flatMap(JobState.init(rawValue:))
    }
  }

  /// Every attempt at a job, oldest first; at all jobs when `name` is nil.
  public func history(of name: JobName?) throws(LedgerError) -> [JobAttempt] {
    try transaction { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT stage, chunk, attempts.* FROM attempts JOIN jobs ON jobs.id = job
          WHERE ?1 IS NULL OR (stage = ?1 AND chunk = ?2) ORDER BY job, attempts.attempt
          """, arguments: [name?.stage, name?.chunk]
      ).compactMap { row in
        guard let outcome = JobAttempt.Outcome(rawValue: row["outcome"]) else { return nil }
        return JobAttempt(
          name: JobName(stage: row["stage"], chunk: row["chunk"]), attempt: row["attempt"],
          worker: row["worker"], startedAt: row["started_at"], endedAt: row["ended_at"],
          outcome: outcome, error: row["error"])
      }
    }
  }

  /// The quarantined jobs, each with the last error that it met; nil for one that only needed another.
  public func quarantined() throws(LedgerError) -> [(name: JobName, error: String?)] {
    try transaction { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT stage, chunk, (SELECT error FROM attempts WHERE job = jobs.id AND outcome = 'failed'
            ORDER BY attempts.attempt DESC LIMIT 1) AS error
          FROM jobs WHERE state = 'quarantined' ORDER BY chunk, rank
          """
      ).map { (JobName(stage: $0["stage"], chunk: $0["chunk"]), $0["error"]) }
    }
  }

  /// Begins a session of work and gives its number.
  public func beginSession(now: Int) throws(LedgerError) -> Int {
    try transaction { database in
      try database.execute(
        sql: "INSERT INTO sessions(started_at, seen_at) VALUES (?, ?)", arguments: [now, now])
      return Int(database.lastInsertedRowID)
    }
  }

  /// Records that a session still works.
  public func touchSession(_ id: Int, now: Int) throws(LedgerError) {
    try transaction { database in
      try database.execute(
        sql: "UPDATE sessions SET seen_at = MAX(seen_at, ?) WHERE id = ?", arguments: [now, id])
    }
  }

  /// Milliseconds that sessions have worked, overlaps counted twice.
  public func workedMilliseconds() throws(LedgerError) -> Int {
    try transaction { database in
      try Int.fetchOne(database, sql: "SELECT SUM(seen_at - started_at) FROM sessions") ?? 0
    }
  }

  /// A note of the run, such as the name of its scorer.
  public func note(_ key: String) throws(LedgerError) -> String? {
    try transaction { database in
      try String.fetchOne(
        database, sql: "SELECT value FROM meta WHERE key = ?", arguments: ["note." + key])
    }
  }

  public func setNote(_ key: String, _ value: String) throws(LedgerError) {
    try transaction { try Self.setNote(key, value, in: $0) }
  }
}
