import JobLedger
import Testing

/// Promises of ``Ledger``: it moves jobs as ``JobState/after(_:)`` says, in every state by every event.
@Suite struct StateMachineConformanceTests {
  static let cases = LedgerBackend.all.flatMap { backend in
    JobState.allCases.flatMap { state in
      JobEvent.allCases.map { Case(backend: backend, state: state, event: $0) }
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let backend: LedgerBackend
    let state: JobState
    let event: JobEvent
    var testDescription: String { "\(backend.testDescription): \(state) by \(event)" }
  }

  private static let (need, job) = (name("n"), name("x"))
  private static let owner = TestLedger.alice

  @Test("a job in a state goes by an event where the table says, or stays", arguments: cases)
  func table(_ one: Case) async throws {
    let test = try await one.backend.make(RetryPolicy(maxFailures: 2, basePause: 10))
    defer { test.remove() }
    let leases = try await Self.bring(test.ledger, to: one.state)
    try #require(try await test.ledger.state(of: Self.job) == one.state)
    try await Self.send(one.event, to: test.ledger, leases)
    let expected: JobState
    if one.event == .reopenedWithNeed, one.state != .completed {
      // Both are handed back, and the job was not done: to it, its need was reopened.
      expected = one.state.after(.needWasReopened) ?? one.state
    } else {
      expected = one.state.after(one.event) ?? one.state
    }
    #expect(try await test.ledger.state(of: Self.job) == expected)
  }

  /// The newest leases of the need and of the job; ones that were never given where there are none.
  private struct Leases {
    var need = Lease(id: 1, name: StateMachineConformanceTests.need, attempt: 1)
    var job = Lease(id: 2, name: StateMachineConformanceTests.job, attempt: 1)
  }

  /// Enters the need and the job that waits for it, and brings the job to a state.
  private static func bring(_ ledger: any Ledger, to state: JobState) async throws -> Leases {
    var leases = Leases()
    try await ledger.add([NewJob(need, rank: 0), NewJob(job, rank: 0, needs: [need])], now: 0)
    if state == .waiting { return leases }
    leases.need = try await claim("n", ledger, now: 1)
    try await ledger.complete(leases.need, counts: "{}", now: 2)
    if state == .available { return leases }
    leases.job = try await claim("x", ledger, now: 3)
    switch state {
    case .completed: try await ledger.complete(leases.job, counts: "{}", now: 4)
    case .retryable: try await ledger.fail(leases.job, error: "e", now: 4)
    case .quarantined: try await ledger.fail(leases.job, error: "e", isFinal: true, now: 4)
    default: break
    }
    return leases
  }

  private static func claim(_ stage: String, _ ledger: any Ledger, now: Int) async throws -> Lease {
    try #require(
      try await ledger.claim(stages: [stage], owner: owner, duration: 1_000, now: now))
  }

  /// Lets an event happen; what the ledger refuses it must refuse as lost or busy.
  private static func send(
    _ event: JobEvent, to ledger: any Ledger, _ leases: Leases
  ) async throws {
    do {
      switch event {
      case .unblocked:
        // A need that has settled already was completed by the lease that it then reports again.
        let lease = try await ledger.claim(stages: ["n"], owner: owner, duration: 9, now: 50)
        try await ledger.complete(lease ?? leases.need, counts: "{}", now: 51)
      case .needWasQuarantined:
        let lease = try await ledger.claim(stages: ["n"], owner: owner, duration: 9, now: 50)
        try await ledger.fail(lease ?? leases.need, error: "e", isFinal: true, now: 51)
      case .claimed:
        _ = try await ledger.claim(stages: ["x"], owner: owner, duration: 9, now: 50)
      case .completed: try await ledger.complete(leases.job, counts: "{}", now: 51)
      case .failed: try await ledger.fail(leases.job, error: "e", now: 51)
      case .failedForGood:
        try await ledger.fail(leases.job, error: "e", isFinal: true, now: 51)
      case .released: try await ledger.release(leases.job, now: 51)
      case .rescued: try await ledger.rescue(now: 51) { _ in false }
      case .reopened: try await ledger.reopen([job])
      case .reopenedWithNeed: try await ledger.reopen([need, job])
      case .needWasReopened: try await ledger.reopen([need])
      case .handedBack: _ = try await ledger.release(quarantined: [job], now: 51)
      case .handedBackWithNeed:
        // The need goes with a job that was given up; with another it would be another event.
        let isGivenUp = try await ledger.state(of: job) == .quarantined
        _ = try await ledger.release(
          JobRelease(quarantined: [job], reopening: isGivenUp ? [need] : []), now: 51)
      }
    } catch {
      switch error {
      case .leaseLost, .busy: break
      default: throw error
      }
    }
  }
}

extension Lease {
  /// A lease that a test made up.
  init(id: Int, name: JobName, attempt: Int) {
    self.init(id: id, name: name, attempt: attempt, failures: 0, expires: 0)
  }
}
