import FaultServer
import Foundation
import HTTPFetch
import Synchronization
import Testing

extension FaultServer.Counters {
  /// Times of all requests in order; monotonic seconds.
  var times: [Double] { arrivals.values.joined().sorted() }

  /// The most requests that arrived within any window of so many seconds.
  func most(within seconds: Double) -> Int {
    let times = times
    var first = 0
    return times.indices.reduce(0) { most, last in
      while times[last] - times[first] >= seconds { first += 1 }
      return max(most, last - first + 1)
    }
  }
}

@Suite struct MannersTests {
  @Test("four processes together keep a host's rate over any 10 s, redirects and retries included")
  func sharedRate() async throws {
    let server = try FaultServer()
    let file = ScratchFile()
    let (port, path) = (server.port, file.path)
    func fetchers() async {
      await #expect(processExitsWith: .success) {
        [port = port as Int, path = path as String] in
        let fetcher = try Fetcher(
          options: testOptions {
            $0.requestsPerSecondPerHost = 20
            $0.sharedRates = path
          })
        let id = getpid()
        let urls = (0..<11).flatMap {
          ["/ok/\($0)", "/redirect/2/\(id)-\($0)", "/status-then-ok/500/1/\(id)-\($0)"]
        }.map { "http://127.0.0.1:\(port)\($0)" }
        let all = await results(of: urls, by: fetcher)
        #expect(all.allSatisfy { $0.failure == nil })
      }
    }
    async let first: Void = fetchers()
    async let second: Void = fetchers()
    async let third: Void = fetchers()
    async let fourth: Void = fetchers()
    _ = await (first, second, third, fourth)
    let counters = server.counters
    let requests = 4 * 11 * (1 + 3 + 2)
    #expect(counters.times.count == requests)
    #expect(counters.most(within: 10) <= 200)
    // And the window was put to the test.
    let span = try #require(counters.times.last) - (counters.times.first ?? 0)
    #expect(span > 10)
  }

  @Test("requests that waited for their host's name keep the rate as well")
  func rateAfterLookup() async throws {
    let server = try FaultServer()
    let gate = DispatchSemaphore(value: 0)
    let resolver = TableResolver(["slow.test": [.addresses([.v4(0x7F00_0001)])]]) { gate.wait() }
    let fetcher = try Fetcher(
      options: testOptions {
        $0.requestsPerSecondPerHost = 20
        ($0.connectTimeout, $0.totalDeadline) = (60, 60)  // a busy machine opens the gate late
      }, resolver: resolver)
    let port = server.port
    async let all = results(
      of: (0..<20).map { "http://slow.test:\(port)/ok/\($0)" }, by: fetcher)
    // While others wait for the name, a host without one is asked; then the name is known.
    let other = try FaultServer()
    let first = await results(of: [other.url("/ok")], by: fetcher)
    gate.signal()
    #expect(await (all + first).allSatisfy { $0.failure == nil })
    let times = server.counters.times
    try #require(times.count == 20)
    // 19 spacings of 0.051 s; the first may be late by what a busy machine adds to one request.
    #expect(times[19] - times[0] > 0.6)
  }

  @Test("a dead host's waiting requests end at once, in the class of what was wrong with it")
  func breaker() async throws {
    for (path, failure) in [("", FetchFailure.connect), ("/hang", .timeout)] {
      let server = try FaultServer()
      let closed = try FaultServer()
      closed.stop()
      let urls = (0..<200).map {
        failure == .timeout ? server.url("\(path)/\($0)") : "http://127.0.0.1:1/\($0)"
      }
      let fetcher = try Fetcher(
        options: testOptions {
          $0.breakerFailures = 5
          $0.connectionsPerHost = 2
          $0.totalDeadline = 0.1
          $0.connectTimeout = 0.1
        })
      let all = await results(of: urls, by: fetcher)
      #expect(all.allSatisfy { $0.failure == failure && $0.isTransient })
      let notAsked = all.filter { $0.detail.contains("circuit open") }
      // Two were under way when the fifth failure came.
      #expect(notAsked.count >= 200 - 6)
      #expect(notAsked.allSatisfy { $0.detail.contains("5 failures in a row") })
      #expect(server.counters.order.count <= 6)
      // Later calls ask no more either, while other hosts are asked.
      let later = await results(of: [urls[0], closed.url("/ok")], by: fetcher)
      #expect(later[0].detail.contains("circuit open") && later[0].attempts == 0)
      #expect(!later[1].detail.contains("circuit open"))
    }
  }

  @Test("a host that answers again is asked by one probe, then by all")
  func heals() async throws {
    let server = try FaultServer()
    let fetcher = try Fetcher(
      options: testOptions {
        $0.breakerFailures = 2
        $0.breakerPause = 0.3
        $0.attempts = 1
        $0.totalDeadline = 0.15
        $0.connectionsPerHost = 1
      })
    let dead = await results(of: (0..<6).map { server.url("/hang/\($0)") }, by: fetcher)
    #expect(dead.allSatisfy { $0.failure == .timeout })
    #expect(server.counters.order.count == 2)
    // Asked until the pause is over: each call that comes too early ends at once.
    var healed: [FetchResult] = []
    while healed.first?.failure != nil || healed.isEmpty {
      healed = await results(of: (0..<5).map { server.url("/ok/\($0)") }, by: fetcher)
    }
    #expect(healed.allSatisfy { $0.failure == nil })
  }

  @Test("error pages and bodies that stall do not count against a host")
  func answersCount() async throws {
    let server = try FaultServer()
    let urls = (0..<30).map {
      server.url(["/hang-mid", "/status/500", "/drop"][$0 % 3] + "/\($0)")
    }
    let fetcher = try Fetcher(
      options: testOptions {
        $0.breakerFailures = 2
        $0.attempts = 1
        $0.totalDeadline = 0.2
      })
    let all = await results(of: urls, by: fetcher)
    #expect(all.allSatisfy { !$0.detail.contains("circuit open") && $0.failure != nil })
  }

  @Test("429 and 503 without Retry-After pause the host, longer each time", arguments: [429, 503])
  func throttled(status: Int) async throws {
    let server = try FaultServer()
    let fetcher = try Fetcher(
      options: testOptions {
        $0.connectionsPerHost = 1
        $0.backoffBase = 0.2
      })
    let urls = ["/status-then-ok/\(status)/2"] + (0..<5).map { "/ok/\($0)" }
    let all = await results(of: urls.map { server.url($0) }, by: fetcher)
    #expect(all.allSatisfy { $0.failure == nil })
    let counters = server.counters
    let times = counters.times
    #expect(counters.order.first == urls[0])
    #expect(times[1] - times[0] >= 0.2)
  }

  @Test("a pause that one process is asked for is kept by the others")
  func sharedPause() async throws {
    let server = try FaultServer()
    let file = ScratchFile()
    let options = testOptions { $0.sharedRates = file.path }
    let fetchers = try (0..<2).map { _ in try Fetcher(options: options) }
    let (answers, signal) = AsyncStream.makeStream(of: Void.self)
    let url = server.url("/retry-after/1/1")
    async let paused: Void = fetchers[0].fetch([FetchRequest(id: 0, url: url)]) { _ in }
    // The second fetcher goes on when the server has said 429, and not before.
    let watch = Task {
      while server.counters.bodyBytes == 0 { await Task.yield() }
      signal.yield()
    }
    for await _ in answers { break }
    await watch.value
    _ = await results(of: [server.url("/ok")], by: fetchers[1])
    try await paused
    let times = server.counters.times
    #expect(times.count == 3)
    #expect(times[1] - times[0] > 0.99)
  }
}
