import Foundation

/// The built `pairloom`, run as a user runs it.
struct Program {
  /// It stands beside the test bundle.
  static let path: String = {
    let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return bundle.deletingLastPathComponent().appendingPathComponent("pairloom").path
  }()

  struct Result {
    var status: Int32
    var output: String
    var error: String
    /// The lines of standard output.
    var lines: [String] { output.split(separator: "\n").map(String.init) }
  }

  /// Runs the program to its end.
  @discardableResult
  static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Result {
    let process = make(arguments, environment: environment)
    let output = Pipe()
    let error = Pipe()
    process.standardOutput = output
    process.standardError = error
    try process.run()
    // Both pipes are drained at once, or a full one would hold the program up.
    nonisolated(unsafe) var errorData = Data()  // Sendable: written by one thread, read after join
    let reader = Thread { unsafe errorData = error.fileHandleForReading.readDataToEndOfFile() }
    reader.start()
    let outputData = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    while !reader.isFinished { Thread.sleep(forTimeInterval: 0.001) }
    return Result(
      status: process.terminationStatus, output: String(decoding: outputData, as: UTF8.self),
      error: String(decoding: unsafe errorData, as: UTF8.self))
  }

  /// Starts the program and kills it with SIGKILL after `seconds`, unless it has ended before.
  ///
  /// - Returns: Whether it was killed.
  static func runAndKill(_ arguments: [String], after seconds: Double) throws -> Bool {
    let process = make(arguments, environment: [:])
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    if ended.wait(timeout: .now() + seconds) == .success { return false }
    kill(process.processIdentifier, SIGKILL)
    ended.wait()
    return process.terminationReason == .uncaughtSignal
  }

  /// Starts the program, sends it a signal once `isReady`, and waits for its end.
  ///
  /// - Returns: Its exit code.
  static func runAndSignal(
    _ arguments: [String], _ signal: Int32, when isReady: () -> Bool
  ) throws -> Int32 {
    let process = make(arguments, environment: [:])
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    while process.isRunning && !isReady() { usleep(1_000) }
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    return process.terminationStatus
  }

  static func make(_ arguments: [String], environment: [String: String]) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    process.standardInput = FileHandle.nullDevice
    return process
  }
}

/// The demo's origin in a process of its own, with a list of its pictures.
final class DemoOrigin {
  let list: String
  let truth: String
  private let process = Process()
  private let lifeline = Pipe()

  init(rows: Int, seed: Int, folder: String) throws {
    list = folder + "/list.csv"
    truth = folder + "/truth.jsonl"
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments = [
      "demo-origin", "--rows", "\(rows)", "--seed", "\(seed)", "--folder", folder,
    ]
    process.standardInput = lifeline
    process.standardOutput = output
    try process.run()
    // The line says that the list is written and the port is open.
    _ = output.fileHandleForReading.availableData
  }

  deinit {
    process.terminate()
    process.waitUntilExit()
  }
}

/// A folder that goes with its owner.
final class TemporaryFolder {
  let path = NSTemporaryDirectory() + "pairloom-\(UUID().uuidString)"

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind: \(path)") }
  }
}

/// Every file below the given folders of a run: path → bytes.
func contents(of run: String, _ parts: [String]) throws -> [String: Data] {
  var files: [String: Data] = [:]
  for part in parts {
    let root = run + "/" + part
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: root, isDirectory: &isFolder) else { continue }
    let names =
      isFolder.boolValue
      ? try FileManager.default.subpathsOfDirectory(atPath: root).map { "\(part)/\($0)" } : [part]
    for name in names {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: run + "/" + name, isDirectory: &isFolder)
      if !isFolder.boolValue {
        files[name] = try Data(contentsOf: URL(fileURLWithPath: run + "/" + name))
      }
    }
  }
  return files
}
