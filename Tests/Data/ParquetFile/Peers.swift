import Foundation
import Testing

/// A Python with pyarrow, where there is one: PAIRLOOM_PEERS_PYTHON, or what
/// `Tests/Support/peers.sh` made in `.build/peers`.
enum Peers {
  static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  static let python: String? = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let named = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"]
    let path = named ?? root.appendingPathComponent(".build/peers/bin/python").path
    guard FileManager.default.isExecutableFile(atPath: path),
      let output = try? run(path, ["-c", "import pyarrow"]), output.isEmpty  // else it is no peer
    else { return nil }
    return path
  }()

  static let missing: Comment = "no Python with pyarrow: run Tests/Support/peers.sh to have one"

  struct Failure: Error {
    var output: String
  }

  /// What `Fixtures/peer.py` prints.
  static func peer(_ arguments: [String]) throws -> String {
    guard let python else { throw Failure(output: "no Python with pyarrow") }
    return try run(python, ["-B", fixtures.appendingPathComponent("peer.py").path] + arguments)
  }

  private static func run(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: bytes, as: UTF8.self)
    guard process.terminationStatus == 0 else { throw Failure(output: text) }
    return text
  }
}
