import HTTPFetch
import Testing

@Suite struct CircuitBreakerTests {
  /// Fails a host `count` times at `now`; whether the last one opened the circuit.
  func fail(
    _ breaker: inout CircuitBreaker, _ count: Int, _ failure: FetchFailure = .connect,
    isProbe: Bool = false, now: Double
  ) -> Bool {
    var opened = false
    for _ in 0..<count {
      opened = breaker.failed("a", failure, isProbe: isProbe, now: now)
    }
    return opened
  }

  @Test("failures in a row open it, an answer between them does not let them add up")
  func opens() {
    var breaker = CircuitBreaker(failures: 3, pause: 60)
    #expect(!fail(&breaker, 2, now: 0))
    breaker.answered("a")
    #expect(!fail(&breaker, 2, now: 1))
    #expect(breaker.state(of: "a", now: 1) == .closed && breaker.refusal(of: "a") == nil)
    #expect(fail(&breaker, 1, .timeout, now: 2))
    #expect(breaker.state(of: "a", now: 2) == .open(until: 62))
    #expect(breaker.state(of: "b", now: 2) == .closed)
    #expect(breaker.refusal(of: "a")?.failure == .timeout)
    #expect(breaker.refusal(of: "a")?.detail.contains("3 failures in a row") == true)
  }

  @Test("after the pause one probe may go, and its failure doubles the pause, up to an hour")
  func doubles() {
    var breaker = CircuitBreaker(failures: 1, pause: 60)
    #expect(fail(&breaker, 1, now: 0))
    var now = 0.0
    for pause in [60.0, 120, 240, 480, 960, 1920, 3600, 3600] {
      #expect(breaker.state(of: "a", now: now + pause - 1) == .open(until: now + pause))
      now += pause
      #expect(breaker.state(of: "a", now: now) == .halfOpen)
      breaker.beginProbe("a")
      #expect(breaker.state(of: "a", now: now) == .probing)
      // One that was under way when the circuit opened tells nothing new.
      #expect(!fail(&breaker, 1, now: now))
      #expect(breaker.state(of: "a", now: now) == .probing)
      #expect(fail(&breaker, 1, isProbe: true, now: now))
    }
    breaker.answered("a")
    #expect(breaker.state(of: "a", now: now) == .closed)
    #expect(fail(&breaker, 1, now: now))
    #expect(breaker.state(of: "a", now: now) == .open(until: now + 60))
  }

  @Test("a probe that ends without telling anything lets another go")
  func undecided() {
    var breaker = CircuitBreaker(failures: 1, pause: 60)
    #expect(fail(&breaker, 1, now: 0))
    breaker.beginProbe("a")
    breaker.endProbe("a")
    #expect(breaker.state(of: "a", now: 60) == .halfOpen)
  }

  @Test("a list of dead hosts is not remembered without end")
  func bounded() {
    var breaker = CircuitBreaker(failures: 2, pause: 60)
    for host in 0..<CircuitBreaker.hostLimit {
      _ = breaker.failed("\(host)", .connect, isProbe: false, now: 0)
    }
    _ = breaker.failed("one more", .connect, isProbe: false, now: 0)
    // The half-counted ones went, so this one starts anew.
    let forgotten = breaker.failed("0", .connect, isProbe: false, now: 0)
    let known = breaker.failed("one more", .connect, isProbe: false, now: 0)
    #expect(!forgotten && known)
  }
}
