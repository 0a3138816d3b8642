import FaultServer
import Foundation
import HTTPFetch
import Testing

/// The memory of origins that processes share.
@Suite struct OriginCacheTests {
  static func options(cache: String) -> FetchOptions {
    testOptions {
      $0.policy.profile = .strict
      $0.originCache = cache
    }
  }

  @Test("four processes and a later one ask an origin once for each of its files")
  func processes() async throws {
    let server = try FaultServer(pages: [
      // The last file takes half a second, so that all processes ask before it is there.
      "/robots.txt": .text(OriginTests.noPrivate), "/ai.txt": .fault("/drip/5/100"),
    ])
    let file = ScratchFile()
    let (port, path) = (server.port, file.path)
    func process() async {
      await #expect(processExitsWith: .success) { [port = port as Int, path = path as String] in
        let fetcher = try Fetcher(options: OriginCacheTests.options(cache: path))
        let urls = (0..<10).flatMap { ["/ok/\($0)", "/ok/private/\($0)"] }
        let all = await results(of: urls.map { "http://127.0.0.1:\(port)\($0)" }, by: fetcher)
        for (index, result) in all.enumerated() {
          #expect(result.failure == (index % 2 == 0 ? nil : .robotsTxt))
        }
        #expect(fetcher.originCacheProblem == nil)
      }
    }
    async let first: Void = process()
    async let second: Void = process()
    async let third: Void = process()
    async let fourth: Void = process()
    _ = await (first, second, third, fourth)
    await process()
    let counters = server.counters
    for file in OriginTests.files { #expect(counters.requests(of: file) == 1, "\(file)") }
    #expect(counters.order.count == 3 + 5 * 10)
  }

  @Test("what is kept holds after the origin has gone, with its evidence and its crawl-delay")
  func restart() async throws {
    let server = try FaultServer(pages: [
      "/robots.txt": .text("User-agent: *\nCrawl-delay: 1\nDisallow: /ok/private\n")
    ])
    let file = ScratchFile()
    let before = try Fetcher(options: Self.options(cache: file.path))
    let first = await results(of: [server.url("/ok/private")], by: before)
    before.shutDown()
    server.stop()
    let after = try Fetcher(options: Self.options(cache: file.path))
    let second = await results(of: [server.url("/ok/private"), server.url("/ok")], by: after)
    #expect(second[0].failure == .robotsTxt && second[0].evidence == first[0].evidence)
    #expect(second[0].evidence?.source == server.url("/robots.txt"))
    // The other is allowed, so it is asked for, and nobody is there.
    #expect(second[1].failure == .connect)
  }

  @Test("an origin whose robots.txt could not be had is not kept as known")
  func notKept() async throws {
    let server = try FaultServer(pages: ["/robots.txt": .fault("/status-then-ok/500/2")])
    let file = ScratchFile()
    let options = Self.options(cache: file.path)
    for isLast in [false, true] {
      var options = options
      options.attempts = 2
      let fetcher = try Fetcher(options: options)
      let result = await results(of: [server.url("/ok")], by: fetcher)[0]
      #expect(result.failure == (isLast ? nil : .robotsTxt))
      fetcher.shutDown()
    }
    #expect(server.counters.requests(of: "/robots.txt") == 3)
  }

  @Test("another agent token's rules do not serve")
  func otherAgent() async throws {
    let server = try FaultServer(pages: [
      "/robots.txt": .text("User-agent: other\nDisallow: /\n")
    ])
    let file = ScratchFile()
    for (token, failure) in [("pairloom", nil), ("Other", FetchFailure.robotsTxt)] {
      var options = Self.options(cache: file.path)
      options.policy.agentToken = token
      let fetcher = try Fetcher(options: options)
      let result = await results(of: [server.url("/ok")], by: fetcher)[0]
      #expect(result.failure == failure)
    }
  }

  @Test(
    "a cache that breaks is named, and the origin is asked as without it",
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
  func broken() async throws {
    let server = try FaultServer(pages: ["/robots.txt": .text(OriginTests.noPrivate)])
    let file = ScratchFile()
    let fetcher = try Fetcher(options: Self.options(cache: file.path))
    let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('drop table origins')"
    try Command.run(["/usr/bin/python3", "-c", script, file.path], in: "/")
    let all = await results(
      of: ["/ok", "/ok/private"].map { server.url($0) }, by: fetcher)
    #expect(all.map(\.failure) == [nil, .robotsTxt])
    #expect(fetcher.originCacheProblem?.contains(file.path) == true)
  }
}
