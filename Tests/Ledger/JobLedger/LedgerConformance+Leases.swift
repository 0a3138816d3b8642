import JobLedger
import Testing

/// Promises of ``Ledger``: a lease is fenced, ends, and is rescued.
@Suite struct LeaseConformanceTests {
  @Test(
    "a late report of an attempt that lost its lease is refused and changes nothing",
    arguments: LedgerBackend.all)
  func fencing(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make()
    defer { fixture.remove() }
    try await fixture.ledger.add([job("a", 0)], now: 0)
    let stale = try #require(try await fixture.claim())
    #expect(try await fixture.ledger.rescue(now: 100, isAlive: { _ in true }) == [stale.name])
    let fresh = try #require(try await fixture.claim(TestLedger.bob, now: 100))
    #expect(fresh.attempt == stale.attempt + 1)
    let lost = LedgerError.leaseLost(stale.name, attempt: 1)
    await #expect(throws: lost) { try await fixture.ledger.complete(stale, counts: "{}", now: 101) }
    await #expect(throws: lost) { try await fixture.ledger.fail(stale, error: "x", now: 101) }
    await #expect(throws: lost) { try await fixture.ledger.release(stale, now: 101) }
    await #expect(throws: lost) { try await fixture.ledger.renew(stale, duration: 9, now: 101) }
    #expect(try await fixture.ledger.state(of: stale.name) == .leased)
    try await fixture.ledger.complete(fresh, counts: "{}", now: 102)
    await #expect(throws: LedgerError.self) {
      try await fixture.ledger.complete(fresh, counts: "{}", now: 103)
    }
    #expect(try await fixture.ledger.history().map(\.outcome) == [.expired, .completed])
  }

  @Test(
    "a renewed lease outlives its first end; a dead owner's lease goes at once, a foreign one stays",
    arguments: LedgerBackend.all)
  func rescue(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make()
    defer { fixture.remove() }
    try await fixture.ledger.add([job("a", 0), job("a", 1)], now: 0)
    let first = try #require(try await fixture.claim())
    _ = try await fixture.ledger.renew(first, duration: 100, now: 90)
    #expect(try await fixture.ledger.rescue(now: 150, isAlive: { _ in nil }).isEmpty)
    _ = try #require(try await fixture.claim(TestLedger.bob, now: 150))
    let freed = try await fixture.ledger.rescue(now: 151) { $0.worker == "bob" ? false : true }
    #expect(freed == [JobName(stage: "a", chunk: 1)])
    #expect(
      try await fixture.ledger.history(of: JobName(stage: "a", chunk: 1)).map(\.outcome) == [
        .ownerDied
      ])
  }

  @Test("a released job is available at once and counts no failure", arguments: LedgerBackend.all)
  func release(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make()
    defer { fixture.remove() }
    try await fixture.ledger.add([job("a", 0)], now: 0)
    let lease = try #require(try await fixture.claim())
    try await fixture.ledger.release(lease, now: 1)
    let again = try #require(try await fixture.claim(now: 1))
    #expect(again.failures == 0)
    #expect(again.attempt == 2)
  }

  @Test("a lease expires at its end, not a millisecond before", arguments: LedgerBackend.all)
  func expiry(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    try await test.ledger.add([job("a", 0)], now: 0)
    let lease = try #require(try await test.claim(now: 5))
    #expect(lease.expires == 105)
    #expect(try await test.ledger.rescue(now: 104) { _ in nil }.isEmpty)
    #expect(try await test.ledger.rescue(now: 105) { _ in nil } == [lease.name])
    #expect(try await test.ledger.rescue(now: 106) { _ in nil }.isEmpty)
  }

  @Test("an attempt's line tells who made it, when, and how it ended", arguments: LedgerBackend.all)
  func history(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    let ledger = test.ledger
    try await ledger.add([job("a", 0), job("a", 1)], now: 0)
    let owner = LeaseOwner(host: "alpha/b00t", processID: 4_711, processStart: 3, worker: "2-net")
    let lease = try #require(
      try await ledger.claim(stages: ["a"], owner: owner, duration: 9, now: 10))
    try await ledger.fail(lease, error: "HTTP 503", now: 14)
    let line = try #require(try await ledger.history(of: lease.name).first)
    #expect(line.host == "alpha/b00t")
    #expect(line.pid == 4_711)
    #expect(line.worker == "2-net")
    #expect(line.startedAt == 10)
    #expect(line.endedAt == 14)
    #expect(line.outcome == .failed)
    #expect(line.error == "HTTP 503")
    _ = try #require(try await test.claim(now: 15))
    let all = try await ledger.history()
    #expect(all.map(\.name) == [name("a", 0), name("a", 1)])
    #expect(all.map(\.outcome) == [.failed, .running])
    #expect(try await ledger.history(of: name("z")).isEmpty)
  }
}
