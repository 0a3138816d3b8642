import JobLedger
import Testing

/// Promises of ``Ledger``: calls made at once are each done or refused by themselves.
@Suite struct GroupConformanceTests {
  @Test(
    "of many reports at once, the lost leases alone are refused, and each caller is told its own",
    arguments: LedgerBackend.all)
  func lostLeases(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    let ledger = test.ledger
    try await ledger.add((0..<64).map { job("a", $0) }, now: 0)
    var leases: [Lease] = []
    while let lease = try await test.claim() { leases.append(lease) }
    for lease in leases where lease.name.chunk % 4 == 0 { try await ledger.release(lease, now: 1) }
    let refused = await withTaskGroup(of: (Int, LedgerError?).self) { group in
      for lease in leases {
        group.addTask {
          do throws(LedgerError) {
            try await ledger.complete(lease, counts: "{\"kept\":1}", now: 2)
            return (lease.name.chunk, nil)
          } catch {
            return (lease.name.chunk, error)
          }
        }
      }
      return await group.reduce(into: [Int: LedgerError]()) { $0[$1.0] = $1.1 }
    }
    let lost = leases.filter { $0.name.chunk % 4 == 0 }
    #expect(
      refused
        == Dictionary(
          uniqueKeysWithValues: lost.map {
            ($0.name.chunk, LedgerError.leaseLost($0.name, attempt: 1))
          }))
    #expect(try await ledger.tally() == ["a": [.completed: 48, .available: 16]])
    #expect(try await ledger.totals() == ["a": ["$.kept": 48]])
  }

  @Test("a refused report with new jobs leaves none of them behind", arguments: LedgerBackend.all)
  func partial(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    let ledger = test.ledger
    try await ledger.add((0..<8).map { job("a", $0) }, now: 0)
    var leases: [Lease] = []
    while let lease = try await test.claim() { leases.append(lease) }
    let failures = await withTaskGroup(of: Bool.self) { group in
      for lease in leases {
        group.addTask {
          let chunk = lease.name.chunk
          // Odd ones name a need that is nowhere, after a job that could be entered.
          let bad = chunk % 2 == 1 ? [job("c", chunk, needs: [name("nowhere")])] : []
          do throws(LedgerError) {
            try await ledger.complete(
              lease, counts: "{}", newJobs: [job("b", chunk, needs: [lease.name])] + bad, now: 1)
            return false
          } catch {
            return error
              == .unknownDependency(job: name("c", chunk), needs: name("nowhere"))
          }
        }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(failures == 4)
    #expect(try await ledger.tally() == ["a": [.completed: 4, .leased: 4], "b": [.available: 4]])
  }

  @Test(
    "claims, failures and reports of four workers through two handles lose and repeat nothing",
    arguments: LedgerBackend.all)
  func workers(_ backend: LedgerBackend) async throws {
    let test = try await backend.make(RetryPolicy(maxFailures: 9, basePause: 0, longestPause: 0))
    defer { test.remove() }
    let handles = [test.ledger, try await test.another()]
    let chunks = 40
    try await test.ledger.add(
      (0..<chunks).flatMap {
        [job("a", $0), job("b", $0, rank: 1, needs: [name("a", $0)])]
      }, now: 0)
    let done = try await withThrowingTaskGroup(of: [JobName].self) { group in
      for worker in 0..<4 {
        group.addTask {
          let ledger = handles[worker % 2]
          var mine: [JobName] = []
          while try await ledger.unsettledCount() > 0 {
            guard
              let lease = try await ledger.claim(
                stages: ["a", "b"], owner: TestLedger.alice, duration: 100, now: 0)
            else { continue }
            // Every third chunk fails the first time.
            if lease.attempt == 1, lease.name.chunk % 3 == 0 {
              try await ledger.fail(lease, error: "first", now: 0)
            } else {
              try await ledger.complete(lease, counts: "{\"kept\":2}", now: 0)
              mine.append(lease.name)
            }
          }
          return mine
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(done.count == 2 * chunks)
    #expect(Set(done).count == 2 * chunks)
    #expect(
      try await test.ledger.totals() == ["a": ["$.kept": 80], "b": ["$.kept": 80]])
    let failed = try await test.ledger.history().filter { $0.outcome == .failed }
    #expect(failed.count == 2 * 14)
  }
}
