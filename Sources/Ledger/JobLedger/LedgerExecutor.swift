internal import Dispatch

/// The ledger's thread: runs the actor's calls one after another, and can wait for those at the door.
///
/// Swift's shared pool has one thread per core; a call that waits for a disk would hold one of them.
final class LedgerExecutor: SerialExecutor {
  private let queue = DispatchQueue(label: "pairloom.ledger")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    unsafe UnownedSerialExecutor(ordinary: self)
  }

  func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }

  /// Runs `work` after every call that waits now: the queue is first in, first out.
  func afterWaiting(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }
}
