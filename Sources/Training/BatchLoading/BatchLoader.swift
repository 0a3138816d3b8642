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
  ///   - depth: Batches prepared ahead; nil is as many as 64 MiB hold, from 2 to 8.
  public init(
    reader: SampleReader, position: Int, rank: Int, worldSize: Int, depth: Int? = nil
  ) {
    let depth = depth ?? Self.depth(reader.options, worldSize)
    precondition(depth > 0, "a loader that prepares \(depth) batches ahead")
    self.depth = depth
    free = DispatchSemaphore(value: depth)
    DispatchQueue(label: "pairloom.batches").async { [self] in
      var order = reader.source.order(seed: reader.options.seed)
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

  private static func depth(_ options: BatchOptions, _ worldSize: Int) -> Int {
    depth(
      pairs: (options.globalBatch + worldSize - 1) / worldSize, side: options.preprocessing.size)
  }

  /// How many batches of a rank are prepared ahead.
  ///
  /// With one batch ready and the next in the making a step waits only for a loader that is slower than it;
  /// more even out batches that are dearer than others.
  ///
  /// - Parameters:
  ///   - pairs: Of one batch.
  ///   - side: Of its pictures, in pixels.
  /// - Returns: As many as 64 MiB hold, from 2 to 8.
  package static func depth(pairs: Int, side: Int) -> Int {
    let bytes = pairs * 3 * side * side * MemoryLayout<Float>.size
    return min(max(2, (64 << 20) / max(1, bytes)), 8)
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
