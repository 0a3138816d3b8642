internal import GRDB

/// Who works on the run, and for how long.
extension SQLiteLedger {
  /// Milliseconds after which a session that was not touched counts as over.
  ///
  /// A worker touches its session every second; a busy disk or a stopped process may hold it up.
  public static let sessionLife = 120_000

  /// Begins a session of work and gives its number.
  ///
  /// - Parameters:
  ///   - host: As ``ProcessIdentity/host()`` gives it; the same machine after a reboot is no other host.
  ///   - pid: The process's number.
  ///   - now: Milliseconds since 1970.
  /// - Returns: The number, for ``touchSession(_:now:)``.
  /// - Throws: ``LedgerError/otherHost(path:host:secondsAgo:)`` while another host's session lives.
  public func beginSession(host: String, pid: Int, now: Int) throws(LedgerError) -> Int {
    try transaction { database in
      // Seen long after now, by the clock before it was set back, is no sign of life.
      let others = try Row.fetchCursor(
        database,
        sql: """
          SELECT host, seen_at FROM sessions
          WHERE ended_at IS NULL AND seen_at BETWEEN ? AND ? ORDER BY seen_at DESC
          """, arguments: [now - Self.sessionLife, now + Self.sessionLife])
      let machine = ProcessIdentity.machine(of: host)
      while let row = try others.next() {
        let other = ProcessIdentity.machine(of: try row.decode(atIndex: 0))
        if other == machine { continue }
        let seen: Int = try row.decode(atIndex: 1)
        throw LedgerError.otherHost(
          path: path, host: other, secondsAgo: max(0, now - seen) / 1_000)
      }
      try database.execute(
        sql: "INSERT INTO sessions(host, pid, started_at, seen_at) VALUES (?, ?, ?, ?)",
        arguments: [host, pid, now, now])
      return Int(database.lastInsertedRowID)
    }
  }

  /// Records that a session still works.
  ///
  /// When the clock was set back, the session moves to the new time with what it has worked so far.
  public func touchSession(_ id: Int, now: Int) async throws(LedgerError) {
    try await change { try Self.touch(id, now: now, in: $0) }
  }

  /// Ends a session, so that another host may begin one at once.
  public func endSession(_ id: Int, now: Int) async throws(LedgerError) {
    try await change { database in
      try Self.touch(id, now: now, in: database)
      try database.execute(
        sql: "UPDATE sessions SET ended_at = seen_at WHERE id = ?", arguments: [id])
    }
  }

  private static func touch(_ id: Int, now: Int, in database: Database) throws {
    try database.cachedStatement(
      sql: """
        UPDATE sessions SET started_at = started_at - MAX(0, seen_at - ?1), seen_at = ?1
        WHERE id = ?2 AND ended_at IS NULL
        """
    ).execute(arguments: [now, id])
  }

  /// Milliseconds that sessions have worked, overlaps counted twice.
  public func workedMilliseconds() throws(LedgerError) -> Int {
    try read { database in
      try Int.fetchOne(database, sql: "SELECT SUM(seen_at - started_at) FROM sessions") ?? 0
    }
  }
}
