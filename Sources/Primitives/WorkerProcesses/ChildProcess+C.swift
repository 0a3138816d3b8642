import Glibc

/// A child of this process with a socket on its standard input.
///
/// It has its own process group, so that Ctrl-C at the terminal reaches the parent alone; all signals
/// are at their defaults and none is blocked; it has no other descriptor of this process, close-on-exec
/// or not: a connection that a worker holds too would stay open. What it writes to standard output and standard error is kept, up to what a
/// socket holds, for the one who asks why it died.
///
/// Sendable: it does not change; the system guards processes and sockets.
struct ChildProcess: Sendable {
  let identifier: pid_t
  /// This side of its standard input; reading waits for a tenth of a second at most.
  let channel: Int32
  private let complaints: Int32

  /// Starts `command`; its environment says that Swift's own crash report is not wanted, which takes
  /// seconds and goes to the terminal.
  static func start(_ command: WorkerCommand) throws(WorkerError) -> ChildProcess {
    func refusal(_ call: String, _ code: Int32) -> WorkerError {
      .cannotStart(
        executable: command.executable,
        problem: "\(call): \(unsafe String(cString: strerror(code)))" + advice(code))
    }
    heedDeaths()
    // Both sides of one socket: requests down and answers up, and one for complaints.
    var channel: [Int32] = [-1, -1]
    var complaints: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &channel) == 0 else {
      throw refusal("socketpair", errno)
    }
    guard
      unsafe socketpair(AF_UNIX, kind | Int32(SOCK_NONBLOCK.rawValue), 0, &complaints) == 0
    else {
      let code = errno
      for descriptor in channel { close(descriptor) }
      throw refusal("socketpair", code)
    }
    defer {
      close(channel[1])
      close(complaints[1])
    }
    var identifier: pid_t = 0
    let code = spawn(command, channel[1], complaints[1], &identifier)
    guard code == 0 else {
      close(channel[0])
      close(complaints[0])
      throw refusal("posix_spawn", code)
    }
    var glance = timeval(tv_sec: 0, tv_usec: 100_000)
    unsafe setsockopt(
      channel[0], SOL_SOCKET, SO_RCVTIMEO, &glance, socklen_t(MemoryLayout<timeval>.size))
    return ChildProcess(
      identifier: identifier, channel: channel[0], complaints: complaints[0])
  }

  /// Has the system keep how children end, which it does not where SIGCHLD is ignored.
  ///
  /// A program inherits that from the one that started it. A handler that somebody has set stays.
  private static func heedDeaths() {
    var action = sigaction()
    unsafe sigaction(SIGCHLD, nil, &action)
    // SIG_IGN is 1 on Linux.
    let isIgnored = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    let keepsNone = action.sa_flags & Int32(SA_NOCLDWAIT) != 0
    guard isIgnored || keepsNone else { return }
    if isIgnored { unsafe action.__sigaction_handler.sa_handler = SIG_DFL }
    action.sa_flags &= ~Int32(SA_NOCLDWAIT)
    unsafe sigaction(SIGCHLD, &action, nil)
  }

  private static func spawn(
    _ command: WorkerCommand, _ input: Int32, _ output: Int32, _ identifier: inout pid_t
  ) -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for (here, there) in [
      (input, STDIN_FILENO), (output, STDOUT_FILENO), (output, STDERR_FILENO),
    ] {
      let code = unsafe posix_spawn_file_actions_adddup2(&actions, here, there)
      guard code == 0 else { return code }
    }
    let code = unsafe closeOthers(&actions)
    guard code == 0 else { return code }
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    // A thread of a dispatch queue has signals blocked, and this program ignores some: a child would
    // inherit both.
    var none = sigset_t()
    var all = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
    let variables = environment(command.environment)
    return unsafe withCStrings([command.executable] + command.arguments) { arguments in
      unsafe withCStrings(variables) { variables in
        unsafe posix_spawn(
          &identifier, command.executable, &actions, &attributes, arguments, variables)
      }
    }
  }

  /// Has the child close what libraries have opened without close-on-exec.
  ///
  /// By name, since Swift sees only what glibc declares without _GNU_SOURCE; there since glibc 2.34.
  private static func closeOthers(_ actions: inout posix_spawn_file_actions_t) -> Int32 {
    typealias CloseFrom =
      @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
    guard let symbol = unsafe dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
      return 0
    }
    return unsafe unsafeBitCast(symbol, to: CloseFrom.self)(&actions, 3)
  }

  /// `NAME=VALUE` of this process with `additions` laid over it.
  private static func environment(_ additions: [String: String]) -> [String] {
    let changes = additions.merging(["SWIFT_BACKTRACE": "enable=no"]) { given, _ in given }
    var lines: [String] = []
    var next = unsafe environ
    while let line = unsafe next.pointee {
      let text = unsafe String(cString: line)
      let name = String(text.prefix { $0 != "=" })
      if changes[name] == nil { lines.append(text) }
      unsafe next += 1
    }
    return lines + changes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }

  private static func withCStrings<R>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
  ) -> R {
    let copies = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe copies.forEach { unsafe free($0) } }
    return unsafe copies.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("an empty list of strings") }
      return unsafe body(base)
    }
  }

  private static func advice(_ code: Int32) -> String {
    switch code {
    case EMFILE: ". Raise the limit on open files (ulimit -n)"
    case ENFILE: ". End other programs, or raise the system's limit (fs.file-max)"
    case EAGAIN: ". Raise the limit on processes (ulimit -u), or end others"
    case ENOMEM, ENOBUFS: ". Memory is short: end other programs, or use fewer workers"
    default: ""
    }
  }

  /// Kills it if it is not ending by itself, waits for its end, and closes the sockets.
  ///
  /// - Parameter patience: Milliseconds in which it may end by itself.
  /// - Returns: Its status, as waitpid(2) has it, and what it wrote to standard error.
  func end(patience: Int) -> (status: Int32, complaint: String) {
    var status: Int32 = 0
    var waited = 0
    var result: pid_t = 0
    while true {
      result = unsafe waitpid(identifier, &status, WNOHANG)
      if result != 0 && !(result < 0 && errno == EINTR) { break }
      if waited >= patience {
        kill(identifier, SIGKILL)
        repeat {
          result = unsafe waitpid(identifier, &status, 0)
        } while result < 0 && errno == EINTR
        break
      }
      usleep(1_000)
      waited += 1
    }
    let complaint = complaint()
    close(channel)
    close(complaints)
    return (result == identifier ? status : 0, complaint)
  }

  private func complaint() -> String {
    let limit = 1 << 16
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
      while filled < limit {
        let rest = unsafe UnsafeMutableRawBufferPointer(
          UnsafeMutableBufferPointer(rebasing: buffer[filled...]))
        let count = unsafe recv(complaints, rest.baseAddress, rest.count, Int32(MSG_DONTWAIT))
        if count <= 0 { return }
        filled += count
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
