internal import GRDB

/// Whether the file is what was written: for `verify`, and before a run goes on with it.
extension SQLiteLedger {
  /// The version of the tables that this program writes.
  public static let formatVersion = LedgerSchema.version

  /// What is wrong with the file, in words.
  ///
  /// Thorough: SQLite's own check of every page, index and constraint, whether all rows that are
  /// referred to are there, whether each job waits for as many as have not settled, and whether the
  /// running tallies are those of the jobs. Else the check without indexes: some milliseconds, and a
  /// second for a million jobs.
  ///
  /// - Throws: ``LedgerError`` where it cannot even be looked at; ``LedgerError/damaged(path:message:)``
  ///   is one of the answers.
  public func faults(isThorough: Bool) throws(LedgerError) -> [String] {
    do {
      return try database.writeWithoutTransaction { database in
        var faults = try String.fetchAll(
          database, sql: isThorough ? "PRAGMA integrity_check(20)" : "PRAGMA quick_check(1)"
        ).filter { $0 != "ok" }
        if isThorough && faults.isEmpty {
          faults += try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").prefix(20).map {
            let (table, parent): (String, String) = ($0["table"], $0["parent"])
            return "a row of \(table) belongs to none of \(parent)"
          }
        }
        if isThorough && faults.isEmpty {
          faults += try Self.miscounted(in: database) + Self.mistallied(in: database)
        }
        return faults.map { $0.filter { $0 != "*" }.split(separator: "\n").joined(separator: "; ") }
      }
    } catch {
      throw .wrapping(error, path: path)
    }
  }

  private static func miscounted(in database: Database) throws -> [String] {
    try Row.fetchAll(
      database,
      sql: """
        WITH open AS (
          SELECT job, COUNT(*) AS number FROM job_dependencies
            JOIN jobs AS needed ON needed.id = needs
          WHERE needed.state NOT IN ('completed', 'quarantined') GROUP BY job
        )
        SELECT stage, chunk, waiting_for, COALESCE(number, 0) AS number
        FROM jobs LEFT JOIN open ON open.job = jobs.id
        WHERE state IN ('waiting', 'available', 'retryable') AND waiting_for <> COALESCE(number, 0)
        LIMIT 20
        """
    ).map {
      let (stage, chunk): (String, Int) = ($0["stage"], $0["chunk"])
      let (waiting, open): (Int, Int) = ($0["waiting_for"], $0["number"])
      return "\(stage) \(chunk) waits for \(waiting) jobs, of which \(open) have not settled"
    }
  }

  /// The tallies against what they are kept for.
  private static func mistallied(in database: Database) throws -> [String] {
    let jobs = """
      SELECT stage || ' ' || state AS kind, COUNT(*) AS number FROM jobs GROUP BY stage, state
      UNION ALL
      SELECT stage || ' ' || replace(fullkey, '"', ''), SUM(atom) FROM jobs, json_tree(counts)
      WHERE type = 'integer' GROUP BY stage, replace(fullkey, '"', '')
      """
    let tallies = """
      SELECT stage || ' ' || state, jobs FROM job_tally WHERE jobs <> 0
      UNION ALL
      SELECT stage || ' ' || path, total FROM job_totals WHERE terms <> 0
      """
    return try Row.fetchAll(
      database,
      sql: """
        WITH jobs_say AS (\(jobs)), tallies_say AS (\(tallies))
        SELECT kind FROM (SELECT * FROM (SELECT * FROM jobs_say EXCEPT SELECT * FROM tallies_say)
          UNION SELECT * FROM (SELECT * FROM tallies_say EXCEPT SELECT * FROM jobs_say))
        GROUP BY kind LIMIT 20
        """
    ).map {
      let kind: String = $0["kind"]
      return "its tally of \(kind) is not that of its jobs"
    }
  }

  /// Brings everything into the one file and closes it; nothing can be asked afterwards.
  public func close() throws(LedgerError) {
    do {
      try database.writeWithoutTransaction {
        _ = try $0.checkpoint(.truncate)
      }
      try database.close()
    } catch {
      throw .wrapping(error, path: path)
    }
  }
}
