import Synchronization
import WorkerThreads

/// Work on numbered parts by several threads, with the results in the order of the parts.
package enum OrderedLanes {
  /// Blocks until all is done, or until what was under way at the first error has ended.
  ///
  /// - Parameters:
  ///   - count: The parts, which are begun in their order.
  ///   - threads: The most parts at a time.
  ///   - body: Makes a part's result; it may block.
  /// - Returns: A result for each part.
  /// - Throws: The error of the first part that failed; no further part is begun after an error.
  package static func results<Value: Sendable>(
    _ count: Int, threads: Int, _ body: @Sendable (Int) throws -> Value
  ) throws -> [Value] {
    let next = Atomic<Int>(0)
    let hasFailed = Atomic<Bool>(false)
    let found = Mutex<[Int: Result<Value, any Error>]>([:])
    let lanes = min(threads, count)
    Parallel.forEach(lanes, threads: lanes) { _ in
      while !hasFailed.load(ordering: .relaxed) {
        let part = next.add(1, ordering: .relaxed).oldValue
        if part >= count { return }
        let result = Result { try body(part) }
        if case .failure = result { hasFailed.store(true, ordering: .relaxed) }
        found.withLock { $0[part] = result }
      }
    }
    let results = found.withLock { $0 }
    // Parts begin in order, so that all before the first error have a result.
    return try (0..<count).map { part in
      guard let result = results[part] else { preconditionFailure("part \(part) got no result") }
      return try result.get()
    }
  }
}
