internal import GRDB

/// Why the cache of origins cannot be used.
public struct OriginLedgerError: Error, Sendable, Equatable, CustomStringConvertible {
  public var path: String
  public var problem: String

  init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }

  init(_ error: any Error, path: String) {
    if let error = error as? OriginLedgerError {
      self = error
    } else if let error = error as? DatabaseError {
      let advice =
        switch error.resultCode {
        case .SQLITE_BUSY: "; another process holds it: end that one or wait"
        case .SQLITE_FULL: "; free some space"
        case .SQLITE_CANTOPEN: "; check that the folder exists and may be written"
        case .SQLITE_NOTADB, .SQLITE_CORRUPT: "; remove it, it is a cache"
        default: ""
        }
      self.init(path: path, problem: (error.message ?? "\(error.resultCode)") + advice)
    } else {
      self.init(path: path, problem: "\(error)")
    }
  }

  public var description: String { "cache of origins \(path): \(problem)." }
}
