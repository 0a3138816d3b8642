public import Foundation
public import Testing

/// The Python with the libraries that ours are held against: that of PAIRLOOM_PEERS_PYTHON, else what
/// `Tests/Support/peers.sh` made in `.build/peers`.
public enum PeerPython {
  /// Nil where there is none.
  public static let path: String? = {
    let named = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"]
    let path = named ?? ProjectFolder.root + "/.build/peers/bin/python"
    let isThere = FileManager.default.isExecutableFile(atPath: path)
    // A misspelt name would skip what was asked for.
    precondition(named == nil || isThere, "PAIRLOOM_PEERS_PYTHON: \(path) is no program")
    return isThere ? path : nil
  }()

  /// Whether it imports all these modules; asked once each.
  public static func has(_ modules: [String]) async -> Bool {
    guard path != nil else { return false }
    return await Imports.shared.work(modules)
  }

  /// Runs a script or, with `-c`, code to its end.
  ///
  /// - Parameters:
  ///   - arguments: As Python takes them.
  ///   - input: A file for standard input.
  /// - Returns: What it printed.
  /// - Throws: ``ChildProgram/Failure``.
  public static func run(_ arguments: [String], input: URL? = nil) async throws
    -> ChildProgram.Output
  {
    guard let path else { throw ChildProgram.Failure(description: "there is no Python of peers") }
    // No warnings, and nothing compiled beside the scripts.
    return try await ChildProgram.run(path, ["-W", "ignore", "-B"] + arguments, input: input)
  }

  /// What the code prints, without the line's end; its arguments are in `sys.argv[1:]`.
  public static func run(code: String, _ arguments: String...) async throws -> String {
    try await run(["-c", code] + arguments).text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// A program of that Python's environment; nil where it has none of the name.
  public static func program(_ name: String) -> String? {
    let program = path.map {
      URL(fileURLWithPath: $0).deletingLastPathComponent().path + "/" + name
    }
    return program.flatMap { FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil }
  }

  /// Remembers what can be imported: a start of torch takes seconds.
  private actor Imports {
    static let shared = Imports()
    private var known: [String: Task<Bool, Never>] = [:]

    func work(_ modules: [String]) async -> Bool {
      let code = modules.map { "import \($0)" }.joined(separator: "\n")
      if let task = known[code] { return await task.value }
      let task = Task {
        // A Python that does not start is no peer either.
        (try? await PeerPython.run(["-c", code])) != nil
      }
      known[code] = task
      return await task.value
    }
  }
}

extension Trait where Self == ConditionTrait {
  /// Only where the peers' Python imports these modules.
  public static func peers(_ modules: String...) -> Self {
    .enabled(
      "no Python with \(modules.joined(separator: ", ")): name one in PAIRLOOM_PEERS_PYTHON"
    ) { await PeerPython.has(modules) }
  }
}
