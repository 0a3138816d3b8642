internal import GRDB

/// The life of a lease: claim, renew, and one of complete, fail, release or rescue.
extension SQLiteLedger {
  /// Takes the claimable job of the highest rank, then the lowest chunk, among `stages`.
  ///
  /// - Parameters:
  ///   - stages: What the caller can run.
  ///   - owner: Recorded with the lease, so that a dead owner's lease can be told.
  ///   - duration: Milliseconds that the lease lasts unless it is renewed.
  ///   - now: Milliseconds since 1970.
  /// - Returns: nil when nothing can be claimed now.
  /// - Throws: ``LedgerError/database(path:message:)``.
  public func claim(stages: [String], owner: LeaseOwner, duration: Int, now: Int)
    throws(LedgerError) -> Lease?
  {
    try transaction { database in
      let places = stages.map { _ in "?" }.joined(separator: ", ")
      // The partial index jobs_claimable gives the order; a row's stage is checked as it is met.
      let sql = """
        UPDATE jobs SET state = 'leased', attempt = attempt + 1, not_before = NULL,
          lease_expires = ?, owner_host = ?, owner_pid = ?, owner_start = ?, owner_worker = ?
        WHERE id = (SELECT id FROM jobs
          WHERE state IN ('available', 'retryable') AND (not_before IS NULL OR not_before <= ?)
            AND stage IN (\(places))
          ORDER BY rank DESC, chunk LIMIT 1)
        RETURNING id, stage, chunk, attempt, failures
        """
      let arguments: StatementArguments =
        [
          now + duration, owner.host, owner.processID, owner.processStart, owner.worker, now,
        ] + StatementArguments(stages)
      guard let row = try Row.fetchOne(database, sql: sql, arguments: arguments) else { return nil }
      let lease = Lease(
        id: row["id"], name: JobName(stage: row["stage"], chunk: row["chunk"]),
        attempt: row["attempt"], failures: row["failures"], expires: now + duration)
      try database.execute(
        sql: """
          INSERT INTO attempts(job, attempt, host, pid, worker, started_at, outcome)
          VALUES (?, ?, ?, ?, ?, ?, 'running')
          """,
        arguments: [lease.id, lease.attempt, owner.host, owner.processID, owner.worker, now])
      return lease
    }
  }

  /// Puts the end of a lease off: the heartbeat.
  ///
  /// - Throws: ``LedgerError/leaseLost(_:attempt:)`` when the job is in other hands.
  public func renew(_ lease: Lease, duration: Int, now: Int) throws(LedgerError) -> Lease {
    try transaction { database in
      try database.execute(
        sql: """
          UPDATE jobs SET lease_expires = ? WHERE id = ? AND attempt = ? AND state = 'leased'
          """,
        arguments: [now + duration, lease.id, lease.attempt])
      guard database.changesCount == 1 else { throw Self.lost(lease) }
      var renewed = lease
      renewed.expires = now + duration
      return renewed
    }
  }

  /// Settles a job whose outputs are durable, and frees what waited for it.
  ///
  /// One transaction: the fence is checked, the counts are kept, `newJobs` are entered, and every
  /// dependent's counter goes down; those at zero become available.
  ///
  /// - Parameters:
  ///   - lease: The attempt that did the work.
  ///   - counts: JSON text of what was kept and dropped.
  ///   - newJobs: Jobs that became known by this one.
  ///   - now: Milliseconds since 1970.
  /// - Throws: ``LedgerError/leaseLost(_:attempt:)`` when the job is in other hands.
  public func complete(_ lease: Lease, counts: String, newJobs: [NewJob], now: Int)
    throws(LedgerError)
  {
    try transaction { database in
      try database.execute(
        sql: """
          UPDATE jobs SET state = 'completed', counts = ?, settled_at = ?, lease_expires = NULL,
            owner_host = NULL, owner_pid = NULL, owner_start = NULL, owner_worker = NULL
          WHERE id = ? AND attempt = ? AND state = 'leased'
          """,
        arguments: [counts, now, lease.id, lease.attempt])
      guard database.changesCount == 1 else { throw Self.lost(lease) }
      try Self.end(lease, .completed, error: nil, in: database, now: now)
      try Self.insert(newJobs, into: database, now: now)
      try Self.unblock(dependentsOf: Int64(lease.id), in: database)
    }
  }

  /// Records a failed attempt: the job is tried again after a pause, or quarantined.
  ///
  /// - Parameters:
  ///   - lease: The attempt.
  ///   - error: What went wrong, for a person.
  ///   - isFinal: Another attempt would fail alike, so there is none.
  ///   - now: Milliseconds since 1970.
  /// - Returns: The state of the job after it.
  /// - Throws: ``LedgerError/leaseLost(_:attempt:)`` when the job is in other hands.
  @discardableResult
  public func fail(
    _ lease: Lease, error: String, isFinal: Bool, now: Int
  ) throws(LedgerError) -> JobState {
    let failures = lease.failures + 1
    let isLast = isFinal || failures >= retry.maxFailures
    let notBefore = now + retry.pause(afterFailure: failures)
    return try transaction { database in
      try database.execute(
        sql: """
          UPDATE jobs SET state = 'retryable', failures = ?, not_before = ?, lease_expires = NULL,
            owner_host = NULL, owner_pid = NULL, owner_start = NULL, owner_worker = NULL
          WHERE id = ? AND attempt = ? AND state = 'leased'
          """,
        arguments: [failures, notBefore, lease.id, lease.attempt])
      guard database.changesCount == 1 else { throw Self.lost(lease) }
      try Self.end(lease, .failed, error: error, in: database, now: now)
      if isLast { try Self.quarantine(Int64(lease.id), in: database, now: now) }
      return isLast ? .quarantined : .retryable
    }
  }

  /// Hands a lease back unused: the job is available at once and no failure is counted.
  public func release(_ lease: Lease, now: Int) throws(LedgerError) {
    try transaction { database in
      guard try Self.free(lease, as: .released, in: database, now: now) else {
        throw Self.lost(lease)
      }
    }
  }

  /// Frees jobs whose lease has expired, and those whose owner is known to be dead.
  ///
  /// A lost lease is no failure of the chunk: the process was killed or stalled.
  ///
  /// - Parameters:
  ///   - now: Milliseconds since 1970.
  ///   - isAlive: Whether an owner still runs; nil where that cannot be known, as on another host.
  /// - Returns: The jobs that were freed.
  /// - Throws: ``LedgerError/database(path:message:)``.
  @discardableResult
  public func rescue(
    now: Int, isAlive: @Sendable (LeaseOwner) -> Bool?
  ) throws(LedgerError) -> [JobName] {
    try transaction { database in
      var freed: [JobName] = []
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT id, stage, chunk, attempt, failures, lease_expires, owner_host, owner_pid,
            owner_start, owner_worker
          FROM jobs WHERE state = 'leased' ORDER BY id
          """)
      for row in rows {
        let owner = LeaseOwner(
          host: row["owner_host"], processID: row["owner_pid"], processStart: row["owner_start"],
          worker: row["owner_worker"])
        let lease = Lease(
          id: row["id"], name: JobName(stage: row["stage"], chunk: row["chunk"]),
          attempt: row["attempt"], failures: row["failures"], expires: row["lease_expires"])
        let isDead = isAlive(owner) == false
        guard isDead || lease.expires <= now else { continue }
        if try Self.free(lease, as: isDead ? .ownerDied : .expired, in: database, now: now) {
          freed.append(lease.name)
        }
      }
      return freed
    }
  }

  private static func lost(_ lease: Lease) -> LedgerError {
    .leaseLost(lease.name, attempt: lease.attempt)
  }

  private static func free(
    _ lease: Lease, as outcome: JobAttempt.Outcome, in database: Database, now: Int
  ) throws -> Bool {
    try database.execute(
      sql: """
        UPDATE jobs SET state = 'available', lease_expires = NULL,
          owner_host = NULL, owner_pid = NULL, owner_start = NULL, owner_worker = NULL
        WHERE id = ? AND attempt = ? AND state = 'leased'
        """,
      arguments: [lease.id, lease.attempt])
    guard database.changesCount == 1 else { return false }
    try end(lease, outcome, error: nil, in: database, now: now)
    return true
  }

  private static func end(
    _ lease: Lease, _ outcome: JobAttempt.Outcome, error: String?, in database: Database, now: Int
  ) throws {
    try database.execute(
      sql: """
        UPDATE attempts SET outcome = ?, error = ?, ended_at = ? WHERE job = ? AND attempt = ?
        """,
      arguments: [outcome.rawValue, error, now, lease.id, lease.attempt])
  }

  /// Lowers the counters of what waits for a settled job; those at zero become available.
  static func unblock(dependentsOf id: Int64, in database: Database) throws {
    try database.execute(
      sql: """
        UPDATE jobs SET waiting_for = waiting_for - 1,
          state = CASE waiting_for WHEN 1 THEN 'available' ELSE 'waiting' END
        WHERE state = 'waiting' AND id IN (SELECT job FROM job_dependencies WHERE needs = ?)
        """,
      arguments: [id])
  }

  /// Quarantines a job and, in turn, every job that needs its outputs.
  static func quarantine(_ id: Int64, in database: Database, now: Int) throws {
    var open = [id]
    while let id = open.popLast() {
      try database.execute(
        sql: """
          UPDATE jobs SET state = 'quarantined', not_before = NULL, waiting_for = 0, settled_at = ?
          WHERE id = ? AND state IN ('waiting', 'available', 'retryable')
          """,
        arguments: [now, id])
      guard database.changesCount == 1 else { continue }
      try unblock(dependentsOf: id, in: database)
      open += try Int64.fetchAll(
        database, sql: "SELECT job FROM job_dependencies WHERE needs = ? AND kind = 'needs'",
        arguments: [id])
    }
  }
}
