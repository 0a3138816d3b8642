internal import GRDB

/// The life of a lease: claim, renew, and one of complete, fail, release or rescue.
///
/// Each statement names the state that it expects and, of a lease, the attempt: the fence.
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
    async throws(LedgerError) -> Lease?
  {
    precondition(duration > 0, "a lease of \(duration) ms is none")
    if stages.isEmpty { return nil }
    let sql = Self.claim(stageCount: stages.count)
    // A pause that ends later than any pause can was set before the clock was set back: it is over.
    let arguments: StatementArguments =
      [
        now, now + retry.longestPause, now + duration, duration, owner.host, owner.processID,
        owner.processStart, owner.worker,
      ] + StatementArguments(stages)
    return try await change { database in
      let claim = try database.cachedStatement(sql: sql)
      guard let row = try Row.fetchOne(claim, arguments: arguments) else { return nil }
      let lease = Lease(
        id: try row.decode(atIndex: 0),
        name: JobName(stage: try row.decode(atIndex: 1), chunk: try row.decode(atIndex: 2)),
        attempt: try row.decode(atIndex: 3), failures: try row.decode(atIndex: 4),
        expires: now + duration)
      try database.cachedStatement(
        sql: """
          INSERT INTO attempts(job, attempt, host, pid, worker, started_at, outcome)
          VALUES (?, ?, ?, ?, ?, ?, 'running')
          """
      ).execute(arguments: [
        lease.id, lease.attempt, owner.host, owner.processID, owner.worker, now,
      ])
      return lease
    }
  }

  /// The statement that claims among a number of stages, whose names follow eight other arguments.
  ///
  /// The best available job of each stage is the first of its stretch of the index jobs_available, so
  /// that a million jobs of other stages cost nothing; of the retryable jobs only those whose pause is
  /// over are looked at, and they are few, since they go before later chunks. Both indices are named,
  /// since the planner would search all jobs of a stage for its retryable ones.
  private static func claim(stageCount: Int) -> String {
    let stages = (0..<stageCount).map { "?\($0 + 9)" }
    let available = stages.map {
      """
      SELECT * FROM (SELECT id, rank, chunk FROM jobs INDEXED BY jobs_available
        WHERE state = 'available' AND stage = \($0)
        ORDER BY rank DESC, chunk LIMIT 1)
      """
    }
    let retryable = ["not_before <= ?1", "not_before > ?2"].map {
      """
      SELECT * FROM (SELECT id, rank, chunk FROM jobs INDEXED BY jobs_retryable
        WHERE state = 'retryable' AND \($0)
        AND stage IN (\(stages.joined(separator: ", "))) ORDER BY rank DESC, chunk LIMIT 1)
      """
    }
    return """
      UPDATE jobs SET state = 'leased', attempt = attempt + 1, not_before = NULL,
        lease_expires = ?3, lease_duration = ?4, owner_host = ?5, owner_pid = ?6, owner_start = ?7,
        owner_worker = ?8
      WHERE id = (SELECT id FROM (\((available + retryable).joined(separator: "\nUNION ALL\n")))
        ORDER BY rank DESC, chunk LIMIT 1)
      RETURNING id, stage, chunk, attempt, failures
      """
  }

  /// Puts the end of a lease off: the heartbeat.
  ///
  /// - Throws: ``LedgerError/leaseLost(_:attempt:)`` when the job is in other hands.
  public func renew(_ lease: Lease, duration: Int, now: Int) async throws(LedgerError) -> Lease {
    precondition(duration > 0, "a lease of \(duration) ms is none")
    return try await change { database in
      try database.cachedStatement(
        sql: """
          UPDATE jobs SET lease_expires = ?, lease_duration = ?
          WHERE id = ? AND attempt = ? AND state = 'leased'
          """
      ).execute(arguments: [now + duration, duration, lease.id, lease.attempt])
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
    async throws(LedgerError)
  {
    try await change { database in
      try database.cachedStatement(
        sql: """
          UPDATE jobs SET state = 'completed', counts = ?, settled_at = ?, \(Self.noLease)
          WHERE id = ? AND attempt = ? AND state = 'leased'
          """
      ).execute(arguments: [counts, now, lease.id, lease.attempt])
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
  ) async throws(LedgerError) -> JobState {
    let failures = lease.failures + 1
    let isLast = isFinal || failures >= retry.maxFailures
    let notBefore = now + retry.pause(afterFailure: failures)
    return try await change { database in
      try database.cachedStatement(
        sql: """
          UPDATE jobs SET state = 'retryable', failures = ?, not_before = ?, \(Self.noLease)
          WHERE id = ? AND attempt = ? AND state = 'leased'
          """
      ).execute(arguments: [failures, notBefore, lease.id, lease.attempt])
      guard database.changesCount == 1 else { throw Self.lost(lease) }
      try Self.end(lease, .failed, error: error, in: database, now: now)
      if isLast { try Self.quarantine(Int64(lease.id), in: database, now: now) }
      return isLast ? .quarantined : .retryable
    }
  }

  /// Hands a lease back unused: the job is available at once and no failure is counted.
  public func release(_ lease: Lease, now: Int) async throws(LedgerError) {
    try await change { database in
      guard try Self.free(lease, as: .released, in: database, now: now) else {
        throw Self.lost(lease)
      }
    }
  }

  private static func lost(_ lease: Lease) -> LedgerError {
    .leaseLost(lease.name, attempt: lease.attempt)
  }

  /// Makes a leased job available.
  ///
  /// - Returns: Whether the lease still held; with `expiredBy`, whether it also was over then.
  static func free(
    _ lease: Lease, as outcome: JobAttempt.Outcome, expiredBy limit: Int? = nil,
    in database: Database, now: Int
  ) throws -> Bool {
    try database.cachedStatement(
      sql: """
        UPDATE jobs SET state = 'available', \(noLease)
        WHERE id = ?1 AND attempt = ?2 AND state = 'leased' AND (?3 IS NULL OR lease_expires <= ?3)
        """
    ).execute(arguments: [lease.id, lease.attempt, limit])
    guard database.changesCount == 1 else { return false }
    try end(lease, outcome, error: nil, in: database, now: now)
    return true
  }

  private static let noLease = """
    lease_expires = NULL, lease_duration = NULL, owner_host = NULL, owner_pid = NULL,
    owner_start = NULL, owner_worker = NULL
    """

  private static func end(
    _ lease: Lease, _ outcome: JobAttempt.Outcome, error: String?, in database: Database, now: Int
  ) throws {
    try database.cachedStatement(
      sql: """
        UPDATE attempts SET outcome = ?, error = ?, ended_at = ? WHERE job = ? AND attempt = ?
        """
    ).execute(arguments: [outcome.rawValue, error, now, lease.id, lease.attempt])
  }

  /// Lowers the counters of what waits for a settled job; those at zero become available.
  static func unblock(dependentsOf id: Int64, in database: Database) throws {
    try database.cachedStatement(
      sql: """
        UPDATE jobs SET waiting_for = waiting_for - 1,
          state = CASE waiting_for WHEN 1 THEN 'available' ELSE 'waiting' END
        WHERE state = 'waiting' AND id IN (SELECT job FROM job_dependencies WHERE needs = ?)
        """
    ).execute(arguments: [id])
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
      try wait(try handOn(orderOf: id, in: database), in: database)
      open += try Int64.fetchAll(
        database, sql: "SELECT job FROM job_dependencies WHERE needs = ? AND kind = 'needs'",
        arguments: [id])
    }
  }
}
