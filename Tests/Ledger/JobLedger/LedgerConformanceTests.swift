import JobLedger
import Testing

/// Promises of ``Ledger``: jobs are entered, claimed once, and wait for each other.
@Suite struct LedgerConformanceTests {
  @Test(
    "two claimers never share a job, and every job is claimed once", arguments: LedgerBackend.all)
  func sharing(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make()
    defer { fixture.remove() }
    let second = try await fixture.another()
    try await fixture.ledger.add((0..<60).map { job("a", $0) }, now: 0)
    let names = try await withThrowingTaskGroup(of: [JobName].self) { group in
      for (ledger, owner) in [(fixture.ledger, TestLedger.alice), (second, TestLedger.bob)] {
        group.addTask {
          var mine: [JobName] = []
          while let lease = try await ledger.claim(
            stages: ["a"], owner: owner, duration: 100, now: 0)
          {
            mine.append(lease.name)
          }
          return mine
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(names.count == 60)
    #expect(Set(names).count == 60)
  }

  @Test(
    "the highest rank is claimed first, then the lowest chunk, of the asked stages only",
    arguments: LedgerBackend.all)
  func order(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make()
    defer { fixture.remove() }
    try await fixture.ledger.add(
      [
        job("a", 0, rank: 1), job("a", 1, rank: 1), job("b", 1, rank: 2), job("b", 0, rank: 2),
        job("z", 0, rank: 9),
      ],
      now: 0)
    var names: [String] = []
    while let lease = try await fixture.claim() { names.append(lease.name.description) }
    #expect(names == ["b 0", "b 1", "a 0", "a 1"])
  }

  @Test(
    "a job becomes available when the last of its needs has settled", arguments: LedgerBackend.all)
  func counters(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make()
    defer { fixture.remove() }
    let a = JobName(stage: "a", chunk: 0)
    let b = JobName(stage: "b", chunk: 0)
    let c = JobName(stage: "c", chunk: 0)
    try await fixture.ledger.add(
      [job("a", 0), job("b", 0), job("c", 0, needs: [a], after: [b])], now: 0)
    #expect(try await fixture.ledger.state(of: c) == .waiting)
    let first = try #require(try await fixture.claim(stages: ["a"]))
    try await fixture.ledger.complete(first, counts: "{}", now: 1)
    #expect(try await fixture.ledger.state(of: c) == .waiting)
    let second = try #require(try await fixture.claim(stages: ["b"]))
    try await fixture.ledger.complete(second, counts: "{}", now: 2)
    #expect(try await fixture.ledger.state(of: c) == .available)
  }

  @Test(
    "jobs declared at completion appear with it, and wait for the completed job no more",
    arguments: LedgerBackend.all)
  func declared(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make()
    defer { fixture.remove() }
    let a = JobName(stage: "a", chunk: 0)
    try await fixture.ledger.add([job("a", 0)], now: 0)
    let lease = try #require(try await fixture.claim())
    try await fixture.ledger.complete(
      lease, counts: "{\"kept\":3}",
      newJobs: [job("b", 0, needs: [a]), job("c", 0, needs: [JobName(stage: "b", chunk: 0)])],
      now: 1)
    #expect(try await fixture.ledger.state(of: JobName(stage: "b", chunk: 0)) == .available)
    #expect(try await fixture.ledger.state(of: JobName(stage: "c", chunk: 0)) == .waiting)
    #expect(try await fixture.ledger.counts(stage: "a").map(\.counts) == ["{\"kept\":3}"])
  }

  @Test(
    "entering a job again changes nothing; an unknown need is refused", arguments: LedgerBackend.all
  )
  func entering(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make()
    defer { fixture.remove() }
    try await fixture.ledger.add([job("a", 0)], now: 0)
    _ = try await fixture.claim()
    try await fixture.ledger.add([job("a", 0)], now: 1)
    #expect(try await fixture.ledger.tally() == ["a": [.leased: 1]])
    let missing = JobName(stage: "q", chunk: 4)
    await #expect(
      throws: LedgerError.unknownDependency(job: JobName(stage: "b", chunk: 0), needs: missing)
    ) {
      try await fixture.ledger.add([job("b", 0, needs: [missing])], now: 2)
    }
    #expect(try await fixture.ledger.state(of: JobName(stage: "b", chunk: 0)) == nil)
  }

  @Test(
    "work is added to a ledger at rest, once, with its note; a busy one takes none",
    arguments: LedgerBackend.all)
  func addingWhenIdle(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make()
    defer { fixture.remove() }
    let ledger = fixture.ledger
    #expect(try await ledger.lastChunk(stage: "a") == nil)
    #expect(try await ledger.addWhenIdle([job("a", 0)], note: ("n", "first"), now: 0))
    #expect(try await !ledger.addWhenIdle([job("a", 1)], note: ("n", "second"), now: 0))
    #expect(try await ledger.note("n") == "first")
    let lease = try #require(try await fixture.claim())
    try await ledger.complete(lease, counts: "{}", now: 1)
    // At rest now, but the job is known: of two that try the same, one succeeds.
    #expect(try await !ledger.addWhenIdle([job("a", 0)], note: ("n", "third"), now: 2))
    #expect(try await ledger.note("n") == "first")
    #expect(try await ledger.addWhenIdle([job("a", 1)], note: ("n", "fourth"), now: 2))
    #expect(try await ledger.note("n") == "fourth")
    #expect(try await ledger.lastChunk(stage: "a") == 1)
    #expect(try await ledger.lastChunk(stage: "b") == nil)
  }

  @Test(
    "the same configuration is accepted, another is refused key by key",
    arguments: LedgerBackend.all)
  func configuration(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make()
    defer { fixture.remove() }
    try await fixture.ledger.bind(configuration: [("size", "256"), ("mode", "crop")], now: 0)
    try await fixture.ledger.bind(configuration: [("mode", "crop"), ("size", "256")], now: 1)
    await #expect(
      throws: LedgerError.configurationChanged(
        path: fixture.ledger.path,
        differences: ["new: was not set, now 1", "size: was 256, now 512"])
    ) {
      try await fixture.ledger.bind(
        configuration: [("size", "512"), ("mode", "crop"), ("new", "1")], now: 2)
    }
  }

  @Test("what was committed is there when the file is opened again", arguments: LedgerBackend.all)
  func reopening(_ backend: LedgerBackend) async throws {
    let fixture = try await backend.make()
    defer { fixture.remove() }
    try await fixture.ledger.add([job("a", 0)], now: 0)
    let lease = try #require(try await fixture.claim())
    try await fixture.ledger.complete(lease, counts: "{}", now: 3)
    let again = try await fixture.another()
    #expect(try await again.state(of: lease.name) == .completed)
    #expect(try await again.unsettledCount() == 0)
  }

  @Test(
    "a retryable job whose pause is over goes by its rank and chunk", arguments: LedgerBackend.all)
  func retryOrder(_ backend: LedgerBackend) async throws {
    let test = try await backend.make(RetryPolicy(maxFailures: 9, basePause: 10))
    defer { test.remove() }
    try await test.ledger.add(
      [job("a", 0), job("a", 1), job("a", 2), job("b", 7, rank: 1)], now: 0)
    let (b, a) = (try await test.claim(), try await test.claim())
    for lease in [b, a] {
      try await test.ledger.fail(try #require(lease), error: "e", now: 0)
    }
    #expect(try await test.claim(now: 9)?.name == name("a", 1))
    #expect(try await test.claim(now: 10)?.name == name("b", 7))
    #expect(try await test.claim(now: 10)?.name == name("a", 0))
    #expect(try await test.claim(now: 10)?.name == name("a", 2))
    #expect(try await test.claim(now: 10) == nil)
  }

  @Test(
    "nothing is claimed among no stages, or among stages without jobs", arguments: LedgerBackend.all
  )
  func noStages(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    try await test.ledger.add([job("a", 0)], now: 0)
    #expect(try await test.claim(stages: []) == nil)
    #expect(try await test.claim(stages: ["z"]) == nil)
    #expect(try await test.ledger.unsettledCount(stages: []) == 0)
    #expect(try await test.ledger.unsettledCount(stages: ["a", "z"]) == 1)
    #expect(try await test.ledger.unsettledCount() == 1)
  }

  @Test("notes are kept by key, the newest each, and are not options", arguments: LedgerBackend.all)
  func notes(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    try await test.ledger.setNote("k", "1")
    try await test.ledger.setNote("k", "2")
    #expect(try await test.ledger.note("k") == "2")
    #expect(try await test.ledger.note("other") == nil)
    try await test.ledger.bind(configuration: [("k", "3")], now: 0)
    #expect(try await test.another().note("k") == "2")
  }

  @Test("settled chunks are the completed and the quarantined ones", arguments: LedgerBackend.all)
  func settled(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    try await test.ledger.add((0..<4).map { job("a", $0) }, now: 0)
    try await test.ledger.complete(try #require(try await test.claim()), counts: "{}", now: 1)
    try await test.ledger.fail(
      try #require(try await test.claim()), error: "e", isFinal: true, now: 1)
    _ = try await test.claim()
    #expect(try await test.ledger.settledChunks(stages: ["a", "b"]) == ["a": [0, 1], "b": []])
  }
}
