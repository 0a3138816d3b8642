import Foundation

/// The border between the program and its C library, where tests make the Nth use of an operation fail.
///
/// Tests/Support/FailingCalls says what is counted and what is not.
struct FaultSeam: Sendable {
  /// What may fail; the words are those of the library, in its order.
  enum Kind: String, CaseIterable, Sendable {
    case write, sync, rename, unlink, open, resize, close, read, spawn, socket, sqlite

    /// What it may fail with: numbers of the system, of SQLite for its steps.
    var codes: [Int32] {
      switch self {
      case .write: [ENOSPC, EIO]
      case .sync: [EIO, ENOSPC]
      case .rename: [EIO, ENOSPC, EACCES]
      case .unlink: [EIO, EROFS]
      case .open: [EMFILE, ENFILE, ENOMEM, ENOSPC, EIO]
      case .resize: [ENOSPC, EIO, ENOMEM]
      case .close, .read: [EIO]
      case .spawn: [EAGAIN, ENOMEM, EMFILE]
      case .socket: [EMFILE, ENOMEM]
      case .sqlite: [10, 13, 7, 5, 14]  // IOERR, FULL, NOMEM, BUSY, CANTOPEN
      }
    }
  }

  /// Which processes fail: the program, or the decoders that it starts.
  enum Side: String, CaseIterable, Sendable { case main, worker }

  /// The uses that fail: the `number`th, from 1, or all from there on.
  struct Use: Sendable, CustomStringConvertible {
    var kind: Kind
    var side: Side
    var code: Int32
    var number: Int
    var isLasting: Bool

    var text: String { "\(kind.rawValue):\(code):\(number):\(isLasting ? "on" : "once")" }
    var description: String { "\(side.rawValue) \(text)" }
  }

  struct Outcome: Sendable {
    /// The exit code; nil where a signal ended it.
    var status: Int32?
    /// It had to be killed.
    var hung = false
    var output: String
    var error: String
    /// Uses by kind, of the process with the most of them.
    var counts: [Side: [Kind: Int]]
    /// How many uses were made to fail, and the first of them in words.
    var failed: Int
    var first: String
  }

  private let library: String

  /// Compiles the library with the compiler that Swift brings along.
  init(in folder: String) throws {
    library = folder + "/failing_calls.so"
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Support/FailingCalls/failing_calls.c").path
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/bin/sh")
    compiler.arguments = [
      "-c", "c=$(command -v clang || command -v cc) && exec $c \"$@\"", "sh",
      "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", source, "-o", library,
    ]
    try compiler.run()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
  }

  /// Runs the program to its end, 60 seconds at most.
  ///
  /// - Parameters:
  ///   - arguments: The command.
  ///   - root: The folder whose files count; the program's temporary files go there as well.
  ///   - list: A further file that counts.
  ///   - use: What fails; nothing when nil.
  /// - Returns: How it ended, and what it used.
  /// - Throws: What keeps the test from running it.
  func run(_ arguments: [String], in root: String, list: String, failing use: Use?) throws
    -> Outcome
  {
    let files = FileManager.default
    let side = root + ".told"
    if files.fileExists(atPath: side) { try files.removeItem(atPath: side) }
    for folder in [root + "/tmp", side + "/counts"] {
      try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    var environment = [
      "LD_PRELOAD": library, "FAILING_UNDER": "\(root):\(list)",
      "FAILING_COUNTS": side + "/counts", "FAILING_WORKER": "decode-worker",
      "TMPDIR": root + "/tmp",
      // The reporter of crashes would be loaded with the library as well.
      "SWIFT_BACKTRACE": "enable=no",
    ]
    if let use {
      environment["FAILING_USE"] = use.text
      environment["FAILING_IN"] = use.side.rawValue
    }
    let process = Program.make(arguments, environment: environment)
    let (outputPath, errorPath) = (side + "/out", side + "/err")
    for path in [outputPath, errorPath] { try Data().write(to: URL(fileURLWithPath: path)) }
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: outputPath))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errorPath))
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    let hung = ended.wait(timeout: .now() + 60) == .timedOut
    if hung {
      kill(process.processIdentifier, SIGKILL)
      ended.wait()
    }
    var outcome = Outcome(
      status: process.terminationReason == .exit ? process.terminationStatus : nil, hung: hung,
      output: try String(contentsOfFile: outputPath, encoding: .utf8),
      error: try String(contentsOfFile: errorPath, encoding: .utf8),
      counts: [:], failed: 0, first: "")
    try Self.addCounts(of: side + "/counts", to: &outcome)
    return outcome
  }

  /// Reads what the processes counted: `struct counts` of failing_calls.c.
  private static func addCounts(of folder: String, to outcome: inout Outcome) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      guard let word = name.split(separator: ".").last, let side = Side(rawValue: String(word))
      else { continue }
      let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
      // A process that was killed as it began has counted nothing.
      guard data.count > 8 * (Kind.allCases.count + 1) else { continue }
      func number(_ place: Int) -> Int {
        data[8 * place..<8 * place + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
      }
      for (place, kind) in Kind.allCases.enumerated() {
        outcome.counts[side, default: [:]][kind] = max(
          outcome.counts[side]?[kind] ?? 0, number(place))
      }
      let failed = number(Kind.allCases.count)
      guard failed > 0 else { continue }
      outcome.failed += failed
      let text = data[(8 * (Kind.allCases.count + 1))...].prefix { $0 != 0 }
      outcome.first = String(decoding: text, as: UTF8.self)
    }
  }
}
