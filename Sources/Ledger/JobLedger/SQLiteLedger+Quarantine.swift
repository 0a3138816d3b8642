internal import GRDB

/// A job that was given up.
public struct QuarantinedJob: Sendable, Equatable {
  public var name: JobName
  /// Attempts that failed since it was entered, or handed back.
  public var failures: Int
  public var attempts: Int
  /// Milliseconds since 1970.
  public var givenUpAt: Int
  /// The last error that it met; nil where it was given up for want of another job's outputs.
  public var error: String?
  /// The given-up jobs whose outputs it needs, by chunk and stage.
  public var wants: [JobName]
}

/// What is handed back when given-up jobs are released.
public struct JobRelease: Sendable {
  /// The given-up jobs; nil for all.
  public var quarantined: [JobName]?
  /// Jobs to be done again with them, where they are completed; others are passed over.
  public var reopening: [JobName]
  /// Jobs that wait for another one from now on.
  public var order: [(job: JobName, after: JobName)]
  /// A note that is set with it.
  public var note: (key: String, value: String)?

  public init(
    quarantined: [JobName]?, reopening: [JobName] = [],
    order: [(job: JobName, after: JobName)] = [], note: (key: String, value: String)? = nil
  ) {
    self.quarantined = quarantined
    self.reopening = reopening
    self.order = order
    self.note = note
  }
}

/// The jobs that were given up: what there is, and how they are taken up again.
extension SQLiteLedger {
  /// The given-up jobs, by chunk and rank.
  public func quarantine() throws(LedgerError) -> [QuarantinedJob] {
    try read { database in
      let wants = try Self.wants(database)
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT id, stage, chunk, failures, jobs.attempt AS attempts, settled_at,
            (SELECT error FROM attempts WHERE job = jobs.id AND outcome = 'failed'
              ORDER BY attempts.attempt DESC LIMIT 1) AS error
          FROM jobs WHERE state = 'quarantined' ORDER BY chunk, rank
          """)
      var names: [Int64: JobName] = [:]
      for row in rows { names[row["id"]] = JobName(stage: row["stage"], chunk: row["chunk"]) }
      return rows.compactMap { row in
        names[row["id"]].map { name in
          QuarantinedJob(
            name: name, failures: row["failures"], attempts: row["attempts"],
            givenUpAt: row["settled_at"], error: row["error"],
            // In the order of the rows, which is by chunk and rank.
            wants: (wants[row["id"]] ?? []).compactMap { names[$0] })
        }
      }
    }
  }

  /// Hands given-up jobs back, and what must be done again with them, in one transaction.
  ///
  /// A released job is available, or waits for what it needs, and has failed never. With a job go the
  /// given-up ones that it needs, as it could not be done without them, and those that need it and
  /// nothing else that stays given up.
  ///
  /// Cost: one pass over all dependencies, however many jobs are released.
  ///
  /// - Parameters:
  ///   - release: Named jobs that are not given up are passed over.
  ///   - now: Milliseconds since 1970.
  /// - Returns: The released jobs by chunk and rank, and the completed ones that are done again.
  /// - Throws: ``LedgerError/busy(_:)``, and nothing is changed, while any job is leased: the outcome
  ///   of work in progress may rest on what is handed back. ``LedgerError/unknownJob(_:)``.
  public func release(_ release: JobRelease, now: Int) throws(LedgerError)
    -> (released: [JobName], reopened: [JobName])
  {
    try transaction { database in
      try Self.requireNoLease(in: database)
      var touched: Set<Int64> = []
      var released: [JobName] = []
      let ids = try Self.released(release.quarantined, in: database)
      for row in try Self.jobs(ids, in: database) {
        try database.execute(
          sql: """
            UPDATE jobs SET state = 'available', waiting_for = 0, settled_at = NULL, failures = 0
            WHERE id = ? AND state = 'quarantined'
            """, arguments: [row["id"] as Int64])
        released.append(JobName(stage: row["stage"], chunk: row["chunk"]))
        touched.insert(row["id"])
      }
      var reopened: [JobName] = []
      for name in release.reopening {
        let id = try Self.id(of: name, in: database)
        guard try Self.reopen(completed: id, in: database) else { continue }
        reopened.append(name)
        touched.insert(id)
      }
      for id in touched {
        touched.formUnion(
          try Int64.fetchAll(
            database, sql: "SELECT job FROM job_dependencies WHERE needs = ?", arguments: [id]))
      }
      for (job, before) in release.order {
        let id = try Self.id(of: job, in: database)
        try database.execute(
          sql: "INSERT OR IGNORE INTO job_dependencies(job, needs, kind) VALUES (?, ?, 'after')",
          arguments: [id, try Self.id(of: before, in: database)])
        touched.insert(id)
      }
      try Self.wait(touched, in: database)
      if let note = release.note { try Self.setNote(note.key, note.value, in: database) }
      return (released, reopened)
    }
  }

  /// Which given-up jobs each given-up job needs, all by number.
  private static func wants(_ database: Database) throws -> [Int64: [Int64]] {
    var wants: [Int64: [Int64]] = [:]
    let rows = try Row.fetchAll(
      database,
      sql: """
        SELECT needs, job FROM job_dependencies
        WHERE kind = 'needs' AND needs IN (SELECT id FROM jobs WHERE state = 'quarantined')
        ORDER BY needs
        """)
    for row in rows { wants[row["job"], default: []].append(row["needs"]) }
    return wants
  }

  /// The numbers of the jobs that are released where `names` are asked for.
  private static func released(_ names: [JobName]?, in database: Database) throws -> Set<Int64> {
    let all = try Int64.fetchSet(
      database, sql: "SELECT id FROM jobs WHERE state = 'quarantined'")
    guard let names else { return all }
    let wants = try wants(database)
    var released: Set<Int64> = []
    var open = try names.map { try id(of: $0, in: database) }.filter(all.contains)
    while let id = open.popLast() {
      if released.insert(id).inserted { open += wants[id] ?? [] }
    }
    // A chain has few links, and each pass frees one of every chain.
    var isGrowing = true
    while isGrowing {
      let more = all.subtracting(released).filter { id in
        wants[id].map { released.isSuperset(of: $0) } ?? false
      }
      isGrowing = !more.isEmpty
      released.formUnion(more)
    }
    return released
  }

  private static func jobs(_ ids: Set<Int64>, in database: Database) throws -> [Row] {
    try Row.fetchAll(
      database,
      sql: """
        SELECT id, stage, chunk FROM jobs WHERE id IN (SELECT value FROM json_each(?))
        ORDER BY chunk, rank
        """, arguments: [json(ids)])
  }

  private static func id(of name: JobName, in database: Database) throws -> Int64 {
    let id = try Int64.fetchOne(
      database, sql: "SELECT id FROM jobs WHERE stage = ? AND chunk = ?",
      arguments: [name.stage, name.chunk])
    guard let id else { throw LedgerError.unknownJob(name) }
    return id
  }
}

extension Ledger {
  /// Hands given-up jobs back and, with them, those that were given up only for needing them.
  ///
  /// - Parameters:
  ///   - names: nil for all.
  ///   - now: Milliseconds since 1970.
  /// - Returns: What is available, or waits, again.
  /// - Throws: As ``release(_:now:)``.
  @discardableResult
  public func release(quarantined names: [JobName]?, now: Int) async throws(LedgerError)
    -> [JobName]
  {
    try await release(JobRelease(quarantined: names), now: now).released
  }
}
