import HTTPFetch
import Testing

@Suite struct CircuitBreakerTests {
  private let host: UInt64 = 7
  private let other: UInt64 = 8

  func breaker(
    failures: Int, file: ScratchFile? = nil, longestProbe: Double = 60, now: Double? = nil
  ) throws -> CircuitBreaker {
    CircuitBreaker(
      failures: failures, pause: 60, longestProbe: longestProbe,
      hosts: try SharedHosts(path: file?.path, now: now))
  }

  /// Fails a host `count` times at `now`; whether the last one opened the circuit.
  func fail(
    _ breaker: CircuitBreaker, _ count: Int, _ failure: FetchFailure = .connect,
    isProbe: Bool = false, now: Double
  ) -> Bool {
    (0..<count).map { _ in breaker.failed(host, failure, isProbe: isProbe, now: now) }.last == true
  }

  @Test("failures in a row open it, an answer between them does not let them add up")
  func opens() throws {
    let breaker = try breaker(failures: 3)
    #expect(!fail(breaker, 2, now: 0))
    breaker.answered(host)
    #expect(!fail(breaker, 2, now: 1))
    #expect(breaker.state(of: host, now: 1) == .closed)
    #expect(breaker.refusal(of: host, now: 1) == nil)
    #expect(fail(breaker, 1, .timeout, now: 2))
    #expect(breaker.state(of: host, now: 2) == .open(until: 62))
    #expect(breaker.state(of: other, now: 2) == .closed)
    #expect(breaker.refusal(of: host, now: 2)?.failure == .timeout)
    #expect(breaker.refusal(of: host, now: 2)?.detail.contains("3 failures in a row") == true)
  }

  @Test("after the pause one probe may go, and its failure doubles the pause, up to an hour")
  func doubles() throws {
    let breaker = try breaker(failures: 1)
    #expect(fail(breaker, 1, now: 0))
    var now = 0.0
    for pause in [60.0, 120, 240, 480, 960, 1920, 3600, 3600] {
      #expect(breaker.state(of: host, now: now + pause - 1) == .open(until: now + pause))
      now += pause
      #expect(breaker.state(of: host, now: now) == .halfOpen)
      #expect(breaker.beginProbe(host, now: now))
      #expect(breaker.state(of: host, now: now) == .probing)
      // One that was under way when the circuit opened tells nothing new.
      #expect(!fail(breaker, 1, now: now))
      #expect(breaker.state(of: host, now: now) == .probing)
      #expect(fail(breaker, 1, isProbe: true, now: now))
    }
    breaker.answered(host)
    #expect(breaker.state(of: host, now: now) == .closed)
    #expect(fail(breaker, 1, now: now))
    #expect(breaker.state(of: host, now: now) == .open(until: now + 60))
  }

  @Test("a probe that ends without telling anything lets another go")
  func undecided() throws {
    let breaker = try breaker(failures: 1)
    #expect(fail(breaker, 1, now: 0))
    #expect(breaker.beginProbe(host, now: 60))
    breaker.endProbe(host, now: 61)
    #expect(breaker.state(of: host, now: 61) == .halfOpen)
  }

  @Test(
    "the failures of two processes count together, one probe goes for both, an answer heals both")
  func shared() throws {
    let file = ScratchFile()
    // Two mappings of one file are what two processes have.
    let one = try breaker(failures: 4, file: file)
    let two = try breaker(failures: 4, file: file)
    #expect(!fail(one, 2, now: 0))
    #expect(!fail(two, 1, now: 0))
    #expect(fail(one, 1, now: 0))
    #expect(two.state(of: host, now: 1) == .open(until: 60))
    #expect(one.beginProbe(host, now: 60))
    #expect(!two.beginProbe(host, now: 60))
    #expect(two.state(of: host, now: 60) == .probing)
    two.answered(host)
    #expect(one.state(of: host, now: 61) == .closed)
  }

  @Test("a probe whose process was killed does not keep the host from being tried again")
  func lostProbe() throws {
    let file = ScratchFile()
    // Another process goes on.
    let beside = try breaker(failures: 1, file: file)
    var lost: CircuitBreaker? = try breaker(failures: 1, file: file, longestProbe: 35)
    #expect(lost?.failed(host, .connect, isProbe: false, now: 0) == true)
    #expect(lost?.beginProbe(host, now: 60) == true)
    lost = nil
    let breaker = try breaker(failures: 1, file: file, longestProbe: 35)
    for breaker in [beside, breaker] {
      #expect(breaker.state(of: host, now: 94) == .probing)
      #expect(breaker.state(of: host, now: 95) == .halfOpen)
    }
    #expect(breaker.beginProbe(host, now: 95))
  }

  @Test("what a run left open is half open to the next, and open to one that joins the run")
  func nextRun() throws {
    let file = ScratchFile()
    var first: CircuitBreaker? = try breaker(failures: 1, file: file)
    #expect(first?.failed(host, .connect, isProbe: false, now: 100) == true)
    #expect(first?.failed(other, .timeout, isProbe: false, now: 30) == true)
    #expect(first?.beginProbe(other, now: 90) == true)
    var joining: CircuitBreaker? = try breaker(failures: 1, file: file, now: 101)
    #expect(joining?.state(of: host, now: 101) == .open(until: 160))
    #expect(joining?.state(of: other, now: 101) == .probing)
    first = nil
    joining = nil
    let next = try breaker(failures: 1, file: file, now: 102)
    #expect(next.state(of: host, now: 102) == .halfOpen)
    #expect(next.state(of: other, now: 102) == .halfOpen)
    // One probe goes; what it finds decides, and a dead host's pauses grow on.
    #expect(next.beginProbe(host, now: 102))
    #expect(next.state(of: host, now: 102) == .probing)
    #expect(fail(next, 1, isProbe: true, now: 103))
    #expect(next.state(of: host, now: 103) == .open(until: 223))
    #expect(next.beginProbe(other, now: 102))
    next.answered(other)
    #expect(next.state(of: other, now: 102) == .closed)
  }

  @Test("failures that are counted at once are all counted")
  func race() async throws {
    let file = ScratchFile()
    let breakers = try (0..<4).map { _ in try breaker(failures: 40_000, file: file) }
    let openings = await withTaskGroup(of: Int.self) { group in
      for breaker in breakers {
        group.addTask {
          (0..<10_000).count { _ in breaker.failed(7, .connect, isProbe: false, now: 0) }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(openings == 1)
    #expect(breakers[0].state(of: host, now: 0) == .open(until: 60))
  }

  @Test("what a restarted machine finds from before is void")
  func restart() throws {
    let file = ScratchFile()
    #expect(fail(try breaker(failures: 1, file: file), 1, now: 900_000))
    let after = try breaker(failures: 2, file: file, now: 5)
    #expect(after.state(of: host, now: 5) == .closed)
    #expect(!fail(after, 1, now: 5))
    #expect(fail(after, 1, now: 6))
  }

  @Test(
    "a list of dead hosts is not remembered without end, and open circuits are remembered longest")
  func bounded() throws {
    let breaker = try breaker(failures: 2)
    #expect(fail(breaker, 2, now: 0))
    let dead = (1...3).flatMap { turn in
      (0..<CircuitBreaker.hostLimit).map { UInt64(turn * CircuitBreaker.hostLimit + $0) }
    }
    for key in dead { _ = breaker.failed(key, .connect, isProbe: false, now: 1) }
    #expect(breaker.state(of: host, now: 1) == .open(until: 60))
    // The first were forgotten, so this one starts anew; the last is known.
    let forgotten = breaker.failed(dead[0], .connect, isProbe: false, now: 2)
    let known = breaker.failed(dead[dead.count - 1], .connect, isProbe: false, now: 2)
    #expect(!forgotten && known)
  }
}
