import Foundation

/// The tools that read our shards elsewhere.
enum ShardTools {
  /// Runs a shell command and gives its output; the exit code must be 0.
  static func run(_ command: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: bytes, as: UTF8.self)
    guard process.terminationStatus == 0 else { throw Failure(command: command, output: text) }
    return text
  }

  struct Failure: Error {
    var command: String
    var output: String
  }
}
