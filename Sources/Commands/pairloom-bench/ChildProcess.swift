import Foundation

/// This program, started again with other arguments; it shares standard output and error.
struct ChildProcess {
  private let process = Process()
  private let arguments: [String]

  /// The command failed; what it has to say stands on standard error.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  init(_ arguments: [String], environment: [String: String] = [:]) throws {
    self.arguments = arguments
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment
      .merging(environment) { _, new in new }
    try process.run()
  }

  /// Waits for its end.
  func requireSuccess() throws {
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw Failure(
        description: "pairloom-bench \(arguments.joined(separator: " ")) ended with "
          + "\(process.terminationStatus); run it alone to see why")
    }
  }

  /// Ends it at once; fine when it has ended.
  func kill() {
    if process.isRunning { _ = Foundation.kill(process.processIdentifier, SIGKILL) }
  }
}
