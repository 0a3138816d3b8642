import JobLedger
import Testing

/// Promises of ``Ledger``: what is done can be handed back, and its counts revised.
@Suite struct ReopeningConformanceTests {
  /// a 0 → b 0 → c 0, all done, and d 0 that waits for c 0 and e 0.
  static func chain(_ backend: LedgerBackend) async throws -> TestLedger {
    let fixture = try await backend.make()
    func name(_ stage: String) -> JobName { JobName(stage: stage, chunk: 0) }
    try await fixture.ledger.add(
      [
        job("a", 0), job("b", 0, needs: [name("a")]), job("c", 0, needs: [name("b")]),
        job("e", 0), job("d", 0, after: [name("c"), name("e")]),
      ], now: 0)
    for _ in 0..<3 {
      guard let lease = try await fixture.claim(now: 1) else { break }
      try await fixture.ledger.complete(lease, counts: "{}", now: 2)
    }
    return fixture
  }

  static func states(_ fixture: TestLedger) async throws -> [JobState?] {
    var states: [JobState?] = []
    for stage in ["a", "b", "c", "d"] {
      states.append(try await fixture.ledger.state(of: JobName(stage: stage, chunk: 0)))
    }
    return states
  }

  @Test(
    "reopened jobs wait for each other and are done again in order; others stay as they are",
    arguments: LedgerBackend.all)
  func order(_ backend: LedgerBackend) async throws {
    let fixture = try await Self.chain(backend)
    defer { fixture.remove() }
    #expect(try await Self.states(fixture) == [.completed, .completed, .completed, .waiting])
    let reopened = try await fixture.ledger.reopen([
      JobName(stage: "b", chunk: 0), JobName(stage: "c", chunk: 0),
    ])
    #expect(reopened.map(\.stage) == ["b", "c"])
    #expect(try await Self.states(fixture) == [.completed, .available, .waiting, .waiting])
    #expect(try await fixture.ledger.counts(of: JobName(stage: "b", chunk: 0)) == nil)
    for stage in ["b", "c"] {
      let lease = try #require(try await fixture.claim(now: 3))
      #expect(lease.name.stage == stage)
      #expect(lease.attempt == 2)
      try await fixture.ledger.complete(lease, counts: "{}", now: 4)
    }
    // Its other dependency is still to come: reopening did not lose count.
    #expect(try await Self.states(fixture) == [.completed, .completed, .completed, .waiting])
    let last = try #require(
      try await fixture.ledger.claim(
        stages: ["d", "e"], owner: TestLedger.alice, duration: 100, now: 5))
    #expect(last.name.stage == "e")
    try await fixture.ledger.complete(last, counts: "{}", now: 6)
    #expect(try await Self.states(fixture).last == .available)
  }

  @Test(
    "a job that was free to go waits again for one that it depends on", arguments: LedgerBackend.all
  )
  func dependents(_ backend: LedgerBackend) async throws {
    let fixture = try await Self.chain(backend)
    defer { fixture.remove() }
    let e = try #require(
      try await fixture.ledger.claim(
        stages: ["e"], owner: TestLedger.alice, duration: 100, now: 5))
    try await fixture.ledger.complete(e, counts: "{}", now: 6)
    #expect(try await Self.states(fixture).last == .available)
    try await fixture.ledger.reopen([JobName(stage: "c", chunk: 0)])
    #expect(try await Self.states(fixture) == [.completed, .completed, .available, .waiting])
    // What is yet to be done is passed over, what was never entered refused.
    #expect(try await fixture.ledger.reopen([JobName(stage: "c", chunk: 0)]).isEmpty)
    await #expect(throws: LedgerError.unknownJob(JobName(stage: "x", chunk: 0))) {
      try await fixture.ledger.reopen([JobName(stage: "x", chunk: 0)])
    }
  }

  @Test(
    "nothing is reopened while a job, or one that depends on it, is being worked on",
    arguments: LedgerBackend.all)
  func busy(_ backend: LedgerBackend) async throws {
    let fixture = try await Self.chain(backend)
    defer { fixture.remove() }
    try await fixture.ledger.reopen([JobName(stage: "c", chunk: 0)])
    _ = try #require(try await fixture.claim(stages: ["c"], now: 7))
    for stage in ["b", "c"] {
      await #expect(throws: LedgerError.busy(JobName(stage: "c", chunk: 0))) {
        try await fixture.ledger.reopen([
          JobName(stage: "a", chunk: 0), JobName(stage: stage, chunk: 0),
        ])
      }
    }
    #expect(try await Self.states(fixture) == [.completed, .completed, .leased, .waiting])
  }

  @Test("counts are replaced for all jobs or for none", arguments: LedgerBackend.all)
  func revision(_ backend: LedgerBackend) async throws {
    let fixture = try await Self.chain(backend)
    defer { fixture.remove() }
    let (a, d) = (JobName(stage: "a", chunk: 0), JobName(stage: "d", chunk: 0))
    await #expect(throws: LedgerError.busy(d)) {
      try await fixture.ledger.revise([(a, "{\"kept\":1}"), (d, "{}")])
    }
    #expect(try await fixture.ledger.counts(of: a) == "{}")
    try await fixture.ledger.revise([(a, "{\"kept\":1}")])
    #expect(try await fixture.ledger.counts(of: a) == "{\"kept\":1}")
  }
}
