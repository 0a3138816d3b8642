import Synchronization

/// What a `fetch` call asks of the loop.
struct Submission: Sendable {
  var id: Int
  var requests: [FetchRequest]
  var onResult: @Sendable (FetchResult) -> Void
  /// Resumed with why the loop could not go on; nil where it did.
  var continuation: CheckedContinuation<FetcherError?, Never>
  var cancellation: Cancellation
}

/// Says that a `fetch` call was cancelled, even before the loop knows of the call.
final class Cancellation: Sendable {
  private let flag = Atomic(false)

  var isCancelled: Bool { flag.load(ordering: .acquiring) }

  func cancel() { flag.store(true, ordering: .releasing) }
}

/// The only way from other threads to the loop.
final class FetchInbox: Sendable {
  enum Command: Sendable {
    case submit(Submission)
    case cancel(id: Int)
    /// What the cache on disk knows of an origin.
    case origin(OriginStore.Answer)
  }

  private struct State: Sendable {
    var commands: [Command] = []
    var lastID = 0
    var isClosed = false
    /// Why it was closed, if not by its owner.
    var problem: FetcherError?
  }

  private let state = Mutex(State())
  let wakeup: Wakeup

  init() throws(FetcherError) { wakeup = try Wakeup() }

  func newID() -> Int {
    state.withLock {
      $0.lastID += 1
      return $0.lastID
    }
  }

  /// False when the inbox is closed; the command is dropped then.
  func post(_ command: Command) -> Bool {
    let isTaken = state.withLock {
      if !$0.isClosed { $0.commands.append(command) }
      return !$0.isClosed
    }
    wakeup.signal()
    return isTaken
  }

  /// - Parameter problem: What every call from now on fails with.
  func close(_ problem: FetcherError? = nil) {
    state.withLock { state in
      state.isClosed = true
      state.problem = state.problem ?? problem
    }
    wakeup.signal()
  }

  /// Why the loop could not go on.
  var problem: FetcherError? { state.withLock(\.problem) }

  /// Closes, and lets the calls go on that nobody will serve.
  func closeUnserved(_ problem: FetcherError? = nil) {
    close(problem)
    for case .submit(let submission) in take().commands {
      submission.continuation.resume(returning: self.problem)
    }
  }

  func take() -> (commands: [Command], isClosed: Bool) {
    state.withLock { state in
      defer { state.commands = [] }
      return (state.commands, state.isClosed)
    }
  }
}
