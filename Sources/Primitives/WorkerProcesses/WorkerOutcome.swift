/// What came of one request.
public enum WorkerOutcome: Sendable, Equatable {
  case answer([UInt8])
  case failed(WorkerFailure)
}

/// How a worker process failed at a request; it is gone then.
public enum WorkerFailure: Error, Sendable, Equatable, CustomStringConvertible {
  /// It was ended by a signal that this process did not send.
  case signal(Int32)
  /// It left with this code.
  case exited(Int32)
  /// It used up its processor time.
  case cpuTime
  /// It gave no answer in time.
  case wallTime
  /// It asked for more memory than it may have.
  case memory
  /// What it wrote is no answer, or a longer one than allowed.
  case garbage

  /// A signal's name, `memory`, `cpu`, `wall` and the like: the same word for the same failure.
  public var description: String {
    switch self {
    case .signal(let number): Self.names[number] ?? "signal \(number)"
    case .exited(let code): "exit code \(code)"
    case .cpuTime: "cpu"
    case .wallTime: "wall"
    case .memory: "memory"
    case .garbage: "garbage"
    }
  }

  /// Whether somebody has ended the worker, such as a person or a system short of memory: no program
  /// does so to itself by accident.
  var isFromOutside: Bool {
    guard case .signal(let number) = self else { return false }
    return [1, 2, 9, 15].contains(number)  // SIGHUP, SIGINT, SIGKILL, SIGTERM
  }

  /// The signals that end a process by default (Linux on x86-64 and arm64, signal(7)).
  private static let names: [Int32: String] = [
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS",
    8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
    24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
  ]
}

/// Why no worker process can be had.
public enum WorkerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The system refuses to start one, or it ends before it is ready, several times in a row.
  case cannotStart(executable: String, problem: String)
  /// The one who waited has lost interest; the worker was killed.
  case cancelled

  public var description: String {
    switch self {
    case .cannotStart(let executable, let problem):
      "\(executable): cannot start worker processes: \(problem)"
    case .cancelled: "cancelled"
    }
  }
}
