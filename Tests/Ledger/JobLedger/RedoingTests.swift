import JobLedger
import Testing

/// Stages done again, over a pipeline of a, b and c per chunk and one job d behind all.
@Suite struct RedoingTests {
  static let stages = ["a", "b", "c", "d"]

  static func name(_ stage: String, _ chunk: Int) -> JobName { JobName(stage: stage, chunk: chunk) }

  /// Two chunks; a 1 waits for c 0 as a window would have it.
  static func plan(hasC: Bool = true) -> [NewJob] {
    (0..<2).flatMap { chunk in
      [
        job("a", chunk, rank: 0, after: chunk == 0 ? [] : [name(hasC ? "c" : "b", chunk - 1)]),
        job("b", chunk, rank: 1, needs: [name("a", chunk)]),
      ] + (hasC ? [job("c", chunk, rank: 2, needs: [name("b", chunk)])] : [])
    } + [job("d", 0, rank: 3, after: (0..<2).map { name(hasC ? "c" : "b", $0) })]
  }

  /// Jobs that were worked off, those in `failing` given up.
  static func fixture(hasC: Bool = true, failing: Set<JobName> = [], jobs: Int = .max) async throws
    -> LedgerFixture
  {
    let fixture = try LedgerFixture()
    try await fixture.ledger.bind(configuration: [("size", "1"), ("rule", "x")], now: 0)
    try await fixture.ledger.add(plan(hasC: hasC), now: 0)
    try await work(fixture, failing: failing, jobs: jobs)
    return fixture
  }

  @discardableResult
  static func work(
    _ fixture: LedgerFixture, failing: Set<JobName> = [], jobs: Int = .max
  ) async throws -> [JobName] {
    var done: [JobName] = []
    while done.count < jobs, let lease = try await fixture.claim(stages: stages, now: 1) {
      if failing.contains(lease.name) {
        try await fixture.ledger.fail(lease, error: "no", isFinal: true, now: 2)
      } else {
        try await fixture.ledger.complete(lease, counts: "{\"n\":1}", now: 2)
      }
      done.append(lease.name)
    }
    return done
  }

  static func states(_ fixture: LedgerFixture) async throws -> [String: JobState] {
    var states: [String: JobState] = [:]
    for stage in stages {
      for chunk in 0..<2 {
        states["\(stage) \(chunk)"] = try await fixture.ledger.state(of: name(stage, chunk))
      }
    }
    return states
  }

  @Test("the stages are done once more in order, under the new options; earlier ones stay done")
  func again() async throws {
    let fixture = try await Self.fixture()
    defer { fixture.remove() }
    let count = try await fixture.ledger.redo(
      stages: ["b", "c", "d"], configuration: [("rule", "y"), ("new", "1")],
      notes: [("redo", "b")], now: 5)
    #expect(count == 5)
    let bound = try await fixture.ledger.configuration()
    #expect(bound.map { "\($0.key)=\($0.value)" } == ["new=1", "rule=y"])
    #expect(try await fixture.ledger.note("redo") == "b")
    #expect(
      try await Self.states(fixture) == [
        "a 0": .completed, "a 1": .completed, "b 0": .available, "b 1": .available,
        "c 0": .waiting, "c 1": .waiting, "d 0": .waiting,
      ])
    #expect(try await fixture.ledger.counts(of: Self.name("b", 0)) == nil)
    let done = try await Self.work(fixture)
    #expect(done.map(\.description) == ["b 0", "c 0", "b 1", "c 1", "d 0"])
    for (stage, attempts) in [("a", 1), ("b", 2), ("d", 2)] {
      let history = try await fixture.ledger.history(of: Self.name(stage, 0))
      #expect(history.map(\.outcome) == Array(repeating: .completed, count: attempts), "\(stage)")
    }
  }

  @Test("while any job is in work nothing is changed")
  func busy() async throws {
    let fixture = try await Self.fixture(jobs: 2)
    defer { fixture.remove() }
    let lease = try #require(try await fixture.claim(stages: Self.stages, now: 3))
    let before = try await Self.states(fixture)
    await #expect(throws: LedgerError.busy(lease.name)) {
      _ = try await fixture.ledger.redo(stages: ["d"], configuration: [], notes: [], now: 5)
    }
    #expect(try await Self.states(fixture) == before)
    #expect(try await fixture.ledger.configuration().count == 2)
    try await fixture.ledger.complete(lease, counts: "{}", now: 6)
  }

  @Test("what was given up is tried anew, but not what needs a job of another stage that was")
  func givenUp() async throws {
    let fixture = try await Self.fixture(failing: [Self.name("a", 0), Self.name("c", 1)])
    defer { fixture.remove() }
    let count = try await fixture.ledger.redo(
      stages: ["b", "c", "d"], configuration: [], notes: [], now: 5)
    #expect(count == 3)
    #expect(
      try await Self.states(fixture) == [
        "a 0": .quarantined, "b 0": .quarantined, "c 0": .quarantined, "a 1": .completed,
        "b 1": .available, "c 1": .waiting, "d 0": .waiting,
      ])
    #expect(try await Self.work(fixture).map(\.description) == ["b 1", "c 1", "d 0"])
    // With the stage that failed, all of it is tried anew.
    #expect(
      try await fixture.ledger.redo(stages: Self.stages, configuration: [], notes: [], now: 6) == 7)
    #expect(try await Self.work(fixture).count == 7)
    #expect(try await fixture.ledger.quarantined().isEmpty)
  }

  @Test("what was free to go and depends on a stage that is done again waits for it")
  func dependents() async throws {
    let fixture = try await Self.fixture(jobs: 3)
    defer { fixture.remove() }
    #expect(try await fixture.ledger.state(of: Self.name("a", 1)) == .available)
    _ = try await fixture.ledger.redo(stages: ["c", "d"], configuration: [], notes: [], now: 5)
    #expect(try await fixture.ledger.state(of: Self.name("a", 1)) == .waiting)
    let done = try await Self.work(fixture)
    #expect(done.map(\.description) == ["c 0", "a 1", "b 1", "c 1", "d 0"])
  }

  @Test("a stage that is new is entered and waited for, one that is gone goes with its history")
  func otherPlan() async throws {
    let fixture = try await Self.fixture(hasC: false, failing: [Self.name("b", 1)])
    defer { fixture.remove() }
    let late = Set(["c", "d"])
    let count = try await fixture.ledger.redo(
      stages: ["c", "d"], plan: Self.plan().filter { late.contains($0.name.stage) },
      configuration: [], notes: [], now: 5)
    #expect(count == 2, "c 1 needs what was given up")
    #expect(try await fixture.ledger.state(of: Self.name("c", 1)) == .quarantined)
    #expect(try await fixture.ledger.state(of: Self.name("d", 0)) == .waiting)
    #expect(try await Self.work(fixture).map(\.description) == ["c 0", "d 0"])
    let back = Self.plan(hasC: false).filter { $0.name.stage == "d" }
    #expect(
      try await fixture.ledger.redo(
        stages: ["c", "d"], plan: back, configuration: [], notes: [], now: 6) == 1)
    #expect(try await fixture.ledger.state(of: Self.name("c", 0)) == nil)
    #expect(try await fixture.ledger.history(of: Self.name("c", 0)).isEmpty)
    #expect(try await Self.work(fixture).map(\.description) == ["d 0"])
    #expect(try await fixture.ledger.unsettledCount() == 0)
  }
}
