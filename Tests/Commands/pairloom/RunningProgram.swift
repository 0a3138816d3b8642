import Foundation

/// The built `pairloom`, running beside the test.
final class RunningProgram {
  private let process: Process
  private let errorPath: String
  private let ended = DispatchSemaphore(value: 0)

  /// Starts it; what it says goes into a file below `folder`.
  ///
  /// - Parameters:
  ///   - arguments: The program's.
  ///   - folder: Of the file.
  ///   - environment: Laid over this process's.
  ///   - wrapper: A program with its arguments that becomes the one that is tested.
  /// - Throws: What the system refuses.
  init(
    _ arguments: [String], in folder: String, environment: [String: String] = [:],
    through wrapper: [String] = []
  ) throws {
    process = Program.make(arguments, environment: environment)
    if let program = wrapper.first {
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = wrapper.dropFirst() + [Program.path] + arguments
    }
    errorPath = folder + "/\(UUID().uuidString).err"
    try Data().write(to: URL(fileURLWithPath: errorPath))
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errorPath))
    process.terminationHandler = { [ended] _ in ended.signal() }
    try process.run()
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  var identifier: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }
  /// Whether SIGKILL has ended it.
  var wasKilled: Bool {
    !process.isRunning && process.terminationReason == .uncaughtSignal
      && process.terminationStatus == SIGKILL
  }

  /// Waits until `condition` holds; false when the program has ended before.
  func wait(until condition: () throws -> Bool) throws -> Bool {
    while process.isRunning {
      if try condition() { return true }
      Thread.sleep(forTimeInterval: 0.002)
    }
    return false
  }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits for the end.
  ///
  /// - Returns: Status and standard error; nil when it still runs after `seconds`.
  func end(within seconds: Double) throws -> (status: Int32, error: String)? {
    guard ended.wait(timeout: .now() + seconds) == .success else { return nil }
    return (process.terminationStatus, try String(contentsOfFile: errorPath, encoding: .utf8))
  }

  /// The processes of the ranks that it has started, by rank.
  func ranks() throws -> [Int: Int32] {
    var found: [Int: Int32] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
      // A process may end between the listing and the reading.
      guard let identifier = Int32(name),
        let status = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
        // Behind the name in parentheses: state, parent.
        let parent = status.split(separator: ")").last?.split(separator: " ").dropFirst().first,
        Int32(parent) == process.processIdentifier,
        let environment = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(name)/environ"))
      else { continue }
      for entry in environment.split(separator: 0) {
        let text = String(decoding: entry, as: UTF8.self)
        guard text.hasPrefix("PAIRLOOM_RANK="), let rank = Int(text.dropFirst(14)) else { continue }
        found[rank] = identifier
      }
    }
    return found
  }
}
