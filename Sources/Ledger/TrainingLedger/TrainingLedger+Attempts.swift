import FoundationEssentials
internal import GRDB
public import JobLedger

extension TrainingLedger {
  /// Begins an attempt, after it has settled what became of the last.
  ///
  /// - Parameters:
  ///   - facts: What it works with.
  ///   - lastStep: The step that the run's log ends with: of an attempt that was killed, how far it came.
  ///   - owner: This process.
  ///   - now: The time.
  /// - Returns: Its number.
  /// - Throws: ``TrainingLedgerError`` while another process works on the run.
  public func begin(
    facts: [String: String], lastStep: Int? = nil,
    owner: LeaseOwner = ProcessIdentity.owner(worker: "train"), now: Int
  ) throws(TrainingLedgerError) -> Int {
    let json = try json(facts)
    return try change { database in
      if let row = try Row.fetchOne(
        database, sql: "SELECT * FROM attempts WHERE outcome = 'running'")
      {
        if let refusal = Self.refusal(row, now: now) {
          throw TrainingLedgerError(path: path, problem: refusal)
        }
        try database.execute(
          sql: """
            UPDATE attempts SET outcome = 'killed', ended_at = seen_at,
              to_step = MAX(COALESCE(to_step, ?2), COALESCE(?2, to_step))
            WHERE number = ?1
            """, arguments: [row["number"] as Int, lastStep])
      }
      try database.execute(
        sql: """
          INSERT INTO attempts(host, pid, process_start, started_at, seen_at, outcome, facts)
          VALUES (?, ?, ?, ?, ?, 'running', ?)
          """,
        arguments: [owner.host, owner.processID, owner.processStart, now, now, json])
      return Int(database.lastInsertedRowID)
    }
  }

  /// Why another process may not begin now; nil when it may.
  ///
  /// - Throws: ``TrainingLedgerError``.
  public func refusal(now: Int) throws(TrainingLedgerError) -> String? {
    try look { database in
      try Row.fetchOne(database, sql: "SELECT * FROM attempts WHERE outcome = 'running'")
        .flatMap { Self.refusal($0, now: now) }
    }
  }

  private static func refusal(_ row: Row, now: Int) -> String? {
    let owner = LeaseOwner(
      host: row["host"], processID: row["pid"], processStart: row["process_start"], worker: "train")
    let seen: Int = row["seen_at"]
    let machine = ProcessIdentity.machine(of: owner.host)
    let isHere = machine == ProcessIdentity.machine(of: ProcessIdentity.host())
    // The same machine after a reboot: none of its processes is left.
    let isAlive = ProcessIdentity.isAlive(owner) ?? (!isHere && abs(now - seen) < attemptLife)
    guard isAlive else { return nil }
    let place = isHere ? "process \(owner.processID)" : "process \(owner.processID) of \(machine)"
    return
      "\(place) trains in this folder (last seen \(max(0, now - seen) / 1_000) s ago). Wait for its "
      + "end, stop it, or name another folder."
  }

  /// Says that an attempt lives, and how far it is.
  ///
  /// - Parameters:
  ///   - number: The attempt.
  ///   - from: Steps done before it, once that is known.
  ///   - to: Steps done by now.
  ///   - now: The time.
  /// - Throws: ``TrainingLedgerError`` where it was taken for dead.
  public func touch(
    _ number: Int, from: Int? = nil, to: Int? = nil, now: Int
  ) throws(TrainingLedgerError) {
    try change { database in
      try database.execute(
        sql: """
          UPDATE attempts SET seen_at = ?, from_step = COALESCE(?, from_step),
            to_step = COALESCE(?, to_step)
          WHERE number = ? AND outcome = 'running'
          """, arguments: [now, from, to, number])
      try requireOne(database, number)
    }
  }

  /// Adds to what an attempt works with, as soon as it is known.
  ///
  /// - Parameters:
  ///   - facts: Beside those it began with, or in their place.
  ///   - number: The attempt.
  /// - Throws: ``TrainingLedgerError`` where it was taken for dead.
  public func add(facts: [String: String], to number: Int) throws(TrainingLedgerError) {
    let known = try attempts().first { $0.number == number }?.facts ?? [:]
    let json = try json(known.merging(facts) { $1 })
    try change { database in
      try database.execute(
        sql: "UPDATE attempts SET facts = ? WHERE number = ? AND outcome = 'running'",
        arguments: [json, number])
      try requireOne(database, number)
    }
  }

  /// Ends an attempt.
  ///
  /// - Parameters:
  ///   - number: The attempt.
  ///   - outcome: Neither `running` nor `killed`.
  ///   - error: The words of a failed one.
  ///   - to: Steps done.
  ///   - now: The time.
  /// - Throws: ``TrainingLedgerError`` where it was taken for dead.
  public func end(
    _ number: Int, _ outcome: TrainingAttempt.Outcome, error: String? = nil, to: Int? = nil,
    now: Int
  ) throws(TrainingLedgerError) {
    precondition(
      outcome != .running && (outcome == .failed) == (error != nil),
      "an end as \(outcome.rawValue) with \(error == nil ? "no " : "")error")
    try change { database in
      try database.execute(
        sql: """
          UPDATE attempts SET outcome = ?, error = ?, ended_at = ?, seen_at = ?,
            to_step = COALESCE(?, to_step)
          WHERE number = ? AND outcome = 'running'
          """, arguments: [outcome.rawValue, error, now, now, to, number])
      try requireOne(database, number)
    }
  }

  private func requireOne(_ database: Database, _ number: Int) throws {
    guard database.changesCount == 1 else {
      throw TrainingLedgerError(
        path: path,
        problem: "attempt \(number) was taken for dead, and another has begun: this one ends")
    }
  }

  /// All attempts, oldest first.
  ///
  /// - Throws: ``TrainingLedgerError``.
  public func attempts() throws(TrainingLedgerError) -> [TrainingAttempt] {
    try look { database in
      try Row.fetchAll(database, sql: "SELECT * FROM attempts ORDER BY number").map { row in
        TrainingAttempt(
          number: row["number"], host: ProcessIdentity.machine(of: row["host"]),
          process: row["pid"], startedAt: row["started_at"], seenAt: row["seen_at"],
          endedAt: row["ended_at"], fromStep: row["from_step"], toStep: row["to_step"],
          outcome: TrainingAttempt.Outcome(rawValue: row["outcome"]) ?? .killed,
          error: row["error"],
          facts: try JSONDecoder().decode(
            [String: String].self, from: Data((row["facts"] as String).utf8)))
      }
    }
  }

  /// As ``attempts()``, with one whose process is gone as killed, which nobody has written down yet.
  ///
  /// - Throws: ``TrainingLedgerError``.
  public func settledAttempts(now: Int) throws(TrainingLedgerError) -> [TrainingAttempt] {
    var attempts = try attempts()
    guard let last = attempts.indices.last, attempts[last].outcome == .running,
      try refusal(now: now) == nil
    else { return attempts }
    attempts[last].outcome = .killed
    attempts[last].endedAt = attempts[last].seenAt
    return attempts
  }

  private func json(_ facts: [String: String]) throws(TrainingLedgerError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    do {
      return String(decoding: [UInt8](try encoder.encode(facts)), as: UTF8.self)
    } catch {
      throw .wrapping(error, path: path)
    }
  }
}
