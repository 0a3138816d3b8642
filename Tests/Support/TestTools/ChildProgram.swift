public import Foundation

/// A program that a test starts and waits for.
///
/// To wait holds no thread of Swift's pool, which has one for each core: other tests go on meanwhile, and their
/// times hold. One such program runs at a time, for many take gigabytes and every core.
public enum ChildProgram {
  /// What it left.
  public struct Output: Sendable {
    public var status: Int32
    public var bytes: [UInt8]
    public var errors: String

    /// Standard output.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  /// It ended with another status than 0.
  public struct Failure: Error, CustomStringConvertible {
    public var description: String
  }

  private static let turns = Turns()

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - program: The path of an executable.
  ///   - arguments: Without the program's name.
  ///   - input: A file for standard input; nil is an empty one.
  ///   - environment: Variables beside those of this process.
  /// - Returns: What it left, whatever its status.
  /// - Throws: Where it cannot be started.
  public static func output(
    of program: String, _ arguments: [String], input: URL? = nil,
    environment: [String: String] = [:]
  ) async throws -> Output {
    await turns.take()
    let result: Result<Output, any Error>
    do {
      result = .success(try await start(program, arguments, input, environment))
    } catch {
      result = .failure(error)
    }
    await turns.give()
    return try result.get()
  }

  /// As ``output(of:_:input:environment:)``, where only a status of 0 will do.
  ///
  /// - Throws: ``Failure`` with all that the program said.
  public static func run(
    _ program: String, _ arguments: [String], input: URL? = nil,
    environment: [String: String] = [:]
  ) async throws -> Output {
    let output = try await output(of: program, arguments, input: input, environment: environment)
    guard output.status == 0 else {
      let words = arguments.map { String($0.prefix(80)) }.joined(separator: " ")
      throw Failure(
        description: "\(program) \(words): status \(output.status)\n\(output.text)\(output.errors)")
    }
    return output
  }

  private static func start(
    _ program: String, _ arguments: [String], _ input: URL?, _ environment: [String: String]
  ) async throws -> Output {
    try await ScratchFolder.use { folder in
      // Files, and no pipes: a child that the program leaves behind holds none open.
      let (out, errors) = (folder + "/out", folder + "/errors")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      process.standardInput = try input.map { try FileHandle(forReadingFrom: $0) } ?? .nullDevice
      process.standardOutput = try written(out)
      process.standardError = try written(errors)
      try await withCheckedThrowingContinuation { (end: CheckedContinuation<Void, any Error>) in
        process.terminationHandler = { _ in end.resume() }
        do { try process.run() } catch { end.resume(throwing: error) }
      }
      return Output(
        status: process.terminationStatus,
        bytes: [UInt8](try Data(contentsOf: URL(fileURLWithPath: out))),
        errors: String(
          decoding: try Data(contentsOf: URL(fileURLWithPath: errors)), as: UTF8.self))
    }
  }

  private static func written(_ path: String) throws -> FileHandle {
    try Data().write(to: URL(fileURLWithPath: path))
    return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  }
}

/// Lets one in at a time, in order of arrival.
private actor Turns {
  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func take() async {
    guard isTaken else {
      isTaken = true
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  func give() {
    if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
  }
}
