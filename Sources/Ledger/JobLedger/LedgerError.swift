internal import GRDB

/// Why the ledger refused or could not do something.
public enum LedgerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The lease was lost to expiry or rescue, and the job may be in other hands.
  case leaseLost(JobName, attempt: Int)
  /// The folder holds a run with other options.
  case configurationChanged(path: String, differences: [String])
  /// A job names a dependency that was never entered.
  case unknownDependency(job: JobName, needs: JobName)
  /// A job that is to be changed is in work, or its state forbids the change.
  case busy(JobName)
  /// A job that was never entered.
  case unknownJob(JobName)
  /// SQLite's own words.
  case database(path: String, message: String)

  public var description: String {
    switch self {
    case .leaseLost(let name, let attempt):
      "\(name), attempt \(attempt): the lease was lost (it expired, or another process took the job"
        + " over); the outputs of this attempt are not counted."
    case .configurationChanged(let path, let differences):
      "\(path): this folder holds a run with other options:\n"
        + differences.map { "  \($0)\n" }.joined()
        + "Run with the old options to resume it, or choose a new folder."
    case .unknownDependency(let job, let needs):
      "\(job) depends on \(needs), which is not in the ledger."
    case .busy(let name):
      "\(name) is being worked on. Wait for the end of the run, or stop it, then try again."
    case .unknownJob(let name): "\(name) is not in the ledger."
    case .database(let path, let message):
      "\(path): the ledger cannot be used: \(message)"
    }
  }

  static func wrapping(_ error: any Error, path: String) -> LedgerError {
    if let error = error as? LedgerError { return error }
    if let error = error as? DatabaseError {
      let advice =
        switch error.resultCode {
        case .SQLITE_BUSY: " Another process holds it; end that one or wait."
        case .SQLITE_FULL: " Free some space, then run the same command again: it resumes."
        case .SQLITE_CANTOPEN: " Check that the folder exists and may be written."
        case .SQLITE_NOTADB, .SQLITE_CORRUPT: " It is damaged; start again in a new folder."
        default: ""
        }
      return .database(path: path, message: (error.message ?? "\(error.resultCode)") + "." + advice)
    }
    return .database(path: path, message: "\(error)")
  }
}
