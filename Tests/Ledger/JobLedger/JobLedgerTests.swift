import Foundation
import JobLedger
import Testing

/// A ledger in a folder of its own, and the owners that the tests use.
struct LedgerFixture {
  let folder: String
  let ledger: SQLiteLedger

  init(retry: RetryPolicy = RetryPolicy()) throws {
    folder = FileManager.default.temporaryDirectory.path + "/ledger-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    ledger = try SQLiteLedger(path: folder + "/ledger.sqlite", retry: retry)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  static let alice = LeaseOwner(host: "h", processID: 1, processStart: 7, worker: "alice")
  static let bob = LeaseOwner(host: "h", processID: 2, processStart: 8, worker: "bob")

  func claim(_ owner: LeaseOwner = alice, stages: [String] = ["a", "b", "c"], now: Int = 0)
    async throws
    -> Lease?
  {
    try await ledger.claim(stages: stages, owner: owner, duration: 100, now: now)
  }
}

func job(_ stage: String, _ chunk: Int, rank: Int = 0, needs: [JobName] = [], after: [JobName] = [])
  -> NewJob
{
  NewJob(JobName(stage: stage, chunk: chunk), rank: rank, needs: needs, after: after)
}

@Suite struct JobLedgerTests {
  @Test("two claimers never share a job, and every job is claimed once")
  func sharing() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    let second = try SQLiteLedger(path: fixture.ledger.path)
    try await fixture.ledger.add((0..<60).map { job("a", $0) }, now: 0)
    let names = try await withThrowingTaskGroup(of: [JobName].self) { group in
      for (ledger, owner) in [(fixture.ledger, LedgerFixture.alice), (second, LedgerFixture.bob)] {
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

  @Test("the highest rank is claimed first, then the lowest chunk, of the asked stages only")
  func order() async throws {
    let fixture = try LedgerFixture()
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

  @Test("a job becomes available when the last of its needs has settled")
  func counters() async throws {
    let fixture = try LedgerFixture()
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

  @Test("jobs declared at completion appear with it, and wait for the completed job no more")
  func declared() async throws {
    let fixture = try LedgerFixture()
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

  @Test("a late report of an attempt that lost its lease is refused and changes nothing")
  func fencing() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    try await fixture.ledger.add([job("a", 0)], now: 0)
    let stale = try #require(try await fixture.claim())
    #expect(try await fixture.ledger.rescue(now: 100, isAlive: { _ in true }) == [stale.name])
    let fresh = try #require(try await fixture.claim(LedgerFixture.bob, now: 100))
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
    "a renewed lease outlives its first end; a dead owner's lease goes at once, a foreign one stays"
  )
  func rescue() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    try await fixture.ledger.add([job("a", 0), job("a", 1)], now: 0)
    let first = try #require(try await fixture.claim())
    _ = try await fixture.ledger.renew(first, duration: 100, now: 90)
    #expect(try await fixture.ledger.rescue(now: 150, isAlive: { _ in nil }).isEmpty)
    _ = try #require(try await fixture.claim(LedgerFixture.bob, now: 150))
    let freed = try await fixture.ledger.rescue(now: 151) { $0.worker == "bob" ? false : true }
    #expect(freed == [JobName(stage: "a", chunk: 1)])
    #expect(
      try await fixture.ledger.history(of: JobName(stage: "a", chunk: 1)).map(\.outcome) == [
        .ownerDied
      ])
  }

  @Test("this process is alive; the same number with another start is not")
  func identity() {
    let me = ProcessIdentity.owner(worker: "w")
    #expect(ProcessIdentity.isAlive(me) == true)
    var reused = me
    reused.processStart += 1
    #expect(ProcessIdentity.isAlive(reused) == false)
    var foreign = me
    foreign.host = "elsewhere"
    #expect(ProcessIdentity.isAlive(foreign) == nil)
  }

  @Test("a failing job pauses, then is quarantined with its history; what needs it goes too")
  func quarantine() async throws {
    let fixture = try LedgerFixture(retry: RetryPolicy(maxFailures: 2, basePause: 1_000))
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

  @Test("a failure that would come again quarantines at once, whatever attempts are left")
  func finalFailure() async throws {
    let fixture = try LedgerFixture(retry: RetryPolicy(maxFailures: 9, basePause: 1_000))
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

  @Test("a released job is available at once and counts no failure")
  func release() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    try await fixture.ledger.add([job("a", 0)], now: 0)
    let lease = try #require(try await fixture.claim())
    try await fixture.ledger.release(lease, now: 1)
    let again = try #require(try await fixture.claim(now: 1))
    #expect(again.failures == 0)
    #expect(again.attempt == 2)
  }

  @Test("the same configuration is accepted, another is refused key by key")
  func configuration() async throws {
    let fixture = try LedgerFixture()
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

  @Test("entering a job again changes nothing; an unknown need is refused")
  func entering() async throws {
    let fixture = try LedgerFixture()
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

  @Test("what was committed is there when the file is opened again")
  func reopening() async throws {
    let fixture = try LedgerFixture()
    defer { fixture.remove() }
    try await fixture.ledger.add([job("a", 0)], now: 0)
    let lease = try #require(try await fixture.claim())
    try await fixture.ledger.complete(lease, counts: "{}", now: 3)
    let again = try SQLiteLedger(path: fixture.ledger.path)
    #expect(try await again.state(of: lease.name) == .completed)
    #expect(try await again.unsettledCount() == 0)
  }

  @Test("work is added to a ledger at rest, once, with its note; a busy one takes none")
  func addingWhenIdle() async throws {
    let fixture = try LedgerFixture()
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
}
