internal import GRDB

/// Leases that nobody will report on.
extension SQLiteLedger {
  /// Frees jobs whose lease has expired, and those whose owner is known to be dead.
  ///
  /// A lost lease is no failure of the chunk: the process was killed or stalled. A lease that ends
  /// further ahead than it lasts was given before the clock was set back; it lasts once more from now.
  /// Without anything to free nothing is written.
  ///
  /// - Parameters:
  ///   - now: Milliseconds since 1970.
  ///   - isAlive: Whether an owner still runs; nil where that cannot be known, as on another host.
  /// - Returns: The jobs that were freed.
  /// - Throws: ``LedgerError/database(path:message:)``.
  @discardableResult
  public func rescue(
    now: Int, isAlive: @Sendable (LeaseOwner) -> Bool?
  ) async throws(LedgerError) -> [JobName] {
    let leases = try read { try Self.leases(in: $0) }
    var lost: [(lease: Lease, outcome: JobAttempt.Outcome)] = []
    var isClockSetBack = false
    for (lease, owner, duration) in leases {
      if isAlive(owner) == false {
        lost.append((lease, .ownerDied))
      } else if lease.expires <= now {
        lost.append((lease, .expired))
      } else if lease.expires - duration > now {
        isClockSetBack = true
      }
    }
    if lost.isEmpty && !isClockSetBack { return [] }
    let toFree = lost
    return try await change { database in
      try database.execute(
        sql: """
          UPDATE jobs SET lease_expires = ?1 + lease_duration
          WHERE state = 'leased' AND lease_expires - lease_duration > ?1
          """, arguments: [now])
      // A heartbeat may have come since the leases were read: then the lease is not over.
      return try toFree.filter { lease, outcome in
        try Self.free(
          lease, as: outcome, expiredBy: outcome == .expired ? now : nil, in: database, now: now)
      }.map(\.lease.name)
    }
  }

  private static func leases(
    in database: Database
  ) throws -> [(lease: Lease, owner: LeaseOwner, duration: Int)] {
    try Row.fetchAll(
      database,
      sql: """
        SELECT id, stage, chunk, attempt, failures, lease_expires, lease_duration, owner_host,
          owner_pid, owner_start, owner_worker
        FROM jobs WHERE state = 'leased' ORDER BY id
        """
    ).map { row in
      let lease = Lease(
        id: try row.decode(forColumn: "id"),
        name: JobName(
          stage: try row.decode(forColumn: "stage"), chunk: try row.decode(forColumn: "chunk")),
        attempt: try row.decode(forColumn: "attempt"),
        failures: try row.decode(forColumn: "failures"),
        expires: try row.decode(forColumn: "lease_expires"))
      let owner = LeaseOwner(
        host: try row.decode(forColumn: "owner_host"),
        processID: try row.decode(forColumn: "owner_pid"),
        processStart: try row.decode(forColumn: "owner_start"),
        worker: try row.decode(forColumn: "owner_worker"))
      return (lease, owner, try row.decode(forColumn: "lease_duration"))
    }
  }
}
