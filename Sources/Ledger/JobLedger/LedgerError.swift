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
  /// The file lies on a filesystem of this kind, which other hosts can reach.
  case networkFilesystem(path: String, kind: String)
  /// Another host works on the folder, or did a moment ago.
  case otherHost(path: String, host: String, secondsAgo: Int)
  /// A later program made the file.
  case newerSchema(path: String, found: Int, known: Int)
  /// The ledger is not what its run has written: cut, overwritten, another run's, or gone.
  case damaged(path: String, message: String)
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
    case .networkFilesystem(let path, let kind):
      "\(path): this folder is on a network filesystem (\(kind)), where several hosts could write the"
        + " ledger at once and a lock of one does not hold for another. Give the run a folder on a"
        + " disk of this host, and copy its files when it is done."
    case .otherHost(let path, let host, let secondsAgo):
      "\(path): the host \(host) works on this folder (last seen \(secondsAgo) s ago), and a ledger"
        + " serves the processes of one host. Run there; or give each host a folder and a part of the"
        + " list of its own. If that host has stopped, this one may go on"
        + " \(SQLiteLedger.sessionLife / 1_000) s after it was last seen."
    case .newerSchema(let path, let found, let known):
      "\(path): a later Pairloom made this ledger: it has format \(found), and this program knows"
        + " formats up to \(known). Use that version or a later one; nothing was changed."
    case .database(let path, let message):
      "\(path): the ledger cannot be used: \(message)"
    case .damaged(let path, let message):
      "\(path): the ledger is damaged: \(message). Nothing was changed."
        + " `pairloom verify \(Self.folder(of: path)) --repair` makes it again from the files."
    }
  }

  /// Whether the ledger was refused for the version of its tables alone.
  package var isOfFormat: Bool {
    if case .newerSchema = self { return true }
    return false
  }

  private static func folder(of path: String) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
  }

  static func wrapping(_ error: any Error, path: String) -> LedgerError {
    if let error = error as? LedgerError { return error }
    // A column of a STRICT table held what it cannot hold.
    if error is RowDecodingError { return .damaged(path: path, message: "\(error)") }
    guard let error = error as? DatabaseError else {
      return .database(path: path, message: "\(error)")
    }
    let words = error.message ?? "\(error.resultCode)"
    let message = words + "."
    switch error.resultCode {
    // The program's own statements fit the tables that it has made, and break no rule of theirs.
    case .SQLITE_ERROR where words.contains("transaction"):
      return .database(path: path, message: message)
    case .SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_ERROR, .SQLITE_MISMATCH, .SQLITE_CONSTRAINT:
      return .damaged(path: path, message: words)
    case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHORT_READ:
      return .damaged(path: path, message: "it is shorter than it was (\(words))")
    case .SQLITE_IOERR:
      return .database(
        path: path,
        message: message
          + " The disk refused (\(error.extendedResultCode)). See to it, then run the"
          + " same command again: it resumes.")
    case .SQLITE_BUSY:
      return .database(path: path, message: message + " Another process holds it; end it or wait.")
    case .SQLITE_FULL:
      return .database(
        path: path,
        message: message + " Free some space, then run the same command again: it resumes.")
    case .SQLITE_READONLY:
      return .database(
        path: path,
        message: message
          + " Make the folder and the file writable, then run the same command again:"
          + " it resumes.")
    case .SQLITE_CANTOPEN:
      return .database(
        path: path, message: message + " Check that the folder exists and may be written.")
    default: return .database(path: path, message: message)
    }
  }
}
