import Glibc

/// A file operation that the system refused: what, where, and the system's reason.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The operation in words that follow "cannot", such as `open` or `be renamed from x.tar`.
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
    return "\(path): cannot \(operation): \(reason)." + advice
  }

  private var advice: String {
    let again = ", then run the same command again: it resumes."
    return switch errorNumber {
    case ENOSPC: " Free some space" + again
    case EDQUOT: " Free some space or have the quota raised" + again
    case EIO: " The disk or its connection is at fault (see `dmesg`): mend that" + again
    case EROFS: " The disk is mounted read-only: mount it for writing" + again
    case ENOMEM, ENOBUFS: " Memory is short: end other programs" + again
    case EMFILE: " Raise the limit on open files (ulimit -n)" + again
    case ENFILE: " End other programs or raise the system's limit (fs.file-max)" + again
    case EACCES, EPERM: " Check the owner and the mode of the folder" + again
    default: ""
    }
  }
}
