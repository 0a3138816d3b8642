import Foundation

/// The Python of PAIRLOOM_PEERS_PYTHON, or what `Tests/Support/peers.sh` made in `.build/peers`.
enum NumpyPeer {
  private static let python: String? = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let named = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"]
    let path = named ?? root.appendingPathComponent(".build/peers/bin/python").path
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }()

  static let isThere: Bool = {
    do {
      return try run("import numpy, pyarrow") == ""
    } catch {
      return false
    }
  }()

  struct Failure: Error {
    var output: String
  }

  /// What the code prints; its arguments are in `sys.argv[1:]`.
  static func run(_ code: String, _ arguments: String...) throws -> String {
    guard let python else { throw Failure(output: "no Python") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-B", "-c", code] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: data, as: UTF8.self)
    guard process.terminationStatus == 0 else { throw Failure(output: text) }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// A folder that goes when the test ends.
final class ScratchFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}
