import Foundation
import Testing

/// A Python with webdataset, where there is one: PAIRLOOM_PEERS_PYTHON, or the environment in
/// `.build/peers`.
enum PythonPeer {
  static let webdataset = python(with: "webdataset")
  /// Any Python has tarfile.
  static let tarfile = python(with: "tarfile") ?? "/usr/bin/python3"
  static let missing: Comment = "no Python with webdataset: name one in PAIRLOOM_PEERS_PYTHON"

  private static func python(with module: String) -> String? {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let named = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"]
    let path = named ?? root.appendingPathComponent(".build/peers/bin/python").path
    guard FileManager.default.isExecutableFile(atPath: path),
      // A Python without the module is no peer.
      (try? ShardTools.run("'\(path)' -W ignore -c 'import \(module)'")) != nil
    else { return nil }
    return path
  }

  /// What `script` prints, run with `arguments`.
  static func run(_ python: String, _ script: String, _ arguments: [String]) throws -> String {
    let file = NSTemporaryDirectory() + "pairloom-peer-\(UUID().uuidString).py"
    try script.write(toFile: file, atomically: true, encoding: .utf8)
    // What stays is in a temporary folder.
    defer { try? FileManager.default.removeItem(atPath: file) }
    let list = arguments.map { "'\($0)'" }.joined(separator: " ")
    return try ShardTools.run("'\(python)' -W ignore '\(file)' \(list)")
  }
}
