import JobLedger
import Testing

/// Promises of ``Ledger``: failures pause a job, then quarantine it and what needs it.
@Suite struct FailureConformanceTests {
  @Test(
    "a failing job pauses, then is quarantined with its history; what needs it goes too",
    arguments: LedgerBackend.all)
  func quarantine(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make(RetryPolicy(maxFailures: 2, basePause: 1_000))
    defer { fixture.remove() }
    let a = JobName(stage: "a", chunk: 0)
    let b = JobName(stage: "b", chunk: 0)
    try await fixture.ledger.add(
      [job("a", 0), job("b", 0, needs: [a]), job("c", 0, needs: [b]), job("c", 1, after: [b])],
      now: 0)
    let first = try #require(try await fixture.claim(now: 10))
    #expect(try await fixture.ledger.fail(first, error: "disk on fire", now: 20) == .retryable)
    #expect(try await fixture.claim(now: 1_019) == nil)
    let second = try #require(try await fixture.claim(now: 1_020))
    #expect(second.failures == 1)
    #expect(
      try await fixture.ledger.fail(second, error: "still on fire", now: 1_030) == .quarantined)
    #expect(try await fixture.ledger.state(of: JobName(stage: "c", chunk: 0)) == .quarantined)
    #expect(try await fixture.ledger.state(of: JobName(stage: "c", chunk: 1)) == .available)
    let history = try await fixture.ledger.history(of: a)
    #expect(history.map(\.error) == ["disk on fire", "still on fire"])
    let quarantined = try await fixture.ledger.quarantined()
    #expect(quarantined.map(\.name) == [a, b, JobName(stage: "c", chunk: 0)])
    #expect(quarantined.map(\.error) == ["still on fire", nil, nil])
  }

  @Test(
    "a failure that would come again quarantines at once, whatever attempts are left",
    arguments: LedgerBackend.all)
  func finalFailure(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make(RetryPolicy(maxFailures: 9, basePause: 1_000))
    defer { fixture.remove() }
    let a = JobName(stage: "a", chunk: 0)
    try await fixture.ledger.add([job("a", 0), job("b", 0, needs: [a])], now: 0)
    let lease = try #require(try await fixture.claim(now: 10))
    #expect(
      try await fixture.ledger.fail(lease, error: "no list", isFinal: true, now: 20)
        == .quarantined)
    #expect(try await fixture.ledger.history(of: a).map(\.error) == ["no list"])
    #expect(try await fixture.ledger.unsettledCount() == 0)
  }

  @Test("each pause is twice the one before, up to the longest", arguments: LedgerBackend.all)
  func backoff(_ backend: LedgerBackend) async throws {
    let test = try await backend.make(
      RetryPolicy(maxFailures: 9, basePause: 100, longestPause: 350))
    defer { test.remove() }
    try await test.ledger.add([job("a", 0)], now: 0)
    var now = 0
    for (failures, pause) in [100, 200, 350, 350].enumerated() {
      let lease = try #require(try await test.claim(now: now))
      #expect(lease.failures == failures)
      try await test.ledger.fail(lease, error: "e", now: now)
      #expect(try await test.claim(now: now + pause - 1) == nil)
      now += pause
    }
    #expect(try await test.claim(now: now)?.attempt == 5)
  }

  @Test(
    "a job entered after its need was quarantined is lost too; one that only comes after it is not",
    arguments: LedgerBackend.all)
  func enteredLater(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    try await test.ledger.add([job("a", 0)], now: 0)
    let lease = try #require(try await test.claim())
    try await test.ledger.fail(lease, error: "e", isFinal: true, now: 1)
    try await test.ledger.add(
      [
        job("b", 0, needs: [name("a")]), job("b", 1, needs: [name("b")]),
        job("b", 2, after: [name("a"), name("b", 1)]),
      ], now: 2)
    #expect(
      try await test.ledger.tally() == [
        "a": [.quarantined: 1], "b": [.quarantined: 2, .available: 1],
      ])
  }
}
