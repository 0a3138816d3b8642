import Synchronization
import WorkerThreads

/// Values made on several threads, in the order of their numbers.
struct ParallelRows<Value: Sendable> {
  private let count: Int
  private let make: @Sendable (Int) -> Value

  init(_ count: Int, _ make: @escaping @Sendable (Int) -> Value) {
    self.count = count
    self.make = make
  }

  func run(threads: Int) -> [Value] {
    let made = Mutex([Value?](repeating: nil, count: count))
    Parallel.forEach(count, threads: threads) { index in
      let value = make(index)
      made.withLock { $0[index] = value }
    }
    return made.withLock { $0.compactMap { $0 } }
  }
}
