import Dispatch
import Synchronization

/// Writes checkpoints on a thread of its own while training goes on.
///
/// What it is given shares its floats with the run until the run writes to them, so a checkpoint costs no time
/// when it is taken, and at most its own size in memory while it is written: 12 bytes for each trained number,
/// 16 with a moving average. One is in flight at most; the next waits for it.
public final class CheckpointWriter: Sendable {
  /// A file that is whole and durable.
  public struct Written: Sendable, Equatable {
    public var path: String
    public var step: Int

    public init(path: String, step: Int) {
      self.path = path
      self.step = step
    }
  }

  private struct State {
    var pending: (checkpoint: Checkpoint, isBest: Bool)?
    var failure: CheckpointError?
    var last: Written?
  }

  public let store: CheckpointStore
  private let state: Mutex<State>
  private let queue = DispatchQueue(label: "pairloom.checkpoints")
  private let inFlight = DispatchGroup()

  /// - Parameters:
  ///   - store: Where they go.
  ///   - last: The one that the run goes on from.
  public init(store: CheckpointStore, last: Written? = nil) {
    self.store = store
    state = Mutex(State(last: last))
  }

  /// The newest checkpoint of this run that is whole.
  public var last: Written? { state.withLock { $0.last } }

  /// Hands over a checkpoint and returns; waits first while another is in flight.
  ///
  /// - Parameters:
  ///   - checkpoint: Written as by ``CheckpointStore/save(_:)``.
  ///   - isBest: Whether it becomes `best.safetensors`, too.
  public func write(_ checkpoint: Checkpoint, isBest: Bool = false) {
    inFlight.wait()
    state.withLock { $0.pending = (checkpoint, isBest) }
    inFlight.enter()
    queue.async { [self] in
      writePending()
      inFlight.leave()
    }
  }

  /// Why the newest that is no longer in flight could not be written; told once.
  public func takeFailure() -> CheckpointError? {
    state.withLock { state in
      defer { state.failure = nil }
      return state.failure
    }
  }

  /// Returns when none is in flight.
  public func wait() { inFlight.wait() }

  /// Its own function, so that the tensors are given back before the next one may come.
  private func writePending() {
    guard let (checkpoint, isBest) = state.withLock({ $0.pending.take() }) else { return }
    let step = checkpoint.record.step
    do throws(CheckpointError) {
      let path = try store.save(checkpoint)
      state.withLock { $0.last = Written(path: path, step: step) }
      if isBest { try store.markBest(path) }
    } catch {
      state.withLock { $0.failure = error }
    }
  }
}
