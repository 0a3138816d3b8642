import HTTPFetch
import Testing

@Suite struct HostMannersTests {
  let url: FetchURL
  let other: FetchURL

  init() throws {
    url = try #require(FetchURL("http://a.test/x"))
    other = try #require(FetchURL("https://b.test/x"))
  }

  func manners(_ change: (inout FetchOptions) -> Void) throws -> HostManners {
    var options = FetchOptions()
    change(&options)
    return HostManners(
      options: options, rates: try RateTable(path: nil, longest: 1000),
      hosts: try SharedHosts(path: nil))
  }

  /// Until when a host waits at the time; the time itself when it need not.
  func due(_ manners: HostManners, _ url: FetchURL, now: Double, crawlDelay: Double? = nil)
    -> Double
  {
    switch manners.admit(url, crawlDelay: crawlDelay, now: now) {
    case .start: now
    case .wait(let until): until
    case .drop, .sleep: .infinity
    }
  }

  @Test("the wider of rate and crawl-delay holds, for http and https of a host together")
  func spacing() throws {
    let manners = try manners {
      $0.requestsPerSecondPerHost = 10
      $0.crawlDelayCap = 5
    }
    let secure = try #require(FetchURL("https://a.test/y"))
    #expect(due(manners, url, now: 100) == 100)
    // A spacing of 1.02 / 10; nanoseconds are what the table keeps.
    #expect(abs(due(manners, secure, now: 100) - 100.102) < 1e-8)
    #expect(due(manners, other, now: 100, crawlDelay: 3) == 100)
    #expect(abs(due(manners, other, now: 101, crawlDelay: 3) - 103) < 1e-8)
    #expect(due(manners, other, now: 103, crawlDelay: 60) == 103)
    #expect(abs(due(manners, other, now: 104) - 108) < 1e-8)
  }

  @Test("a host that answers later than it can is given time, so that no burst adds to the rate")
  func stall() throws {
    var manners = try manners { $0.requestsPerSecondPerHost = 10 }
    manners.heard(url, after: 0.3, now: 100)
    #expect(due(manners, url, now: 100) == 100)
    manners.heard(url, after: 0.34, now: 101)
    #expect(due(manners, url, now: 101) == 101)
    manners.heard(url, after: 0.95, now: 102)
    #expect(abs(due(manners, url, now: 102) - 102.6) < 1e-8)
    manners.heard(url, after: 30, now: 103)
    #expect(abs(due(manners, url, now: 103) - 105) < 1e-8)
    // Without a rate there is none to keep.
    var free = try self.manners { _ in }
    free.heard(url, after: 0.3, now: 100)
    free.heard(url, after: 30, now: 100)
    #expect(due(free, url, now: 100) == 100)
  }

  @Test("429 and 503 pause longer each time, and answers from before a pause do not count")
  func throttled() throws {
    var manners = try manners {
      $0.backoffBase = 0.5
      $0.retryAfterCap = 3
    }
    func pause(_ status: Int, began: Double, now: Double, retryAfter: Double? = nil) -> Double? {
      manners.pause(url, status: status, retryAfter: retryAfter, began: began, now: now)
    }
    #expect(pause(429, began: 99, now: 100) == 0.5)
    #expect(due(manners, url, now: 100) == 100.5)
    #expect(due(manners, other, now: 100) == 100)
    for _ in 0..<10 { #expect(pause(503, began: 99.5, now: 100.25) == 0.25) }
    #expect(pause(503, began: 100.5, now: 101) == 1)
    #expect(pause(503, began: 102, now: 103) == 2)
    #expect(pause(503, began: 105, now: 106) == 3)
    #expect(pause(500, began: 109, now: 110) == nil)
    #expect(pause(500, began: 109, now: 110, retryAfter: 2) == 2)
    #expect(pause(429, began: 109, now: 110, retryAfter: 3600) == 3)
    // Any other answer ends the row.
    let opened = manners.ended(url, status: 404, failure: nil, isProbe: false, began: 112, now: 113)
    #expect(!opened)
    #expect(pause(429, began: 113, now: 114) == 0.5)
  }

  @Test("only connections that failed and silence open the circuit")
  func breaker() throws {
    var manners = try manners { $0.breakerFailures = 3 }
    func end(_ failure: FetchFailure?, status: Int = 0) -> Bool {
      manners.ended(url, status: status, failure: failure, isProbe: false, began: 99, now: 100)
    }
    let opened = [
      end(.connect), end(.timeout), end(.timeout, status: 200),  // that one spoke
      end(.connect), end(.dns), end(.tls), end(.incomplete), end(.connect),
    ]
    #expect(!opened.contains(true))
    #expect(due(manners, url, now: 100) == 100)
    let last = end(.timeout)
    #expect(last)
    #expect(manners.admit(url, crawlDelay: nil, now: 100) == .drop)
    #expect(due(manners, other, now: 100) == 100)
    #expect(due(manners, url, now: 160) == 160)
    let isProbe = manners.began(url, now: 160)
    #expect(isProbe)
    #expect(manners.admit(url, crawlDelay: nil, now: 160) == .sleep)
  }

  @Test("a wish to be left alone for longer than requests wait is obeyed, and ends")
  func leftAlone() throws {
    var manners = try manners { $0.retryAfterCap = 3 }
    #expect(manners.pause(url, status: 429, retryAfter: 3600, began: 99, now: 100) == 3)
    #expect(manners.isAway(url, now: 3699))
    #expect(manners.admit(url, crawlDelay: nil, now: 3699) == .drop)
    let refusal = try #require(manners.refusal(of: url, now: 3699))
    #expect(refusal.failure == .httpStatus)
    #expect(refusal.status == 429)
    #expect(!manners.isAway(url, now: 3700))
    #expect(!manners.isAway(other, now: 101))
    #expect(manners.pause(other, status: 503, retryAfter: 3, began: 99, now: 100) == 3)
    #expect(!manners.isAway(other, now: 101))
  }

  @Test("timeouts do not count against a host that answered what was sent after them")
  func oddOnes() throws {
    var manners = try manners { $0.breakerFailures = 3 }
    func end(_ failure: FetchFailure?, began: Double, status: Int = 0) -> Bool {
      manners.ended(
        url, status: status, failure: failure, isProbe: false, began: began, now: 200)
    }
    #expect(!manners.isOdd(url, began: 100))
    let answered = end(nil, began: 110, status: 200)
    #expect(!answered)
    let odd = (0..<10).map { end(.timeout, began: 100 + Double($0)) }
    #expect(!odd.contains(true))
    #expect(manners.isOdd(url, began: 109))
    #expect(!manners.isOdd(url, began: 110))
    #expect(!manners.isOdd(other, began: 109))
    // A host that takes its time with everything has no odd ones.
    for _ in 0..<20 { manners.heard(url, after: 3, now: 200) }
    #expect(!manners.isOdd(url, began: 109))
    let later = (0..<3).map { end(.timeout, began: 111 + Double($0)) }
    #expect(later == [false, false, true])
  }

  @Test("a wish for more seconds than a number holds is a long wish", arguments: [20, 400])
  func endlessWish(digits: Int) throws {
    var manners = try manners { $0.retryAfterCap = 60 }
    let wish = RetryAfter.seconds(String(repeating: "9", count: digits), now: 0)
    #expect(manners.pause(url, status: 503, retryAfter: wish, began: 100, now: 100) == 60)
    let refusal = try #require(manners.refusal(of: url, now: 200))
    #expect(refusal.detail.contains("wants 999999900 s more"), "\(refusal.detail)")
  }
}
