internal import GRDB

/// A job with every attempt at it.
public struct JobStory: Sendable, Equatable {
  public struct Attempt: Sendable, Equatable {
    /// Counted from 1.
    public var number: Int
    public var host: String
    public var processID: Int
    public var worker: String
    /// Milliseconds since 1970.
    public var startedAt: Int
    public var endedAt: Int?
    public var outcome: JobAttempt.Outcome
    public var error: String?
  }

  public var name: JobName
  public var state: JobState
  /// Before when a failed job is not tried again, milliseconds since 1970; nil in every other state.
  public var notBefore: Int?
  /// Oldest first.
  public var attempts: [Attempt]
}

/// What has happened to single jobs, for whoever explains a pair.
extension SQLiteLedger {
  /// The stories of some jobs; one that was never entered has none.
  public func stories(of names: [JobName]) throws(LedgerError) -> [JobStory] {
    try transaction { database in
      try names.compactMap { name -> JobStory? in
        guard
          let job = try Row.fetchOne(
            database, sql: "SELECT id, state, not_before FROM jobs WHERE stage = ? AND chunk = ?",
            arguments: [name.stage, name.chunk]),
          let state = JobState(rawValue: job["state"])
        else { return nil }
        let attempts = try Row.fetchAll(
          database, sql: "SELECT * FROM attempts WHERE job = ? ORDER BY attempt",
          arguments: [job["id"] as Int64])
        return JobStory(
          name: name, state: state, notBefore: job["not_before"],
          attempts: attempts.compactMap { row in
            JobAttempt.Outcome(rawValue: row["outcome"]).map { outcome in
              JobStory.Attempt(
                number: row["attempt"], host: row["host"], processID: row["pid"],
                worker: row["worker"], startedAt: row["started_at"], endedAt: row["ended_at"],
                outcome: outcome, error: row["error"])
            }
          })
      }
    }
  }
}
