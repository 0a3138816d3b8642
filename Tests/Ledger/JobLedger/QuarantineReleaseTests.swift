import JobLedger
import Testing

@Suite struct QuarantineReleaseTests {
  static func name(_ stage: String, _ chunk: Int = 0) -> JobName {
    JobName(stage: stage, chunk: chunk)
  }

  /// a 0 → b 0 → c 0 and a 1 → b 1, of which a 0 and a 1 are given up; d 0 comes after c 0, b 1 and e 0.
  static func givenUp() async throws -> LedgerFixture {
    let fixture = try LedgerFixture(retry: RetryPolicy(maxFailures: 2, basePause: 0))
    try await fixture.ledger.add(
      [
        job("a", 0), job("b", 0, needs: [name("a")]), job("c", 0, needs: [name("b")]),
        job("a", 1), job("b", 1, needs: [name("a", 1)]), job("e", 0),
        job("d", 0, after: [name("c"), name("b", 1), name("e")]),
      ], now: 0)
    for time in 1...4 {
      let lease = try #require(try await fixture.claim(stages: ["a"], now: time))
      try await fixture.ledger.fail(lease, error: "no \(lease.name.chunk)", now: time)
    }
    return fixture
  }

  static func states(_ fixture: LedgerFixture) async throws -> [String: JobState] {
    var states: [String: JobState] = [:]
    for name in [name("a"), name("b"), name("c"), name("d"), name("e"), name("a", 1), name("b", 1)]
    {
      states[name.description] = try await fixture.ledger.state(of: name)
    }
    return states
  }

  @Test("given-up jobs are told with failures, last error, and what they were given up for want of")
  func told() async throws {
    let fixture = try await Self.givenUp()
    defer { fixture.remove() }
    let jobs = try await fixture.ledger.quarantine()
    #expect(jobs.map(\.name.description) == ["a 0", "b 0", "c 0", "a 1", "b 1"])
    #expect(jobs.map(\.wants.description) == ["[]", "[a 0]", "[b 0]", "[]", "[a 1]"])
    #expect(jobs[0].failures == 2 && jobs[0].attempts == 2 && jobs[0].error == "no 0")
    #expect(jobs[1].failures == 0 && jobs[1].error == nil && jobs[1].givenUpAt == jobs[0].givenUpAt)
    let attempts = try await fixture.ledger.history(of: Self.name("a", 1))
    #expect(attempts.map(\.attempt) == [1, 2])
    #expect(attempts.allSatisfy { $0.host == "h" && $0.pid == 1 })
    #expect(attempts.last?.error == "no 1")
  }

  @Test(
    "released jobs are available or wait, with no failure, and are done in order; history stays")
  func released() async throws {
    let fixture = try await Self.givenUp()
    defer { fixture.remove() }
    // What it needs goes with it: it could not be done without.
    let names = try await fixture.ledger.release(quarantined: [Self.name("b")], now: 9)
    #expect(names.map(\.description) == ["a 0", "b 0", "c 0"])
    let states = try await Self.states(fixture)
    #expect(
      states == [
        "a 0": .available, "b 0": .waiting, "c 0": .waiting, "d 0": .waiting, "e 0": .available,
        "a 1": .quarantined, "b 1": .quarantined,
      ])
    for stage in ["a", "b", "c"] {
      let lease = try #require(try await fixture.claim(now: 10))
      #expect(lease.name == Self.name(stage) && lease.failures == 0)
      try await fixture.ledger.complete(lease, counts: "{}", now: 11)
    }
    #expect(try await fixture.ledger.history(of: Self.name("a")).map(\.attempt) == [1, 2, 3])
    // The other chunk is given up still, so only e 0 is to come before d 0.
    let last = try #require(
      try await fixture.ledger.claim(
        stages: ["d", "e"], owner: LedgerFixture.alice, duration: 100, now: 12))
    #expect(last.name.stage == "e")
    try await fixture.ledger.complete(last, counts: "{}", now: 13)
    #expect(try await Self.states(fixture)["d 0"] == .available)
    // What is free to go waits again for a released job.
    let rest = try await fixture.ledger.release(quarantined: nil, now: 14)
    #expect(rest.map(\.description) == ["a 1", "b 1"])
    #expect(try await Self.states(fixture)["d 0"] == .waiting)
    #expect(try await fixture.ledger.release(quarantined: nil, now: 15) == [])
  }

  @Test("a job that needs two given-up ones stays until both are released")
  func two() async throws {
    let fixture = try LedgerFixture(retry: RetryPolicy(maxFailures: 1))
    defer { fixture.remove() }
    try await fixture.ledger.add(
      [job("a", 0), job("a", 1), job("b", 0, needs: [Self.name("a"), Self.name("a", 1)])], now: 0)
    for _ in 0..<2 {
      let lease = try #require(try await fixture.claim(now: 1))
      try await fixture.ledger.fail(lease, error: "no", now: 1)
    }
    #expect(try await fixture.ledger.release(quarantined: [Self.name("a")], now: 2).count == 1)
    #expect(try await fixture.ledger.state(of: Self.name("b")) == .quarantined)
    let more = try await fixture.ledger.release(quarantined: [Self.name("a", 1)], now: 3)
    #expect(more == [Self.name("b"), Self.name("a", 1)])
    #expect(try await fixture.ledger.state(of: Self.name("b")) == .waiting)
  }

  @Test("nothing is released while a job is in work, nor of jobs that there are none of")
  func refused() async throws {
    let fixture = try await Self.givenUp()
    defer { fixture.remove() }
    let before = try await Self.states(fixture)
    await #expect(throws: LedgerError.unknownJob(Self.name("z"))) {
      try await fixture.ledger.release(quarantined: [Self.name("a"), Self.name("z")], now: 5)
    }
    #expect(try await Self.states(fixture) == before)
    let lease = try #require(
      try await fixture.ledger.claim(
        stages: ["e"], owner: LedgerFixture.alice, duration: 100, now: 5))
    await #expect(throws: LedgerError.busy(Self.name("e"))) {
      try await fixture.ledger.release(quarantined: nil, now: 6)
    }
    try await fixture.ledger.release(lease, now: 7)
    #expect(try await Self.states(fixture) == before)
    #expect(try await fixture.ledger.release(quarantined: [Self.name("e")], now: 8) == [])
  }

  @Test("what is done again goes with it in one transaction: reopened jobs, a new order, a note")
  func together() async throws {
    let fixture = try await Self.givenUp()
    defer { fixture.remove() }
    let lease = try #require(
      try await fixture.ledger.claim(
        stages: ["e"], owner: LedgerFixture.alice, duration: 100, now: 5))
    try await fixture.ledger.complete(lease, counts: "{}", now: 6)
    let bad = JobRelease(quarantined: nil, reopening: [Self.name("e"), Self.name("z")])
    await #expect(throws: LedgerError.unknownJob(Self.name("z"))) {
      try await fixture.ledger.release(bad, now: 7)
    }
    #expect(try await Self.states(fixture)["e 0"] == .completed)
    let done = try await fixture.ledger.release(
      JobRelease(
        quarantined: [Self.name("a")], reopening: [Self.name("e"), Self.name("d")],
        order: [(Self.name("e"), Self.name("c"))], note: ("k", "v")), now: 8)
    #expect(done.released.map(\.description) == ["a 0", "b 0", "c 0"])
    // d 0 was not completed, so it is passed over.
    #expect(done.reopened == [Self.name("e")])
    #expect(try await Self.states(fixture)["e 0"] == .waiting)
    #expect(try await fixture.ledger.note("k") == "v")
    for stage in ["a", "b", "c", "e", "d"] {
      let lease = try #require(
        try await fixture.ledger.claim(
          stages: ["a", "b", "c", "d", "e"], owner: LedgerFixture.alice, duration: 9, now: 9))
      #expect(lease.name.stage == stage)
      try await fixture.ledger.complete(lease, counts: "{}", now: 10)
    }
    #expect(try await fixture.ledger.unsettledCount() == 0)
  }

  @Test(
    "progress tells what is in work, what was completed of late, and when failures are tried again")
  func progress() async throws {
    let fixture = try LedgerFixture(retry: RetryPolicy(maxFailures: 9, basePause: 700))
    defer { fixture.remove() }
    let ledger = fixture.ledger
    try await ledger.add((0..<5).map { job("a", $0) }, now: 0)
    for (now, input) in [(10_000, 7), (50_000, 11), (51_000, 13)] {
      let lease = try #require(try await fixture.claim(now: now))
      try await ledger.complete(lease, counts: #"{"input":\#(input)}"#, now: now)
    }
    let failed = try #require(try await fixture.claim(now: 52_000))
    try await ledger.fail(failed, error: "no", now: 52_000)
    let leased = try #require(try await fixture.claim(LedgerFixture.bob, now: 52_500))
    let idle = try await ledger.progress(since: 40_000, now: 53_000)
    #expect(idle.since == nil && idle.recent.isEmpty, "no process is known to work")
    #expect(idle.nextRetry == ["a": 52_700])
    #expect(idle.leased.map(\.name) == [leased.name])
    #expect(idle.leased[0].startedAt == 52_500 && idle.leased[0].processID == 2)
    let session = try await ledger.beginSession(now: 5_000)
    try await ledger.touchSession(session, now: 52_900)
    let live = try await ledger.progress(since: 40_000, now: 53_000)
    #expect(live.since == 40_000)
    #expect(live.recent.keys.sorted() == ["a"])
    #expect(live.recent["a"]?.jobs == 2 && live.recent["a"]?.input == 24)
    let all = try await ledger.progress(since: 0, now: 53_000)
    #expect(all.since == 5_000, "before the process began nobody worked")
    #expect(all.recent["a"]?.input == 31)
  }
}
