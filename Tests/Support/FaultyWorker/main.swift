import Glibc
import WorkerProcesses

// A worker that does what its requests say; most of it badly.

/// What is before and after the first colon of a request.
func parts(_ request: [UInt8]) -> (word: String, rest: [UInt8]) {
  let word = request.prefix { $0 != UInt8(ascii: ":") }
  return (String(decoding: word, as: UTF8.self), Array(request.dropFirst(word.count + 1)))
}

/// Writes straight to the socket, past the server.
func send(raw bytes: [UInt8]) {
  _ = bytes.withUnsafeBytes { send(STDIN_FILENO, $0.baseAddress, $0.count, 0) }
}

func descriptors() -> [Int32] { (Int32(0)..<1_024).filter { fcntl($0, F_GETFD) != -1 } }

func blockedSignals() -> [Int32] {
  var blocked = sigset_t()
  sigprocmask(SIG_BLOCK, nil, &blocked)
  return (Int32(1)..<32).filter { sigismember(&blocked, $0) == 1 }
}

func ignoredSignals() -> [Int32] {
  (Int32(1)..<32).filter { number in
    var action = sigaction()
    sigaction(number, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }
}

func burn() -> Never {
  var x: UInt64 = 1
  while true {
    x = x &* 6_364_136_223_846_793_005 &+ 1
    if x == 0 { print(x) }
  }
}

/// Takes memory until there is none.
func exhaust() -> Int {
  var held: [[UInt8]] = []
  while true { held.append([UInt8](repeating: UInt8(held.count & 0xFF), count: 1 << 20)) }
}

nonisolated(unsafe) var served = 0  // Sendable: one thread serves

if CommandLine.arguments.contains("die") {
  _ = Array("I will not start\n".utf8).withUnsafeBytes {
    write(STDERR_FILENO, $0.baseAddress, $0.count)
  }
  exit(3)
}
// A program that is no worker at all.
if CommandLine.arguments.contains("foreign") {
  send(raw: Array("Hello, this is another program.\n".utf8))
  pause()
}
/// Starts a worker of its own, asks it for something, and tells its process: the parent of a test.
if CommandLine.arguments.contains("parent") {
  let pool = WorkerPool(
    WorkerCommand(executable: "/proc/self/exe"), limits: WorkerLimits(wallSeconds: 1_000))
  let outcomes = try pool.outcomes(of: [Array("pid".utf8)])
  if case .answer(let text) = outcomes[0] {
    print(String(decoding: text, as: UTF8.self))
    fflush(nil)
  }
  _ = try pool.outcomes(of: [Array(CommandLine.arguments[2].utf8)])
  exit(0)
}

/// Ignores the deaths of children, as some parents teach theirs, and tells how a worker ended.
if CommandLine.arguments.contains("ignoring") {
  signal(SIGCHLD, SIG_IGN)
  let pool = WorkerPool(WorkerCommand(executable: "/proc/self/exe"), limits: WorkerLimits())
  print(try pool.outcomes(of: [Array("exit".utf8), Array("segv".utf8)]))
  fflush(nil)
  exit(0)
}

WorkerServer.serve { greeting in
  { request in
    served += 1
    let (word, rest) = parts(request)
    switch word {
    case "echo": return rest
    case "greeting": return greeting
    case "served": return Array("\(served)".utf8)
    case "pid": return Array("\(getpid())".utf8)
    case "group": return Array("\(getpgrp())".utf8)
    case "state":
      return Array("\(descriptors()) \(blockedSignals()) \(ignoredSignals())".utf8)
    case "core":
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
      return Array("\(limit.rlim_cur)".utf8)
    case "segv": kill(getpid(), SIGSEGV)
    case "trap": preconditionFailure("asked to")
    case "abort": abort()
    case "exit": exit(7)
    case "killed": kill(getpid(), SIGKILL)
    case "killed-times":
      // NUMBER:FILE: as somebody's victim, so many times; the file counts them.
      let (number, path) = parts(rest)
      let file = open(String(decoding: path, as: UTF8.self), O_WRONLY | O_CREAT | O_APPEND, 0o600)
      let count = Int(lseek(file, 0, SEEK_END))
      write(file, "x", 1)
      if count < Int(number) ?? 0 { kill(getpid(), SIGKILL) }
      return Array("\(count)".utf8)
    case "once":
      // Only a worker that has done something else before fails.
      if served > 1 { abort() }
      return rest
    case "hang": while true { pause() }
    case "mark":
      // Tells by a file that it hangs.
      close(creat(String(decoding: rest, as: UTF8.self), 0o600))
      while true { pause() }
    case "spin": burn()
    case "work":
      // Half a second of processor time: many of them are more than one request may have.
      let start = clock()
      while clock() - start < 500_000 {}
      return rest
    case "memory": return Array("\(exhaust())".utf8)
    case "want": WorkerServer.endForWantOfMemory()
    case "garbage": send(raw: Array("this is no answer, is it?".utf8))
    case "number":
      send(raw: Array("PWF1".utf8) + [0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
    case "long":
      // A head that promises four gigabytes.
      let number = UInt32(served)
      let bytes = (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
      send(raw: Array("PWF1".utf8) + bytes + [0xFF, 0xFF, 0xFF, 0xFF])
    case "noise":
      print(String(repeating: "noise ", count: 100_000))
      return rest
    case "close":
      shutdown(STDIN_FILENO, Int32(SHUT_RDWR))
      while true { pause() }
    case "size":
      return [UInt8](repeating: 1, count: Int(String(decoding: rest, as: UTF8.self)) ?? 0)
    default: break
    }
    while true { pause() }
  }
}
