import JobLedger
import Testing

/// Promises of ``Ledger``: sessions of one host, and a clock that is set back.
@Suite struct SessionConformanceTests {
  static let day = 86_400_000

  @Test(
    "sessions add up what they work, also across a clock set back", arguments: LedgerBackend.all)
  func worked(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    let ledger = test.ledger
    let now = 10 * Self.day
    let first = try await ledger.beginSession(host: "h/1", pid: 1, now: now)
    let second = try await ledger.beginSession(host: "h/1", pid: 2, now: now)
    try await ledger.touchSession(first, now: now + 500)
    try await ledger.touchSession(second, now: now + 100)
    #expect(try await ledger.workedMilliseconds() == 600)
    try await ledger.touchSession(first, now: now - Self.day)
    #expect(try await ledger.workedMilliseconds() == 600)
    try await ledger.touchSession(first, now: now - Self.day + 50)
    #expect(try await ledger.workedMilliseconds() == 650)
    try await ledger.endSession(first, now: now - Self.day + 60)
    #expect(try await ledger.workedMilliseconds() == 660)
    try await ledger.touchSession(first, now: now)
    #expect(try await ledger.workedMilliseconds() == 660)
  }

  @Test(
    "a second host is refused while the first works; the first may come again after a reboot",
    arguments: LedgerBackend.all)
  func hosts(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    let (ledger, other) = (test.ledger, try await test.another())
    let first = try await ledger.beginSession(host: "alpha/b00t0001", pid: 1, now: 1_000_000)
    try await ledger.touchSession(first, now: 1_005_000)
    await #expect(
      throws: LedgerError.otherHost(path: ledger.path, host: "alpha", secondsAgo: 7)
    ) {
      try await other.beginSession(host: "beta/b00t0009", pid: 1, now: 1_012_000)
    }
    // The same machine, rebooted and with no more than its name in common.
    let again = try await other.beginSession(host: "alpha/b00t0002", pid: 1, now: 1_012_000)
    try await ledger.endSession(first, now: 1_013_000)
    await #expect(throws: LedgerError.self) {
      try await other.beginSession(host: "beta/b00t0009", pid: 1, now: 1_014_000)
    }
    try await ledger.endSession(again, now: 1_014_000)
    _ = try await other.beginSession(host: "beta/b00t0009", pid: 1, now: 1_014_000)
  }

  @Test(
    "a killed session holds another host up for its life only, also when the clock is set back",
    arguments: LedgerBackend.all)
  func killed(_ backend: LedgerBackend) async throws {
    let test = try await backend.make()
    defer { test.remove() }
    let now = 10 * Self.day
    let life = SQLiteLedger.sessionLife
    _ = try await test.ledger.beginSession(host: "alpha", pid: 1, now: now)
    await #expect(throws: LedgerError.self) {
      try await test.ledger.beginSession(host: "beta", pid: 1, now: now + life)
    }
    let beta = try await test.ledger.beginSession(host: "beta", pid: 1, now: now - Self.day)
    try await test.ledger.endSession(beta, now: now - Self.day)
    _ = try await test.ledger.beginSession(host: "beta", pid: 1, now: now + life + 1)
  }

  @Test(
    "a clock set back a day holds no lease and no pause up for longer than they last",
    arguments: LedgerBackend.all)
  func setBack(_ backend: LedgerBackend) async throws {
    let test = try await backend.make(
      RetryPolicy(maxFailures: 9, basePause: 1_000, longestPause: 4_000))
    defer { test.remove() }
    let ledger = test.ledger
    let now = 10 * Self.day
    let back = now - Self.day
    try await ledger.add([job("a", 0), job("a", 1), job("a", 2), job("a", 3)], now: now)
    let failing = try #require(try await test.claim(now: now))
    try await ledger.fail(failing, error: "e", now: now)
    let stalled = try #require(try await test.claim(now: now))
    let working = try #require(try await test.claim(TestLedger.bob, now: now))
    // The pause of 1 s was to end in the future by a day: it is over.
    #expect(try await test.claim(now: back)?.name == failing.name)
    // Nobody knows whether the owners live: both leases begin again, once.
    #expect(try await ledger.rescue(now: back) { _ in nil }.isEmpty)
    _ = try await ledger.renew(working, duration: 100, now: back + 60)
    #expect(try await ledger.rescue(now: back + 99) { _ in nil }.isEmpty)
    let freed = try await ledger.rescue(now: back + 100) { _ in nil }
    #expect(freed == [failing.name, stalled.name])
    // What was completed before the clock was set back and after it is completed.
    try await ledger.complete(working, counts: "{}", now: back + 110)
    #expect(try await ledger.state(of: working.name) == .completed)
    // A pause that begins now lasts as long as it should.
    let last = try #require(try await test.claim(now: back + 120))
    #expect(try await ledger.fail(last, error: "e", now: back + 120) == .retryable)
    let others = [try await test.claim(now: back + 130), try await test.claim(now: back + 130)]
    #expect(Set(others.compactMap { $0?.name }) == [stalled.name, name("a", 3)])
    #expect(try await test.claim(now: back + 130) == nil)
    #expect(try await test.claim(now: back + 120 + 4_000)?.name == last.name)
  }
}
