import JobLedger
import Testing

@Suite struct RestoringTests {
  private static func name(_ stage: String, _ chunk: Int) -> JobName {
    JobName(stage: stage, chunk: chunk)
  }

  /// a 0 and a 1 → b 0 and b 1; a 0, a 1 and b 0 are done.
  private static let jobs = [
    RestoredJob(job("a", 0), attempt: 3, counts: "{\"kept\":1}"),
    RestoredJob(job("a", 1), counts: "{\"kept\":2}"),
    RestoredJob(job("b", 0, needs: [name("a", 0)]), attempt: 1, counts: "{\"kept\":4}"),
    RestoredJob(job("b", 1, needs: [name("a", 1)], after: [name("b", 0)]), attempt: 7),
    RestoredJob(job("c", 0, after: [name("b", 0), name("b", 1)])),
  ]

  @Test("jobs stand as they are said to, and the rest goes on in order with higher attempts")
  func jobs() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    try await fixture.ledger.restore(
      Self.jobs, configuration: [("x", "1")], notes: [("y", "2")], now: 5)
    #expect(
      try await fixture.ledger.tally() == [
        "a": [.completed: 2], "b": [.completed: 1, .available: 1], "c": [.waiting: 1],
      ])
    #expect(try await fixture.ledger.totals()["a"] == ["$.kept": 3])
    #expect(try await fixture.ledger.counts(of: Self.name("b", 0)) == "{\"kept\":4}")
    #expect(try await fixture.ledger.unsettledCount() == 2)
    let lease = try #require(try await fixture.claim(now: 6))
    #expect(lease.name == Self.name("b", 1))
    #expect(lease.attempt == 8)
    try await fixture.ledger.complete(lease, counts: "{}", now: 7)
    let last = try #require(try await fixture.claim(now: 8))
    #expect(last.name == Self.name("c", 0))
    #expect(last.attempt == 1)
    // What was done before may be done again, above the attempts that there were.
    try await fixture.ledger.reopen([Self.name("a", 0)])
    #expect(try await fixture.claim(now: 9)?.attempt == 4)
  }

  @Test("what is given up is quarantined, and what needs it with it")
  func givenUp() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    try await fixture.ledger.restore(
      [
        RestoredJob(job("a", 0), counts: "{}"),
        RestoredJob(job("b", 0, needs: [Self.name("a", 0)]), attempt: 2, isGivenUp: true),
        RestoredJob(job("c", 0, needs: [Self.name("b", 0)])),
        RestoredJob(job("c", 1, after: [Self.name("b", 0), Self.name("c", 0)])),
      ], configuration: [], notes: [], now: 5)
    let quarantined = try await fixture.ledger.quarantined()
    #expect(quarantined.map(\.name) == [Self.name("b", 0), Self.name("c", 0)])
    #expect(quarantined.map(\.error) == [nil, nil])
    #expect(try await fixture.claim()?.name == Self.name("c", 1))
  }

  @Test("configuration and notes are bound, and read back with everything else")
  func everything() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    try await fixture.ledger.bind(configuration: [("old", "0")], now: 0)
    try await fixture.ledger.setNote("kept", "k")
    try await fixture.ledger.restore(
      [], configuration: [("b", "2"), ("a", "1")], notes: [("z", "26"), ("m", "13")], now: 1)
    let (configuration, notes) = try await fixture.ledger.everything()
    #expect(configuration.map { "\($0.key)=\($0.value)" } == ["a=1", "b=2"])
    #expect(notes.map { "\($0.key)=\($0.value)" } == ["kept=k", "m=13", "z=26"])
    try await fixture.ledger.bind(configuration: [("a", "1"), ("b", "2")], now: 2)
    #expect(try await fixture.ledger.note("z") == "26")
  }

  @Test("a ledger that has jobs takes no others, and a missing dependency enters none")
  func refusals() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    let lost = Self.name("x", 0)
    await #expect(throws: LedgerError.unknownDependency(job: Self.name("d", 0), needs: lost)) {
      try await fixture.ledger.restore(
        Self.jobs + [RestoredJob(job("d", 0, needs: [lost]))], configuration: [("a", "1")],
        notes: [], now: 0)
    }
    #expect(try await fixture.ledger.tally().isEmpty)
    #expect(try await fixture.ledger.everything().configuration.isEmpty)
    try await fixture.ledger.restore(Self.jobs, configuration: [], notes: [], now: 0)
    await #expect(throws: LedgerError.self) {
      try await fixture.ledger.restore(Self.jobs, configuration: [], notes: [], now: 0)
    }
  }
}
