import Dispatch

/// Runs an actor's jobs on a thread of their own.
///
/// Swift's shared pool has one thread per core; an actor that blocks on a file, a database or a lock
/// would hold one of them. On Linux a dispatch queue cannot be an executor by itself.
public final class BlockingExecutor: SerialExecutor {
  private let queue: DispatchQueue

  public init(label: String) { queue = DispatchQueue(label: label) }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    unsafe UnownedSerialExecutor(ordinary: self)
  }
}
