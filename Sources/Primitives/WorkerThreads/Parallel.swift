import Dispatch
import Glibc

/// Work spread over threads that may block or burn a core, away from Swift's own pool.
public enum Parallel {
  /// The cores that this process may use.
  public static var coreCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Runs `body` for each index of 0 ..< `count` on up to `threads` threads and returns when all have.
  ///
  /// - Parameters:
  ///   - count: The number of calls.
  ///   - threads: The most calls that run at the same time; 1 runs them in order on this thread.
  ///   - body: Called once per index, in no promised order.
  public static func forEach(_ count: Int, threads: Int, _ body: @Sendable (Int) -> Void) {
    guard threads > 1, count > 1 else {
      for index in 0..<count { body(index) }
      return
    }
    let lanes = min(threads, count)
    DispatchQueue.concurrentPerform(iterations: lanes) { lane in
      // Strided: neighbours cost about the same, so every lane gets its share of the dear ones.
      for index in stride(from: lane, to: count, by: lanes) { body(index) }
    }
  }

  /// Runs blocking or long `body` on a thread of its own and gives its result.
  public static func detached<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws
    -> T
  {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(with: Result(catching: body)) }
    }
  }
}
