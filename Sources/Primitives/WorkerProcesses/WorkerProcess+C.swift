import Glibc

/// One running worker and the conversation with it.
///
/// Sendable: its variables are touched by the one caller to whom the pool has handed it.
final class WorkerProcess: @unchecked Sendable {
  private let child: ChildProcess
  private let limits: WorkerLimits
  private var number: UInt32 = 0
  private var isOver = false
  /// Bytes that came and are no whole answer yet.
  private var incoming: [UInt8] = []
  /// What recv(2) fills.
  private var window = [UInt8](repeating: 0, count: 1 << 17)

  /// The code with which a worker leaves that could not have the memory it asked for.
  static let memoryCode: Int32 = 97
  /// How often a waiting thread looks whether it is still wanted, milliseconds.
  private static let glance: Int64 = 100
  /// Seconds until a worker is ready: its libraries may lie on a slow disk.
  private static let startTime: Double = 60

  /// Starts a worker and waits until it is ready.
  init(
    _ command: WorkerCommand, limits: WorkerLimits, greeting: [UInt8],
    isCancelled: () -> Bool
  ) throws(WorkerError) {
    child = try ChildProcess.start(command)
    self.limits = limits
    let hello = Greeting(memory: limits.memory, cpuSeconds: limits.cpuSeconds, body: greeting)
    let (answers, failure) = try converse(
      [hello.bytes], seconds: Self.startTime, firstNumber: 0, isCancelled)
    if let failure {
      throw .cannotStart(
        executable: command.executable,
        problem: "a worker ended before it was ready: \(failure.reason)"
          + (failure.complaint.isEmpty ? "" : "; it said: \(Self.lastLines(failure.complaint))"))
    }
    guard answers == [[]] else {
      _ = child.end(patience: 0)
      isOver = true
      throw .cannotStart(
        executable: command.executable, problem: "it is no worker of this program")
    }
  }

  deinit { if !isOver { _ = child.end(patience: 0) } }

  /// Whether it may be asked again.
  var isAlive: Bool { !isOver }

  /// Sends requests and collects the answers, in order.
  ///
  /// - Returns: The answers up to the first request at which the worker failed, and how it failed.
  func answers(
    to requests: ArraySlice<[UInt8]>, isCancelled: () -> Bool
  ) throws(WorkerError) -> (answers: [[UInt8]], failure: WorkerFailure?) {
    let first = number &+ 1
    number &+= UInt32(requests.count)
    let (answers, failure) = try converse(
      requests, seconds: limits.wallSeconds, firstNumber: first, isCancelled)
    return (answers, failure?.reason)
  }

  private struct Death {
    var reason: WorkerFailure
    var complaint: String
  }

  private enum Turn { case goOn, silence, failed(WorkerFailure?) }

  private func converse(
    _ requests: ArraySlice<[UInt8]>, seconds: Double, firstNumber: UInt32, _ isCancelled: () -> Bool
  ) throws(WorkerError) -> (answers: [[UInt8]], failure: Death?) {
    precondition(!isOver, "a worker that has failed is not asked again")
    var answers: [[UInt8]] = []
    var next = requests.startIndex
    var outgoing: [UInt8] = []
    var sent = 0
    var deadline = Self.now() + Int64(seconds * 1_000)
    while answers.count < requests.count {
      if sent == outgoing.count, next < requests.endIndex {
        let place = UInt32(next - requests.startIndex)
        outgoing = WireFrame.bytes(number: firstNumber &+ place, requests[next])
        sent = 0
        next += 1
      }
      let wait = max(0, min(Self.glance, deadline - Self.now()))
      switch turn(outgoing, &sent, wait: wait) {
      case .failed(let reason): return (answers, death(reason))
      case .silence:
        if isCancelled() {
          _ = death(.wallTime)
          throw .cancelled
        }
        // Only a worker that is silent is late: this process may have been stopped meanwhile.
        if Self.now() >= deadline { return (answers, death(.wallTime)) }
      case .goOn:
        let before = answers.count
        while answers.count < requests.count {
          guard incoming.count >= WireFrame.byteCount else { break }
          guard let head = WireFrame(incoming[..<WireFrame.byteCount]),
            head.number == firstNumber &+ UInt32(answers.count), head.length <= limits.answerBytes
          else { return (answers, death(.garbage)) }
          let end = WireFrame.byteCount + head.length
          guard incoming.count >= end else { break }
          answers.append(Array(incoming[WireFrame.byteCount..<end]))
          incoming.removeFirst(end)
        }
        if answers.count > before { deadline = Self.now() + Int64(seconds * 1_000) }
        if isCancelled() {
          _ = death(.wallTime)
          throw .cancelled
        }
        // Even a worker that talks all the time has to come to an end.
        if Self.now() >= deadline { return (answers, death(.wallTime)) }
      }
    }
    return (answers, nil)
  }

  /// Waits until something can be read or written, and does it.
  private func turn(_ outgoing: [UInt8], _ sent: inout Int, wait: Int64) -> Turn {
    // All is on its way: to read at once spares a system call for each answer.
    if sent == outgoing.count { return receive(flags: 0) }
    var poller = pollfd(fd: child.channel, events: Int16(POLLIN | POLLOUT), revents: 0)
    let ready = unsafe poll(&poller, 1, Int32(wait))
    if ready < 0 && errno != EINTR { return .failed(.garbage) }
    if ready <= 0 { return .silence }
    if poller.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
      if case .failed(let reason) = receive(flags: Int32(MSG_DONTWAIT)) { return .failed(reason) }
    }
    if poller.revents & Int16(POLLOUT) != 0 {
      let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
      let count = unsafe outgoing.withUnsafeBytes {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: $0[sent...])
        return unsafe send(child.channel, rest.baseAddress, rest.count, flags)
      }
      // A worker that is gone has perhaps left answers to read: reading tells when they end.
      if count > 0 { sent += count }
    }
    return .goOn
  }

  /// Takes what has come.
  private func receive(flags: Int32) -> Turn {
    let count = unsafe window.withUnsafeMutableBytes {
      unsafe recv(child.channel, $0.baseAddress, $0.count, flags)
    }
    if count > 0 {
      incoming += window[..<count]
      return .goOn
    }
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? .silence : .failed(nil)
  }

  /// Ends the worker.
  ///
  /// - Parameter reason: Why this side ends it; nil when it ends by itself.
  /// - Returns: Why it ended, and what it had to say.
  private func death(_ reason: WorkerFailure?) -> Death {
    isOver = true
    let (status, complaint) = child.end(patience: reason == nil ? 1_000 : 0)
    if let reason { return Death(reason: reason, complaint: complaint) }
    return Death(reason: Self.failure(status, complaint), complaint: complaint)
  }

  /// What a status of waitpid(2) means; the words are those of Swift's and C++'s runtimes.
  private static func failure(_ status: Int32, _ complaint: String) -> WorkerFailure {
    let signal = status & 0x7F
    guard signal != 0 else {
      let code = status >> 8 & 0xFF
      return code == memoryCode ? .memory : .exited(code)
    }
    if signal == SIGXCPU { return .cpuTime }
    let words = ["failed to allocate", "bad_alloc", "out of memory"]
    return words.contains { complaint.contains($0) } ? .memory : .signal(signal)
  }

  private static func lastLines(_ text: String) -> String {
    text.split(separator: "\n").suffix(3).joined(separator: " / ")
  }

  /// Milliseconds of a clock that only goes forward.
  private static func now() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}
