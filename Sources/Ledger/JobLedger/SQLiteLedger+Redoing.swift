internal import GRDB

/// Stages that are done again, with other options or because a person asked.
extension SQLiteLedger {
  /// What the ledger is bound to, in the order of the keys; empty before it is bound.
  public func configuration() throws(LedgerError) -> [(key: String, value: String)] {
    try read { database in
      try Row.fetchAll(
        database, sql: "SELECT key, value FROM meta WHERE key LIKE 'config.%' ORDER BY key"
      ).map { (String(($0["key"] as String).dropFirst("config.".count)), $0["value"]) }
    }
  }

  /// Binds the ledger to another configuration and hands every job of some stages back.
  ///
  /// One transaction. Whatever came of the jobs, they are available, or wait for what has not settled;
  /// what was given up is tried anew, unless it needs a job of another stage that was given up. What
  /// has not been begun of other stages and depends on a job that is handed back waits again; what is
  /// completed stays so. The attempts of all jobs remain. Costs a pass over jobs and dependencies.
  ///
  /// - Parameters:
  ///   - stages: In the order of the pipeline: a stage comes behind those that it needs.
  ///   - plan: The jobs that these stages are to have where they are others than there are: those
  ///     that are missing are entered, those that are not in it removed with their history, and all
  ///     depend on what the plan says. Nil leaves them as they are.
  ///   - configuration: Takes the place of the old one.
  ///   - notes: Kept under their keys.
  ///   - now: Milliseconds since 1970.
  /// - Returns: How many jobs of the stages are now to be done.
  /// - Throws: ``LedgerError/busy(_:)``, and nothing is changed, while any job is leased;
  ///   ``LedgerError/unknownDependency(job:needs:)``.
  public func redo(
    stages: [String], plan: [NewJob]?, configuration: [(key: String, value: String)],
    notes: [(key: String, value: String)], now: Int
  ) throws(LedgerError) -> Int {
    try transaction { database in
      try Self.requireNoLease(in: database)
      try database.execute(sql: "DELETE FROM meta WHERE key LIKE 'config.%'")
      for (key, value) in configuration {
        try database.execute(
          sql: "INSERT INTO meta(key, value) VALUES (?, ?)", arguments: ["config." + key, value])
      }
      for (key, value) in notes { try Self.setNote(key, value, in: database) }
      for stage in stages {
        try database.execute(
          sql: """
            UPDATE jobs SET state = 'available', counts = NULL, settled_at = NULL, failures = 0,
              not_before = NULL, waiting_for = 0
            WHERE stage = ?
            """, arguments: [stage])
      }
      if let plan { try Self.replace(stages, by: plan, in: database) }
      try Self.settle(stages, in: database, now: now)
      return try Int.fetchOne(
        database,
        sql: """
          SELECT COUNT(*) FROM jobs WHERE state NOT IN ('completed', 'quarantined')
            AND stage IN (\(Self.places(stages)))
          """, arguments: StatementArguments(stages)) ?? 0
    }
  }

  /// Lets jobs wait for what is open, and gives those up that need what was given up.
  private static func settle(_ stages: [String], in database: Database, now: Int) throws {
    for stage in stages {
      try database.execute(
        sql: """
          UPDATE jobs SET state = 'quarantined', settled_at = ?
          WHERE stage = ? AND id IN (
            SELECT job FROM job_dependencies JOIN jobs AS needed ON needed.id = needs
            WHERE kind = 'needs' AND needed.state = 'quarantined')
          """, arguments: [now, stage])
      // By chunk: what one hands on, the next has to hand on, too.
      let given = try Int64.fetchAll(
        database,
        sql: "SELECT id FROM jobs WHERE stage = ? AND state = 'quarantined' ORDER BY chunk",
        arguments: [stage])
      for id in given { _ = try handOn(orderOf: id, in: database) }
    }
    // By one pass over the dependencies: there is no way from a job to what it needs but that.
    try database.execute(
      sql: """
        UPDATE jobs SET state = 'waiting', not_before = NULL, waiting_for = open.number
        FROM (SELECT job, COUNT(*) AS number FROM job_dependencies
          JOIN jobs AS needed ON needed.id = needs
          WHERE needed.state NOT IN ('completed', 'quarantined') GROUP BY job) AS open
        WHERE jobs.id = open.job AND jobs.state IN ('waiting', 'available', 'retryable')
        """)
  }

  /// Gives stages, whose jobs are all available, the jobs and dependencies of a plan.
  private static func replace(
    _ stages: [String], by plan: [NewJob], in database: Database
  ) throws {
    var known: [JobName: Int64] = [:]
    for row in try Row.fetchAll(database, sql: "SELECT id, stage, chunk FROM jobs") {
      known[JobName(stage: row["stage"], chunk: row["chunk"])] = row["id"]
    }
    try database.execute(
      sql: """
        DELETE FROM job_dependencies
        WHERE job IN (SELECT id FROM jobs WHERE stage IN (\(places(stages))))
        """, arguments: StatementArguments(stages))
    let planned = Set(plan.map(\.name))
    for (name, id) in known where stages.contains(name.stage) && !planned.contains(name) {
      for sql in [
        "DELETE FROM job_dependencies WHERE needs = ?", "DELETE FROM attempts WHERE job = ?",
        "DELETE FROM jobs WHERE id = ?",
      ] { try database.execute(sql: sql, arguments: [id]) }
      known[name] = nil
    }
    for job in plan where stages.contains(job.name.stage) {
      if known[job.name] == nil {
        try database.execute(
          sql: "INSERT INTO jobs(stage, chunk, rank, state) VALUES (?, ?, ?, 'available')",
          arguments: [job.name.stage, job.name.chunk, job.rank])
        known[job.name] = database.lastInsertedRowID
      }
      for (names, kind) in [(job.needs, "needs"), (job.after, "after")] {
        for name in names {
          guard let needed = known[name] else {
            throw LedgerError.unknownDependency(job: job.name, needs: name)
          }
          try database.execute(
            sql: "INSERT INTO job_dependencies(job, needs, kind) VALUES (?, ?, ?)",
            arguments: [known[job.name], needed, kind])
        }
      }
    }
  }

  private static func places(_ stages: [String]) -> String {
    stages.map { _ in "?" }.joined(separator: ", ")
  }
}
