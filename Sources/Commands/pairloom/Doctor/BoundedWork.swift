import Dispatch
import Foundation
import Synchronization

/// Runs what may block for ever, such as a name lookup or a dead file server, and waits for a while.
///
/// - Parameters:
///   - seconds: After which it is given up; its thread stays until the call returns.
///   - work: Runs on a thread of its own.
/// - Returns: nil when the time was up.
package func within<T: Sendable>(
  _ seconds: Double, _ work: @escaping @Sendable () -> T
) async -> T? {
  await withCheckedContinuation { continuation in
    let answer = FirstAnswer(continuation)
    Thread.detachNewThread { answer.give(work()) }
    DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { answer.give(nil) }
  }
}

/// Resumes a continuation with the first of two answers.
private final class FirstAnswer<T: Sendable>: Sendable {
  private let waiting: Mutex<CheckedContinuation<T?, Never>?>

  init(_ continuation: CheckedContinuation<T?, Never>) { waiting = Mutex(continuation) }

  func give(_ value: T?) {
    let continuation = waiting.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
    continuation?.resume(returning: value)
  }
}
