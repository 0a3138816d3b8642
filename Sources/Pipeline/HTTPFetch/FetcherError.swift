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
  ///   - remedy: A sentence on what to do about it; a full disk has one of its own.
  init(systemCall: String, errorNumber: Int32 = errno, remedy: String = "") {
    let isFull = errorNumber == ENOSPC && remedy.isEmpty
    let remedy =
      isFull ? "Free some space, then run the same command again: it resumes." : remedy
    self.init(
      operation: systemCall,
      detail: unsafe String(cString: strerror(errorNumber))
        + (remedy.isEmpty ? "" : ". " + remedy))
    self.errorNumber = errorNumber
  }

  public var description: String { "fetcher: \(operation): \(detail)" }
}
