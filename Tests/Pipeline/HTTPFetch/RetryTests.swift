import FaultServer
import HTTPFetch
import Testing

@Suite struct RetryTests {
  let server: FaultServer

  init() throws { server = try FaultServer() }

  @Test(
    "what heals is tried again until it does",
    arguments: [
      ("/status-then-ok/500/2", 3), ("/status-then-ok/503/1", 2), ("/status-then-ok/408/3", 4),
      ("/drop-then-ok", 2), ("/ok", 1),
    ])
  func heals(path: String, attempts: Int) async throws {
    let result = try await fetch(server.url(path))
    #expect(result.failure == nil && result.body?.count == 1000, "\(result.detail)")
    #expect(result.attempts == attempts)
    #expect(result.status == 200)
    #expect(server.counters.requests(of: path) == attempts)
  }

  @Test(
    "transient failures use up the attempts, final ones take one",
    arguments: [
      ("/status/503", 3), ("/truncated", 3), ("/reset-early", 3), ("/drop", 3), ("/status/404", 1),
      ("/gzip-bad", 1), ("/redirect-none", 1), ("/robots/noai", 1), ("/endless", 1),
    ])
  func attempts(path: String, attempts: Int) async throws {
    let result = try await fetch(server.url(path)) {
      $0.attempts = 3
      $0.maxBytes = 100_000
    }
    #expect(result.failure != nil)
    #expect(result.attempts == attempts)
    #expect(result.isTransient == (attempts == 3))
    #expect(server.counters.requests(of: path) == attempts)
  }

  @Test(
    "a timeout is tried again, each attempt with a deadline of its own, up to its own limit",
    arguments: [(3, 9, 3), (3, 2, 2), (1, 2, 1)])
  func timeout(attempts: Int, timeoutAttempts: Int, expected: Int) async throws {
    let result = try await fetch(server.url("/hang")) {
      $0.totalDeadline = 0.1
      $0.attempts = attempts
      $0.timeoutAttempts = timeoutAttempts
    }
    #expect(result.failure == .timeout && result.attempts == expected)
    #expect(result.seconds >= 0.1 * Double(expected))
  }

  @Test("a transfer that crawls is given up long before its deadline")
  func lowSpeed() async throws {
    let result = try await fetch(server.url("/hang-mid")) {
      $0.lowSpeedSeconds = 1
      $0.attempts = 1
      $0.totalDeadline = 60
    }
    #expect(result.failure == .timeout)
    #expect(result.seconds < 30)
  }

  @Test(
    "Retry-After pauses the whole host, for seconds or until a date",
    arguments: [
      "/retry-after/1/1", "/retry-date/2/1",
    ])
  func pausesHost(path: String) async throws {
    let fetcher = try Fetcher(options: testOptions { $0.connectionsPerHost = 1 })
    let urls = [path, "/ok/1", "/ok/2"].map { server.url($0) }
    let all = await results(of: urls, by: fetcher)
    #expect(all.allSatisfy { $0.failure == nil })
    #expect(all[0].attempts == 2)
    let counters = server.counters
    // The 429 comes first, as the host has one connection; nobody else was asked before its end.
    #expect(counters.order.first == path)
    let times = counters.arrivals.values.joined().sorted()
    // A date has whole seconds, so "2 seconds ahead" may come in little more than 1.
    #expect(times[1] - times[0] > 0.99)
  }

  @Test("a Retry-After beyond the cap ends the request at once, and other hosts do not mind")
  func cap() async throws {
    let other = try FaultServer()
    let fetcher = try Fetcher(options: testOptions { $0.retryAfterCap = 0.2 })
    let urls = [server.url("/retry-after/3600/1"), other.url("/ok")]
    let all = await results(of: urls, by: fetcher)
    #expect(all[0].status == 429 && all[0].isTransient)
    #expect(all[0].attempts == 1 && all[0].seconds < 30)
    #expect(all[1].failure == nil)
  }
}
