import Foundation
import TensorEngine
import Testing

/// open_clip itself, where PAIRLOOM_PEERS_PYTHON names a Python that has it.
enum OpenCLIP {
  static let python = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"]
  static let missing: Comment = "name a Python with open_clip in PAIRLOOM_PEERS_PYTHON"

  private static let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in
    url.deletingLastPathComponent()
  }

  /// The shared pictures and captions, where they are.
  static var data: String? {
    let path = root.appendingPathComponent("../shared/data").standardized.path
    return FileManager.default.fileExists(atPath: path + "/corpus/captions.jsonl") ? path : nil
  }

  /// What `Tests/Support/Peers/clip_features.py` prints.
  static func run(_ arguments: [String]) throws -> Data {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(python))
    let script = root.appendingPathComponent("Tests/Support/Peers/clip_features.py").path
    process.arguments = ["-W", "ignore", script] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(arguments)")
    return bytes
  }
}
