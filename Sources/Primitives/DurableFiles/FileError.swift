import Glibc

/// A file operation that the system refused: what, where, and the system's reason.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The operation in words, such as `open` or `rename to x.tar`.
  public var operation: String
  public var path: String
  /// The system's error number.
  public var errorNumber: Int32

  public init(operation: String, path: String, errorNumber: Int32) {
    self.operation = operation
    self.path = path
    self.errorNumber = errorNumber
  }

  /// The error of the system call that has just failed.
  static func current(_ operation: String, _ path: String) -> FileError {
    FileError(operation: operation, path: path, errorNumber: errno)
  }

  public var description: String {
    let reason = unsafe String(cString: strerror(errorNumber))
    let advice =
      switch errorNumber {
      case ENOSPC: " Free some space, then run the same command again: it resumes."
      case EACCES, EPERM: " Check the owner and the mode of the folder."
      case EMFILE, ENFILE: " Raise the limit on open files (ulimit -n)."
      default: ""
      }
    return "\(path): cannot \(operation): \(reason).\(advice)"
  }
}
