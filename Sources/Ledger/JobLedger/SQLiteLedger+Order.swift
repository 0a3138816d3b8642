internal import GRDB

/// The order of jobs around those that were given up.
///
/// A job that is given up because it lacks another's outputs settles before what it waits for has: what
/// comes after it must go on waiting for that.
extension SQLiteLedger {
  /// What waits for a given-up job waits for what that one waited for.
  ///
  /// Handed on is what has not settled, and, should that be done again, what is completed of the same
  /// stage. Jobs that need the given-up one are given up themselves, and wait for nothing.
  ///
  /// Cost: what the job waits for, times what waits for it; a row each.
  ///
  /// - Returns: The jobs that got something new to wait for.
  static func handOn(orderOf id: Int64, in database: Database) throws -> Set<Int64> {
    let statement = try database.cachedStatement(
      sql: """
        INSERT OR IGNORE INTO job_dependencies(job, needs, kind)
        SELECT later.job, inherited.id, 'after'
        FROM job_dependencies AS later, (\(inherited)) AS inherited
        WHERE later.needs = ?1 AND later.kind = 'after' AND later.job <> inherited.id
        RETURNING job
        """)
    return try Int64.fetchSet(statement, arguments: [id])
  }

  /// The jobs, with their states, that a job waits for in place of a given-up one, whose number is the
  /// argument.
  static let inherited = """
    SELECT earlier.id, earlier.state FROM job_dependencies AS own
      JOIN jobs AS given ON given.id = own.job JOIN jobs AS earlier ON earlier.id = own.needs
    WHERE own.job = ?1 AND own.kind = 'after' AND (
      earlier.state NOT IN ('completed', 'quarantined')
      OR (earlier.state = 'completed' AND earlier.stage = given.stage))
    """
}
