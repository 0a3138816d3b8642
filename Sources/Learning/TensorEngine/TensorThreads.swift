import Synchronization
import WorkerThreads

/// How many threads share tensor work: the rows or columns of a matrix product, the rows of a loop.
///
/// Process-wide. Each thread calls OpenBLAS for its own part; none spins while it waits. Results do not depend on
/// timing; loops and reductions give the same bits for any number of threads, while OpenBLAS may round a part of
/// another size differently.
public enum TensorThreads {
  private static let count = Atomic<Int>(1)

  public static func set(_ count: Int) {
    precondition(count >= 1, "TensorThreads.set: \(count) threads")
    self.count.store(count, ordering: .relaxed)
  }

  public static var current: Int { own ?? count.load(ordering: .relaxed) }

  /// The threads of work that is itself one of several lanes.
  @TaskLocal private static var own: Int?

  /// Runs `body`, whose tensor work takes this many threads: 1 for lanes that compute side by side.
  public static func within<R>(_ threads: Int, _ body: () throws -> R) rethrows -> R {
    precondition(threads >= 1, "TensorThreads.within: \(threads) threads")
    return try $own.withValue(threads, operation: body)
  }

  /// Runs `body` over 0 ..< `count` in pieces of at least `grain` items, cut at multiples of `grain`.
  static func split(_ count: Int, grain: Int, _ body: @Sendable (Range<Int>) -> Void) {
    let threads = current
    let grains = (count + grain - 1) / grain
    guard threads > 1, grains > 1 else {
      if count > 0 { body(0..<count) }
      return
    }
    let pieces = min(threads, grains)
    Parallel.forEach(pieces, threads: threads) { piece in
      let first = grains * piece / pieces * grain
      let end = min(count, grains * (piece + 1) / pieces * grain)
      if first < end { body(first..<end) }
    }
  }

  /// Runs `body` once per index, spread over the threads.
  static func forEach(_ count: Int, _ body: @Sendable (Int) -> Void) {
    Parallel.forEach(count, threads: current, body)
  }
}

/// The floats from which a loop of simple arithmetic is worth a second thread: waking one costs
/// about 10 µs, in which one core streams some 30 thousand floats.
let elementwiseGrain = 32_768
