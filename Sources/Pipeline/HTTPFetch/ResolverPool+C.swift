import Synchronization

/// Threads that look names up, as many as are busy at once, up to a limit.
///
/// A thread stays once it was needed; after `close` each ends with its lookup.
final class ResolverPool: Sendable {
  struct Answer: Sendable {
    var name: String
    var answer: HostAnswer
  }

  private struct State: Sendable {
    var names: [String] = []
    /// Names before this index were taken.
    var head = 0
    var threads = 0
    var idle = 0
    var answers: [Answer] = []
    var isClosed = false
  }

  private let resolver: any HostResolver
  private let limit: Int
  private let state = Mutex(State())
  /// Counts the names that wait.
  private let work: Wakeup
  /// Signalled after each answer.
  private let wakeup: Wakeup

  /// - Parameters:
  ///   - resolver: Called on the pool's threads.
  ///   - limit: The most threads.
  ///   - wakeup: Signalled when `take` has something.
  /// - Throws: `FetcherError` when the system has no descriptor to give.
  init(resolver: any HostResolver, limit: Int, wakeup: Wakeup) throws(FetcherError) {
    self.resolver = resolver
    self.limit = limit
    self.wakeup = wakeup
    work = try Wakeup(counting: true)
  }

  func lookUp(_ name: String) {
    let isThreadWanted = state.withLock { state in
      state.names.append(name)
      // Names that wait already have the idle threads.
      let isWanted = state.idle < state.names.count - state.head && state.threads < limit
      if isWanted { state.threads += 1 }
      return isWanted
    }
    work.signal()
    guard isThreadWanted else { return }
    do {
      try LoopThread.start { [self] in serve() }
    } catch {
      // Those that run take its work over; with none, nobody would answer.
      let orphans = state.withLock { state in
        state.threads -= 1
        defer { if state.threads == 0 { (state.names, state.head) = ([], 0) } }
        return state.threads == 0 ? Array(state.names[state.head...]) : []
      }
      for name in orphans { answer(name, .failed("\(error)")) }
    }
  }

  /// The answers since the last call.
  func take() -> [Answer] {
    state.withLock { state in
      guard !state.answers.isEmpty else { return [] }
      defer { state.answers = [] }
      return state.answers
    }
  }

  func close() {
    let threads = state.withLock { state in
      state.isClosed = true
      return state.threads
    }
    for _ in 0..<threads { work.signal() }
  }

  private func serve() {
    while let name = next() { answer(name, resolver.addresses(of: name)) }
  }

  private func answer(_ name: String, _ answer: HostAnswer) {
    state.withLock { $0.answers.append(Answer(name: name, answer: answer)) }
    wakeup.signal()
  }

  /// The next name, or nil when this thread is to end; it is not counted any more then.
  private func next() -> String? {
    state.withLock { $0.idle += 1 }
    work.wait()
    return state.withLock { state in
      state.idle -= 1
      guard !state.isClosed, state.head < state.names.count else {
        state.threads -= 1
        return nil
      }
      let name = state.names[state.head]
      state.head += 1
      if state.head == state.names.count { (state.names, state.head) = ([], 0) }
      return name
    }
  }
}
