import Foundation
import PipelineCore
import Testing

/// The Python of PAIRLOOM_PEERS_PYTHON, or what `Tests/Support/peers.sh` made in `.build/peers`.
enum ForeignPrograms {
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/readers.py").path

  private static let python: String? = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let named = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"]
    let path = named ?? root.appendingPathComponent(".build/peers/bin/python").path
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }()

  /// Whether that Python can import all these modules.
  static func has(_ modules: String...) -> Bool {
    guard let python else { return false }
    let imports = modules.map { "import \($0)" }.joined(separator: "\n")
    do {
      return try run(python, ["-c", imports]).status == 0
    } catch {
      return false
    }
  }

  struct Failure: Error {
    var output: String
  }

  /// The findings that `Fixtures/readers.py` prints.
  static func findings(_ arguments: [String]) throws -> [JSONValue] {
    guard let python else { throw Failure(output: "no Python") }
    let (status, output) = try run(python, ["-B", script] + arguments)
    guard status == 0 else { throw Failure(output: output) }
    return try output.split(separator: "\n").filter { $0.hasPrefix("{") }.map {
      try JSONValue.parse(Array($0.utf8))
    }
  }

  /// Both outputs go to one file: a child that a program leaves behind holds no pipe open.
  private static func run(_ program: String, _ arguments: [String]) throws -> (
    status: Int32, output: String
  ) {
    let path = NSTemporaryDirectory() + "foreign-" + UUID().uuidString
    #expect(FileManager.default.createFile(atPath: path, contents: nil))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = file
    process.standardError = file
    try process.run()
    process.waitUntilExit()
    try file.close()
    return (process.terminationStatus, try String(contentsOfFile: path, encoding: .utf8))
  }
}

extension JSONValue {
  /// The items of an array; nil for anything else.
  var items: [JSONValue]? {
    if case .array(let items) = self { items } else { nil }
  }
}
