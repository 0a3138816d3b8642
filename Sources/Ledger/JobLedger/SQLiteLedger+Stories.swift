internal import GRDB

/// A job with every attempt at it.
public struct JobStory: Sendable, Equatable {
  public var name: JobName
  public var state: JobState
  /// Before when a failed job is not tried again, milliseconds since 1970; nil in every other state.
  public var notBefore: Int?
  /// Oldest first.
  public var attempts: [JobAttempt]
}

/// What has happened to single jobs, for whoever explains a pair.
extension SQLiteLedger {
  /// The stories of some jobs; one that was never entered has none.
  public func stories(of names: [JobName]) throws(LedgerError) -> [JobStory] {
    try read { database in
      try names.compactMap { name -> JobStory? in
        guard
          let job = try Row.fetchOne(
            database, sql: "SELECT id, state, not_before FROM jobs WHERE stage = ? AND chunk = ?",
            arguments: [name.stage, name.chunk]),
          let state = JobState(rawValue: job["state"])
        else { return nil }
        return JobStory(
          name: name, state: state, notBefore: job["not_before"],
          attempts: try history(of: name, in: database))
      }
    }
  }
}
