import Glibc

/// Why a fetcher could not be set up, or could not go on: this machine, not the network.
public struct FetcherError: Error, Equatable, CustomStringConvertible {
  public var operation: String
  public var detail: String
  /// The system's error number, where a system call failed.
  public var errorNumber: Int32?

  init(operation: String, detail: String) {
    self.operation = operation
    self.detail = detail
  }

  /// - Parameters:
  ///   - systemCall: The call that failed, and on what.
  ///   - errorNumber: What it failed with; by default, the present errno.
  ///   - remedy: A sentence on what to do about it; by default the usual one for that number.
  init(systemCall: String, errorNumber: Int32 = errno, remedy: String = "") {
    let remedy = remedy.isEmpty ? Self.usualRemedy(errorNumber) : remedy
    self.init(
      operation: systemCall,
      detail: unsafe String(cString: strerror(errorNumber))
        + (remedy.isEmpty ? "" : ". " + remedy))
    self.errorNumber = errorNumber
  }

  private static func usualRemedy(_ errorNumber: Int32) -> String {
    let again = ", then run the same command again"
    return switch errorNumber {
    case ENOSPC, EDQUOT: "Free some space" + again
    case EMFILE: "Raise the limit on open files (ulimit -n)" + again
    case ENFILE: "End other programs or raise the system's limit (fs.file-max)" + again
    case ENOMEM, ENOBUFS: "Memory is short: end other programs" + again
    case EIO: "The disk or its connection is at fault (see `dmesg`): mend that" + again
    default: ""
    }
  }

  public var description: String { "fetcher: \(operation): \(detail)" }
}
