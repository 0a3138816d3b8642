import FaultServer
import Foundation
import HTTPFetch
import Synchronization
import Testing

/// Fetches and waits for all results, by id.
func results(
  of urls: [String], by fetcher: Fetcher
) async -> [FetchResult] {
  let found = Mutex([Int: FetchResult]())
  let requests = urls.enumerated().map { FetchRequest(id: $0.offset, url: $0.element) }
  do {
    try await fetcher.fetch(requests) { result in
      let previous = found.withLock { $0.updateValue(result, forKey: result.id) }
      precondition(previous == nil, "two results for request \(result.id)")
    }
  } catch {
    Issue.record(error)
  }
  return found.withLock { found in found.values.sorted { $0.id < $1.id } }
}

/// Loopback allowed, quick retries, no robots.txt: what every test here starts from.
func testOptions(_ change: (inout FetchOptions) -> Void = { _ in }) -> FetchOptions {
  var options = FetchOptions()
  options.allowAddresses = ["127.0.0.0/8"]
  options.backoffBase = 0.01
  options.totalDeadline = 10
  options.policy.profile = .img2dataset
  change(&options)
  return options
}

func fetch(_ url: String, _ change: (inout FetchOptions) -> Void = { _ in }) async throws
  -> FetchResult
{
  let fetcher = try Fetcher(options: testOptions(change))
  defer { fetcher.shutDown() }
  let all = await results(of: [url], by: fetcher)
  return try #require(all.first)
}

@Suite struct FetcherTests {
  let server: FaultServer

  init() throws { server = try FaultServer() }

  @Test("a body arrives whole, with its status, type, times and final URL")
  func ok() async throws {
    let before = Int(Date().timeIntervalSince1970 * 1000)
    let result = try await fetch(server.url("/ok/5000#top"))
    #expect(result.body == (0..<5000).map { UInt8(truncatingIfNeeded: $0 * 7) })
    #expect(result.failure == nil && result.detail == "" && result.status == 200)
    #expect(result.contentType == "image/jpeg")
    #expect(result.finalURL == server.url("/ok/5000"))
    #expect(result.attempts == 1 && result.redirects == 0)
    #expect(result.startedAt >= before && result.seconds > 0 && result.seconds < 10)
    #expect(server.counters.userAgents == [FetchOptions.defaultUserAgent])
  }

  @Test("connections are kept and used again")
  func keepAlive() async throws {
    let fetcher = try Fetcher(options: testOptions { $0.connectionsPerHost = 3 })
    let all = await results(of: (0..<60).map { server.url("/ok/\($0)") }, by: fetcher)
    #expect(all.map { $0.body?.count } == Array(0..<60))
    #expect(server.counters.connections <= 3)
    // Error pages and redirects do not cost the connection either.
    let more = ["/status/404", "/redirect/3", "/status/410"].map { server.url($0) }
    _ = await results(of: more, by: fetcher)
    #expect(server.counters.connections <= 3)
  }

  @Test("redirects are followed up to the cap, and the final URL is told")
  func redirects() async throws {
    let result = try await fetch(server.url("/redirect/10"))
    #expect(result.body?.count == 10)
    #expect(result.redirects == 10 && result.attempts == 1)
    #expect(result.finalURL == server.url("/ok/10"))
    let none = try await fetch(server.url("/redirect/1")) { $0.maxRedirects = 0 }
    #expect(none.failure == .redirect && none.redirects == 0)
  }

  @Test("the limit per host is reached and never passed, for redirects' targets too")
  func hostLimit() async throws {
    let other = try FaultServer()
    let target = other.url("/drip/2/20/").replacingOccurrences(of: "/", with: "%2F")
    let urls =
      (0..<30).map { server.url("/drip/2/20/\($0)") }
      + (0..<30).map { server.url("/redirect-to/\(target)\($0)") }
    let fetcher = try Fetcher(options: testOptions { $0.connectionsPerHost = 4 })
    let all = await results(of: urls, by: fetcher)
    #expect(all.allSatisfy { $0.failure == nil && $0.body?.count == 2 })
    for counters in [server.counters, other.counters] {
      #expect(counters.peakInFlight == 4)
      #expect(counters.peakOpen == 4)
    }
  }

  @Test("the limit on all transfers is reached and never passed, over several calls")
  func concurrency() async throws {
    let fetcher = try Fetcher(options: testOptions { $0.concurrency = 5 })
    let server = self.server
    async let first = results(of: (0..<20).map { server.url("/drip/1/20/\($0)") }, by: fetcher)
    async let second = results(of: (0..<20).map { server.url("/drip/1/20/b\($0)") }, by: fetcher)
    #expect(await (first + second).allSatisfy { $0.failure == nil })
    #expect(server.counters.peakInFlight == 5)
  }

  @Test("hundreds of transfers run at once")
  func hundreds() async throws {
    let fetcher = try Fetcher(
      options: testOptions {
        $0.concurrency = 400
        $0.minConcurrency = 400
        $0.connectionsPerHost = 400
        $0.totalDeadline = 30
      })
    let all = await results(of: (0..<400).map { server.url("/drip/1/1500/\($0)") }, by: fetcher)
    #expect(all.allSatisfy { $0.failure == nil })
    #expect(server.counters.peakInFlight > 200)
  }

  @Test("hosts are interleaved whatever the list's order")
  func interleaves() async throws {
    let other = try FaultServer()
    let urls = (0..<20).map { server.url("/ok/\($0)") } + [other.url("/ok/1")]
    let fetcher = try Fetcher(options: testOptions { $0.concurrency = 1 })
    let order = Mutex([Int]())
    let requests = urls.enumerated().map { FetchRequest(id: $0.offset, url: $0.element) }
    try await fetcher.fetch(requests) { result in order.withLock { $0.append(result.id) } }
    #expect(order.withLock { $0.firstIndex(of: 20) } == 1)
  }

  @Test("nothing to fetch ends at once")
  func nothing() async throws {
    let fetcher = try Fetcher(options: testOptions())
    try await fetcher.fetch([]) { _ in Issue.record("a result for no request") }
  }

  @Test("a cancelled call returns without the missing results, and frees its places")
  func cancellation() async throws {
    let fetcher = try Fetcher(options: testOptions { $0.connectionsPerHost = 2 })
    let server = self.server
    let (firstResult, signal) = AsyncStream.makeStream(of: Int.self)
    let task = Task {
      let urls = [server.url("/ok")] + (0..<20).map { server.url("/hang/\($0)") }
      let requests = urls.enumerated().map { FetchRequest(id: $0.offset, url: $0.element) }
      try await fetcher.fetch(requests) { signal.yield($0.id) }
    }
    for await id in firstResult {
      #expect(id == 0)
      break
    }
    task.cancel()
    try await task.value
    let after = await results(of: (0..<5).map { server.url("/ok/\($0)") }, by: fetcher)
    #expect(after.allSatisfy { $0.failure == nil })
  }

  @Test("a call of a task cancelled before it began returns")
  func cancelledBefore() async throws {
    let fetcher = try Fetcher(options: testOptions())
    let url = server.url("/hang")
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await fetcher.fetch([FetchRequest(id: 0, url: url)]) { _ in }
    }
    try await task.value
  }

  @Test("shutting down ends calls under way, and later ones do nothing")
  func shutDown() async throws {
    let fetcher = try Fetcher(options: testOptions())
    let requests = ["/ok", "/hang"].enumerated().map {
      FetchRequest(id: $0.offset, url: server.url($0.element))
    }
    try await fetcher.fetch(requests) { _ in fetcher.shutDown() }
    try await fetcher.fetch(requests) { _ in Issue.record("a result after the end") }
  }

  @Test("options out of their range are refused by name")
  func options() {
    let changes: [(String, (inout FetchOptions) -> Void)] = [
      ("attempts", { $0.attempts = 0 }), ("concurrency", { $0.concurrency = 0 }),
      ("maxBytes", { $0.maxBytes = 0 }), ("userAgent", { $0.userAgent = "a\r\nHost: b" }),
      ("totalDeadline", { $0.totalDeadline = .nan }), ("userAgent", { $0.userAgent = "" }),
      ("connectionsPerHost", { $0.connectionsPerHost = -1 }),
      ("requestsPerSecondPerHost", { $0.requestsPerSecondPerHost = 0 }),
      ("crawlDelayCap", { $0.crawlDelayCap = -1 }), ("breakerFailures", { $0.breakerFailures = 0 }),
      ("breakerPause", { $0.breakerPause = 4000 }),
      ("firstByteDeadline", { $0.firstByteDeadline = 0 }),
      ("minConcurrency", { $0.minConcurrency = 0 }),
      ("timeoutAttempts", { $0.timeoutAttempts = 0 }), ("headers", { $0.headers = ["no colon"] }),
      ("headers", { $0.headers = ["A: b\r\nC: d"] }), ("headers", { $0.headers = ["Host: a"] }),
      ("headers", { $0.headers = ["A B: c"] }), ("caFile", { $0.caFile = "/no/such/file" }),
      ("proxy", { $0.proxy = "127.0.0.1:80" }), ("proxy", { $0.proxy = "http://127.0.0.1" }),
      ("proxy", { $0.proxy = "socks5://127.0.0.1:80" }), ("proxy", { $0.proxy = "" }),
      ("sourceAddress", { $0.sourceAddress = "192.0.2.1" }),
      ("sourceAddress", { $0.sourceAddress = "no-such-if" }),
    ]
    for (option, change) in changes {
      let error = #expect(throws: FetchOptionsError.self) {
        try Fetcher(options: testOptions(change))
      }
      #expect(error?.option == option)
    }
  }
}
