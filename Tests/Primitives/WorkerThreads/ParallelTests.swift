import Synchronization
import Testing
import WorkerThreads

@Suite struct ParallelTests {
  @Test("each index runs once, on one thread or several", arguments: [0, 1, 2, 17], [1, 3])
  func once(count: Int, threads: Int) {
    let seen = Mutex([Int]())
    Parallel.forEach(count, threads: threads) { index in seen.withLock { $0.append(index) } }
    #expect(seen.withLock { $0.sorted() } == Array(0..<count))
  }

  @Test("an actor on a blocking executor keeps its promise of one job at a time")
  func executor() async {
    actor Counter {
      let executor = BlockingExecutor(label: "test")
      nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
      }
      var count = 0
      func add() { count += 1 }
    }
    let counter = Counter()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<200 { group.addTask { await counter.add() } }
    }
    #expect(await counter.count == 200)
  }
}
