import Dispatch
import Synchronization

/// Prepares one rank's batches ahead of the step that uses them, on a thread of its own.
///
/// At most ``depth`` batches wait. The order of batches, and every bit in them, is that of
/// ``PairOrder``, however far ahead the thread is.
public final class BatchLoader: Sendable {
  private struct State {
    var waiting: [Result<PairBatch, any Error>] = []
    var isStopped = false
  }

  /// Batches that wait at most.
  public let depth: Int
  private let state = Mutex(State())
  private let filled = DispatchSemaphore(value: 0)
  private let free: DispatchSemaphore
  private let finished = DispatchSemaphore(value: 0)

  /// Starts to load at `position` samples into the run.
  ///
  /// - Parameters:
  ///   - reader: Makes the batches.
  ///   - position: The cursor: samples that all ranks together have consumed.
  ///   - rank: This rank, which takes its slice of each global batch.
  ///   - worldSize: The number of ranks.
  ///   - depth: Batches prepared ahead.
  public init(
    reader: SampleReader, position: Int, rank: Int, worldSize: Int, depth: Int = 2
  ) {
    self.depth = depth
    free = DispatchSemaphore(value: depth)
    DispatchQueue(label: "pairloom.batches").async { [self] in
      var order = PairOrder(count: reader.source.count, seed: reader.options.seed)
      var start = position
      let slice = PairOrder.slice(
        of: reader.options.globalBatch, rank: rank, worldSize: worldSize)
      while true {
        free.wait()
        if state.withLock({ $0.isStopped }) { break }
        let visits = slice.map { order.visit(at: start + $0) }
        let batch = Result { try reader.batch(of: visits) }
        state.withLock { $0.waiting.append(batch) }
        filled.signal()
        start += reader.options.globalBatch
      }
      finished.signal()
    }
  }

  /// The next batch, in order; waits until it is ready.
  public func next() throws -> PairBatch {
    filled.wait()
    let batch = state.withLock { $0.waiting.removeFirst() }
    free.signal()
    return try batch.get()
  }

  /// Ends the thread; call it once, after the last ``next()``.
  public func stop() {
    state.withLock { $0.isStopped = true }
    free.signal()
    finished.wait()
    // A semaphore must not go while its value is below where it began.
    for _ in 0..<depth { free.signal() }
  }
}
