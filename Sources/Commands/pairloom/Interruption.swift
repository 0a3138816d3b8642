import Dispatch
import Glibc
import Synchronization
import URLPipeline

/// Ctrl-C and SIGTERM as a request to stop: the first is obeyed in order, the second at once.
final class Interruption: Sendable {
  static let shared = Interruption()

  private typealias LastResort = @Sendable () async -> Void

  private struct State {
    var signal: Int32?
    /// When it came.
    var moment: ContinuousClock.Instant?
    var stop: (@Sendable () -> Void)?
    /// What is done where the stop takes too long, before the process ends.
    var lastResort: LastResort?
    var sources: [any DispatchSourceSignal] = []
  }
  private let state = Mutex(State())
  /// Not one of the threads that work may block.
  private let queue = DispatchQueue(label: "pairloom.interruption")
  /// Seconds from the signal until the last resort is taken, and until it has had its time, too.
  private static let patience = (stop: 7.0, lastResort: 9.0)

  /// Signals that come so soon after the first are the same request; no finger is so quick.
  private static let oneWish = Duration.milliseconds(50)

  /// The signal that asked this process to stop, if one did.
  var signal: Int32? { state.withLock { $0.signal } }

  /// The exit code for a stop by the signal: 130 for Ctrl-C, 143 for SIGTERM.
  var exitCode: Int32 { 128 + (signal ?? SIGINT) }

  /// Calls `stop` on the first signal; a second one ends the process at once.
  ///
  /// - Parameters:
  ///   - lastResort: Awaited, and the process ended after it, where that still runs seven seconds
  ///     after the signal; nil waits for the end however long it takes.
  ///   - stop: Takes the place of the one given before.
  func watch(
    orElse lastResort: (@Sendable () async -> Void)? = nil, _ stop: @escaping @Sendable () -> Void
  ) {
    state.withLock { state in
      state.stop = stop
      state.lastResort = lastResort
      guard state.sources.isEmpty else { return }
      for number in [SIGINT, SIGTERM] {
        Glibc.signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler { [self] in receive(number) }
        source.resume()
        state.sources.append(source)
      }
    }
  }

  /// Does what a signal ends at once, as it leaves nothing behind that the same command does not mend.
  func watchToLeave() { watch { [self] in _exit(exitCode) } }

  /// Works on a run, which a signal ends in order, and within ten seconds whatever is under way.
  ///
  /// - Parameters:
  ///   - run: Whose leases are handed back where the work does not end: a file system that hangs, a
  ///     batch of a large model.
  ///   - toResume: What to do later, for the one who has interrupted it.
  ///   - body: The work; called off by cancellation.
  /// - Returns: What `body` does.
  /// - Throws: ``CommandFailure`` with 130 or 143 after a signal, else what `body` throws.
  func working<Value: Sendable>(
    on run: PipelineRun, toResume: String, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let work = Task { try await body() }
    watch(orElse: { await run.handBack() }) { work.cancel() }
    do {
      return try await work.value
    } catch is CancellationError {
      throw CommandFailure(description: "interrupted; \(toResume)", code: exitCode)
    }
  }

  private func receive(_ number: Int32) {
    let found = state.withLock { state -> (stop: (() -> Void)?, lastResort: LastResort?)? in
      if let moment = state.moment {
        // timeout(1) signals the process and its group: that is one wish, not two.
        if ContinuousClock.now - moment < Self.oneWish { return nil }
        _exit(128 + number)
      }
      state.signal = number
      state.moment = .now
      return (state.stop, state.lastResort)
    }
    guard let (stop, lastResort) = found else { return }
    if let lastResort {
      queue.asyncAfter(deadline: .now() + Self.patience.stop) {
        Terminal.note("interrupted; what is under way does not end, so it is done again later")
        Task {
          await lastResort()
          _exit(128 + number)
        }
      }
      queue.asyncAfter(deadline: .now() + Self.patience.lastResort) { _exit(128 + number) }
    }
    stop?()
  }
}
