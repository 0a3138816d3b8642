import JobLedger
import Testing

/// Promises of ``Ledger``: jobs around given-up ones keep their order.
@Suite struct LedgerOrderTests {
  /// Chunks whose stage b goes in order and reads what a gives; the first b waits for every a.
  private static func chain(_ count: Int) -> [NewJob] {
    (0..<count).map { job("a", $0) }
      + (0..<count).map { k in
        job(
          "b", k, rank: 1, needs: [name("a", k)],
          after: k == 0 ? (1..<count).map { name("a", $0) } : [name("b", k - 1)])
      }
  }

  private static func work(
    _ test: TestLedger, _ stage: String, failing: Set<Int> = [], jobs: Int = .max
  ) async throws -> [Int] {
    var done: [Int] = []
    while done.count < jobs, let lease = try await test.claim(stages: [stage]) {
      if failing.contains(lease.name.chunk) {
        try await test.ledger.fail(lease, error: "e", isFinal: true, now: 1)
      } else {
        try await test.ledger.complete(lease, counts: "{}", now: 1)
      }
      done.append(lease.name.chunk)
    }
    return done
  }

  @Test(
    "what comes after a job that is given up for want of another waits for what that one waited for",
    arguments: LedgerBackend.all)
  func handedOn(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    try await test.ledger.add(Self.chain(14), now: 0)
    // Ten in a row, one behind, and all but the last two.
    let failing = Set(0..<10).union([11])
    #expect(try await Self.work(test, "a", failing: failing, jobs: 12) == Array(0..<12))
    #expect(try await test.claim(stages: ["b"]) == nil)
    #expect(try await Self.work(test, "a", jobs: 1) == [12])
    #expect(try await test.claim(stages: ["b"]) == nil)
    #expect(try await test.ledger.faults(isThorough: true) == [])
    #expect(try await Self.work(test, "a") == [13])
    let first = try #require(try await test.claim(stages: ["b"]))
    #expect(first.name == name("b", 10))
    // Not 12, though 11 has settled.
    #expect(try await test.claim(stages: ["b"]) == nil)
    try await test.ledger.complete(first, counts: "{}", now: 2)
    #expect(try await Self.work(test, "b") == [12, 13])
    // Done again, they keep the order.
    try await test.ledger.reopen([name("b", 10), name("b", 12)])
    let again = try #require(try await test.claim(stages: ["b"]))
    #expect(again.name == name("b", 10))
    #expect(try await test.claim(stages: ["b"]) == nil)
    try await test.ledger.complete(again, counts: "{}", now: 3)
    #expect(try await Self.work(test, "b") == [12])
    // What was given up and is handed back goes by its own order.
    _ = try await test.ledger.release(JobRelease(quarantined: nil), now: 4)
    #expect(try await Self.work(test, "a") == failing.sorted())
    #expect(try await Self.work(test, "b") == failing.sorted())
    #expect(try await test.ledger.faults(isThorough: true) == [])
  }

  @Test(
    "the order holds where jobs are entered after those that were given up, and in stages done again",
    arguments: LedgerBackend.all)
  func handedOnLater(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    let plan = Self.chain(5)
    try await test.ledger.add(Array(plan.prefix(5)), now: 0)
    #expect(try await Self.work(test, "a", failing: [0, 2], jobs: 3) == [0, 1, 2])
    try await test.ledger.add(plan, now: 1)
    #expect(try await test.claim(stages: ["b"]) == nil)
    #expect(try await Self.work(test, "a") == [3, 4])
    // Both are in the plan of the stage anew, as when scoring has come.
    _ = try await test.ledger.redo(
      stages: ["b"], plan: plan, configuration: [], notes: [], now: 2)
    let first = try #require(try await test.claim(stages: ["b"]))
    #expect(first.name == name("b", 1))
    #expect(try await test.claim(stages: ["b"]) == nil)
    try await test.ledger.complete(first, counts: "{}", now: 3)
    #expect(try await Self.work(test, "b") == [3, 4])
    #expect(try await test.ledger.faults(isThorough: true) == [])
  }
}
