/// How a worker process is started.
public struct WorkerCommand: Sendable, Equatable {
  /// The program's path; `/proc/self/exe` is this program, even after its file was replaced.
  public var executable: String
  public var arguments: [String]
  /// Laid over this process's environment.
  public var environment: [String: String]

  public init(executable: String, arguments: [String] = [], environment: [String: String] = [:]) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
  }
}

/// What a worker process may use up on one request.
public struct WorkerLimits: Sendable, Equatable {
  /// Bytes that it may allocate beyond what it has when it starts to serve.
  public var memory: Int
  /// Seconds of processor time.
  public var cpuSeconds: Int
  /// Seconds until the answer is there, whatever the worker waits for.
  public var wallSeconds: Double
  /// Bytes of one answer; a longer one counts as garbage.
  public var answerBytes: Int

  public init(
    memory: Int = 1 << 30, cpuSeconds: Int = 30, wallSeconds: Double = 120,
    answerBytes: Int = 1 << 28
  ) {
    precondition(memory > 0 && cpuSeconds > 0 && wallSeconds > 0 && answerBytes > 0)
    self.memory = memory
    self.cpuSeconds = cpuSeconds
    self.wallSeconds = wallSeconds
    self.answerBytes = answerBytes
  }
}
