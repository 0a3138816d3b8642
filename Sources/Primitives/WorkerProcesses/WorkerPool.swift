import Synchronization

/// Worker processes that are started when they are needed, and replaced when they fail.
///
/// A call holds a worker until it returns and blocks its thread, so there are as many workers as there
/// are callers at a time. Workers end with the pool, and with this process however that ends.
public final class WorkerPool: Sendable {
  private let command: WorkerCommand
  private let limits: WorkerLimits
  private let greeting: [UInt8]
  private let idle = Mutex<[WorkerProcess]>([])
  /// Attempts to start a worker before the pool gives up.
  private static let startAttempts = 3
  /// Fresh workers that a request may lose in a row to a signal from outside.
  private static let accidents = 3

  /// - Parameters:
  ///   - command: Starts a program that calls ``WorkerServer/serve(_:)``.
  ///   - limits: What a worker may use up on each request.
  ///   - greeting: What it is told once, before its first request.
  public init(_ command: WorkerCommand, limits: WorkerLimits, greeting: [UInt8] = []) {
    self.command = command
    self.limits = limits
    self.greeting = greeting
  }

  /// Has requests answered by one worker after another's failure.
  ///
  /// All are on their way at once, so that a worker never waits for this process. A request at which a
  /// worker fails is asked once more, alone, of a worker that has done nothing before: only if that
  /// fails too has the request failed. An accident, or what an earlier request has spoiled, costs nothing;
  /// nor does a fresh worker that somebody kills, unless that happens again and again.
  ///
  /// - Parameters:
  ///   - requests: Bodies, each of up to 4 GiB.
  ///   - isCancelled: Looked at ten times a second; when it holds, the worker is killed.
  /// - Returns: An outcome for each request, in order.
  /// - Throws: ``WorkerError`` when no worker can be had, or the call is cancelled.
  public func outcomes(
    of requests: [[UInt8]], isCancelled: () -> Bool = { false }
  ) throws(WorkerError) -> [WorkerOutcome] {
    var outcomes: [WorkerOutcome] = []
    var worker = try idleWorker(isCancelled)
    while outcomes.count < requests.count {
      if !worker.isAlive { worker = try freshWorker(isCancelled) }
      let (answers, failure) = try worker.answers(
        to: requests[outcomes.count...], isCancelled: isCancelled)
      outcomes += answers.map { .answer($0) }
      guard failure != nil else { continue }
      var accidents = 0
      while true {
        worker = try freshWorker(isCancelled)
        let (again, failure) = try worker.answers(
          to: requests[outcomes.count...outcomes.count], isCancelled: isCancelled)
        accidents += 1
        if let failure, failure.isFromOutside, accidents < Self.accidents { continue }
        outcomes.append(failure.map { .failed($0) } ?? .answer(again[0]))
        break
      }
    }
    if worker.isAlive { idle.withLock { $0.append(worker) } }
    return outcomes
  }

  private func idleWorker(_ isCancelled: () -> Bool) throws(WorkerError) -> WorkerProcess {
    if let worker = idle.withLock({ $0.popLast() }) { return worker }
    return try freshWorker(isCancelled)
  }

  private func freshWorker(_ isCancelled: () -> Bool) throws(WorkerError) -> WorkerProcess {
    var attempt = 1
    while true {
      do {
        return try WorkerProcess(
          command, limits: limits, greeting: greeting, isCancelled: isCancelled)
      } catch {
        if attempt == Self.startAttempts || error == .cancelled { throw error }
        attempt += 1
      }
    }
  }
}
