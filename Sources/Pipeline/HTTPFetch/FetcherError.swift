import Glibc

/// Why a fetcher could not be set up: this machine, not the network.
public struct FetcherError: Error, Equatable, CustomStringConvertible {
  public var operation: String
  public var detail: String

  init(operation: String, detail: String) {
    self.operation = operation
    self.detail = detail
  }

  /// - Parameter systemCall: The call that has just set errno.
  init(systemCall: String) {
    self.init(operation: systemCall, detail: unsafe String(cString: strerror(errno)))
  }

  public var description: String { "fetcher: \(operation): \(detail)" }
}
