internal import GRDB

/// Second thoughts about jobs that are done: their outputs are gone, or hold what they must not.
extension SQLiteLedger {
  /// Hands completed jobs back, so that they are done again.
  ///
  /// One transaction. A job that depends on another of `names`, or on one that has not settled, waits
  /// for it; the others are available at once. What has not been begun and depends on one of them
  /// waits again; what is completed stays so. Jobs that are yet to be done are passed over.
  ///
  /// - Parameter names: Of jobs that were entered.
  /// - Returns: Those that were handed back.
  /// - Throws: ``LedgerError/busy(_:)``, and nothing is changed, while one of them or a job that
  ///   depends on one is leased; ``LedgerError/unknownJob(_:)``.
  @discardableResult
  public func reopen(_ names: [JobName]) async throws(LedgerError) -> [JobName] {
    try await change { database in
      var reopened: [JobName] = []
      var touched: Set<Int64> = []
      for name in names {
        guard
          let row = try Row.fetchOne(
            database, sql: "SELECT id, state FROM jobs WHERE stage = ? AND chunk = ?",
            arguments: [name.stage, name.chunk])
        else { throw LedgerError.unknownJob(name) }
        let id: Int64 = try row.decode(atIndex: 0)
        if try row.state(atIndex: 1) == .leased { throw LedgerError.busy(name) }
        let dependents = try Row.fetchAll(
          database,
          sql: """
            SELECT id, stage, chunk, state FROM jobs
            WHERE id IN (SELECT job FROM job_dependencies WHERE needs = ?)
            """, arguments: [id])
        for dependent in dependents where try dependent.state(atIndex: 3) == .leased {
          throw LedgerError.busy(
            JobName(
              stage: try dependent.decode(atIndex: 1), chunk: try dependent.decode(atIndex: 2)))
        }
        guard try Self.reopen(completed: id, in: database) else { continue }
        reopened.append(name)
        touched.insert(id)
        touched.formUnion(try dependents.map { try $0.decode(Int64.self, atIndex: 0) })
      }
      try Self.wait(touched, in: database)
      return reopened
    }
  }

  /// Makes a completed job available; false where it is in another state, which it keeps.
  static func reopen(completed id: Int64, in database: Database) throws -> Bool {
    try database.execute(
      sql: """
        UPDATE jobs SET state = 'available', counts = NULL, settled_at = NULL, failures = 0
        WHERE id = ? AND state = 'completed'
        """, arguments: [id])
    return database.changesCount == 1
  }

  /// Lets those that are not begun wait for what has not settled among their dependencies.
  static func wait(_ ids: Set<Int64>, in database: Database) throws {
    try database.execute(
      sql: """
        UPDATE jobs SET state = 'waiting', not_before = NULL, waiting_for = open.number
        FROM (SELECT job, COUNT(*) AS number FROM job_dependencies
          JOIN jobs AS needed ON needed.id = needs
          WHERE job IN (SELECT value FROM json_each(?))
            AND needed.state NOT IN ('completed', 'quarantined')
          GROUP BY job) AS open
        WHERE jobs.id = open.job AND jobs.state IN ('waiting', 'available', 'retryable')
        """, arguments: [json(ids)])
  }

  /// Numbers of jobs as an argument for json_each.
  static func json(_ ids: Set<Int64>) -> String {
    "[" + ids.sorted().map(String.init).joined(separator: ",") + "]"
  }

  /// Makes sure that nobody works: the outcome of work may rest on what is about to be changed.
  static func requireNoLease(in database: Database) throws {
    let row = try Row.fetchOne(
      database, sql: "SELECT stage, chunk FROM jobs WHERE state = 'leased' ORDER BY id LIMIT 1")
    if let row { throw LedgerError.busy(JobName(stage: row["stage"], chunk: row["chunk"])) }
  }

  /// Replaces what completed jobs have counted, all in one transaction.
  ///
  /// - Parameter counts: JSON text as for `complete`, by job.
  /// - Throws: ``LedgerError/busy(_:)``, and nothing is changed, where one is not completed.
  public func revise(_ counts: [(name: JobName, counts: String)]) async throws(LedgerError) {
    try await change { database in
      for (name, text) in counts {
        try database.execute(
          sql: """
            UPDATE jobs SET counts = ? WHERE stage = ? AND chunk = ? AND state = 'completed'
            """, arguments: [text, name.stage, name.chunk])
        guard database.changesCount == 1 else { throw LedgerError.busy(name) }
      }
    }
  }
}
