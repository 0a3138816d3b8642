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
  /// The ledger is not what its run has written: cut, overwritten, another run's, or gone.
  case damaged(path: String, message: String)

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
    case .damaged(let path, let message):
      "\(path): the ledger is damaged: \(message). Nothing was changed."
        + " `pairloom verify \(Self.folder(of: path)) --repair` makes it again from the files."
    }
  }

  /// Whether the ledger was refused for the version of its tables alone.
  package var isOfFormat: Bool {
    if case .database(_, let message) = self { return message.hasPrefix("it has format ") }
    return false
  }

  private static func folder(of path: String) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
  }

  static func wrapping(_ error: any Error, path: String) -> LedgerError {
    if let error = error as? LedgerError { return error }
    if let error = error as? DatabaseError {
      switch error.resultCode {
      // The program's own statements fit the tables that it has made, and break no rule of theirs.
      case .SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_ERROR, .SQLITE_MISMATCH, .SQLITE_CONSTRAINT:
        return .damaged(path: path, message: error.message ?? "\(error.resultCode)")
      default: break
      }
      let advice =
        switch error.resultCode {
        case .SQLITE_BUSY: " Another process holds it; end that one or wait."
        case .SQLITE_FULL: " Free some space, then run the same command again: it resumes."
        case .SQLITE_CANTOPEN: " Check that the folder exists and may be written."
        default: ""
        }
      return .database(path: path, message: (error.message ?? "\(error.resultCode)") + "." + advice)
    }
    return .database(path: path, message: "\(error)")
  }
}
