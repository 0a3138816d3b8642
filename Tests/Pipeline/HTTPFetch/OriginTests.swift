import CrawlPolicy
import FaultServer
import HTTPFetch
import Testing

/// What origins say, and what comes of it, end to end.
@Suite struct OriginTests {
  typealias Pages = [String: FaultServer.Page]

  static let noPrivate = "User-agent: *\nDisallow: /ok/private\n"
  static let files = ["/robots.txt", "/.well-known/tdmrep.json", "/ai.txt"]

  func results(
    of urls: [String], _ change: (inout FetchOptions) -> Void = { _ in }
  ) async throws -> [FetchResult] {
    let fetcher = try Fetcher(
      options: testOptions {
        $0.policy.profile = .strict
        change(&$0)
      })
    defer { fetcher.shutDown() }
    return await HTTPFetchTests.results(of: urls, by: fetcher)
  }

  @Test("robots.txt is asked for once, before all else, and what it disallows is never asked for")
  func robotsTxt() async throws {
    let server = try FaultServer(pages: ["/robots.txt": .text(Self.noPrivate)])
    let urls = (0..<20).map { server.url($0 % 2 == 0 ? "/ok/\($0)" : "/ok/private?\($0)") }
    let all = try await results(of: urls)
    for (index, result) in all.enumerated() {
      guard index % 2 == 1 else {
        #expect(result.body?.count == index && result.evidence == nil)
        continue
      }
      #expect(result.failure == .robotsTxt && !result.isTransient)
      #expect(result.evidence?.rule == .robotsTxt)
      #expect(result.evidence?.source == server.url("/robots.txt"))
      #expect(result.evidence?.text == "Disallow: /ok/private")
      #expect(result.attempts == 0 && result.status == nil && result.hops.isEmpty)
    }
    let counters = server.counters
    #expect(counters.order.first == "/robots.txt")
    for file in Self.files { #expect(counters.requests(of: file) == 1) }
    #expect(Set(counters.order.prefix(3)) == Set(Self.files))
    #expect(!counters.order.contains { $0.hasPrefix("/ok/private") })
    #expect(counters.order.count == 3 + 10)
  }

  /// By whom a page that only some means refuse is refused.
  static let means: [(pages: Pages, refusal: FetchFailure, rule: PolicyEvidence.Rule)] = [
    (
      ["/robots.txt": .text("User-agent: pairloom\nDisallow: /ok\n")], .robotsTxt, .robotsTxt
    ),
    (
      ["/.well-known/tdmrep.json": .text(#"[{"location": "/ok*", "tdm-reservation": 1}]"#)],
      .tdmReserved, .tdmFile
    ),
    (["/ai.txt": .text("User-Agent: *\nDisallow: /ok\n")], .tdmReserved, .aiTxt),
    (
      ["/robots.txt": .text("User-agent: *\nContent-Usage: train-ai=n\nAllow: /\n")],
      .contentUsage, .contentUsageRobots
    ),
    (["/ok": .text("x", headers: ["tdm-reservation: 1"])], .tdmReserved, .tdmHeader),
    (
      ["/ok": .text("x", headers: ["Content-Usage: train-ai=n"])], .contentUsage,
      .contentUsageHeader
    ),
    (["/ok": .text("x", headers: ["X-Robots-Tag: noimageai"])], .robots, .xRobotsTag),
    (["/ok": .text("x", headers: ["X-Robots-Tag: noindex"])], .robots, .xRobotsTag),
  ]

  @Test("each means refuses under the profiles that it binds", arguments: means.indices)
  func profiles(index: Int) async throws {
    let (pages, refusal, rule) = Self.means[index]
    for profile in CrawlPolicy.Profile.allCases {
      let server = try FaultServer(pages: pages)
      let all = try await results(of: [server.url("/ok")]) {
        $0.policy.profile = profile
        $0.attempts = 3
      }
      let result = try #require(all.first)
      let isIndexing = index == Self.means.count - 1
      let binds =
        switch profile {
        case .strict: true
        case .tdmEU: !isIndexing
        case .img2dataset: rule == .xRobotsTag
        case .off: false
        }
      #expect(result.failure == (binds ? refusal : nil), "\(profile): \(result.detail)")
      #expect(result.evidence?.rule == (binds ? rule : nil), "\(profile)")
      #expect(!result.isTransient && (binds == (result.body == nil)))
      // A refusal by the answer's headers is one request, and no retry; one by file is none.
      let isHeader = pages.keys.contains("/ok")
      #expect(server.counters.requests(of: "/ok") == (binds && !isHeader ? 0 : 1), "\(profile)")
      let asksFiles = profile == .strict || profile == .tdmEU
      #expect(server.counters.requests(of: "/robots.txt") == (asksFiles ? 1 : 0), "\(profile)")
    }
  }

  @Test("a missing robots.txt allows all, and so does one behind more than five redirects")
  func unavailable() async throws {
    var chain: Pages = [:]
    for step in 0..<6 { chain["/step\(step)"] = .fault("/redirect-to/%2Fstep\(step + 1)") }
    chain["/step6"] = .text("User-agent: *\nDisallow: /\n")
    let ends: [(start: FaultServer.Page, isAllowed: Bool)] = [
      (.fault("/status/404"), true), (.fault("/status/401"), true), (.fault("/status/410"), true),
      // Six redirects lie between /robots.txt and /step6 by the first, five by the second.
      (.fault("/redirect-to/%2Fstep1"), true), (.fault("/redirect-to/%2Fstep2"), false),
      (.fault("/redirect-none"), true), (.text(""), true), (.text("\u{FEFF}<html>"), true),
    ]
    for (start, isAllowed) in ends {
      let server = try FaultServer(pages: chain.merging(["/robots.txt": start]) { $1 })
      let result = try await results(of: [server.url("/ok")])[0]
      #expect((result.failure == nil) == isAllowed, "\(start)")
      guard !isAllowed else { continue }
      // The evidence names where the file was found.
      #expect(result.evidence?.source == server.url("/step6"))
    }
  }

  @Test("robots.txt on another origin counts as this one's, and that origin's own does not matter")
  func elsewhere() async throws {
    let other = try FaultServer(pages: [
      "/robots.txt": .text("User-agent: *\nDisallow: /shared\n"),
      "/shared": .text("User-agent: *\nDisallow: /ok/1\n"),
    ])
    let target = other.url("/shared").replacingOccurrences(of: "/", with: "%2F")
    let server = try FaultServer(pages: ["/robots.txt": .fault("/redirect-to/\(target)")])
    let all = try await results(of: [server.url("/ok/1"), server.url("/ok/2")])
    #expect(all.map(\.failure) == [.robotsTxt, nil])
    #expect(other.counters.order == ["/shared"])
  }

  @Test("a picture that moved to an origin which forbids it is not asked for there")
  func redirectedPicture() async throws {
    let other = try FaultServer(pages: ["/robots.txt": .text(Self.noPrivate)])
    let target = other.url("/ok/private").replacingOccurrences(of: "/", with: "%2F")
    let allowed = other.url("/ok/7").replacingOccurrences(of: "/", with: "%2F")
    let server = try FaultServer()
    let all = try await results(
      of: [server.url("/redirect-to/\(target)"), server.url("/redirect-to/\(allowed)")])
    #expect(all.map(\.failure) == [.robotsTxt, nil])
    #expect(all[0].evidence?.source == other.url("/robots.txt"))
    #expect(all[0].finalURL == other.url("/ok/private") && all[0].redirects == 1)
    #expect(all[0].hops.count == 1 && all[0].attempts == 1 && !all[0].isTransient)
    #expect(other.counters.requests(of: "/ok/private") == 0)
    #expect(server.counters.requests(of: "/redirect-to/\(target)") == 1)
  }

  @Test("many pictures that move to one origin, while its files are on their way, all end")
  func redirectedCrowd() async throws {
    let other = try FaultServer(pages: ["/robots.txt": .text(Self.noPrivate)])
    let target = other.url("/ok/").replacingOccurrences(of: "/", with: "%2F")
    let server = try FaultServer()
    for _ in 0..<5 {
      let urls = (0..<100).map { server.url("/redirect-to/\(target)\($0)") }
      let all = try await results(of: urls) { $0.connectionsPerHost = 3 }
      #expect(all.map { $0.body?.count } == Array(0..<100))
    }
  }

  @Test("an endless robots.txt is read up to its limit, and obeyed")
  func endless() async throws {
    let long = String(repeating: "# nothing\n", count: 51_000)
    let within = "User-agent: *\nDisallow: /ok\n" + long + long
    let beyond = long + long + "User-agent: *\nDisallow: /ok\n"
    for (text, failure) in [(within, FetchFailure.robotsTxt), (beyond, nil)] {
      let server = try FaultServer(pages: ["/robots.txt": .text(text)])
      #expect(try await results(of: [server.url("/ok")])[0].failure == failure)
    }
    let server = try FaultServer(pages: ["/robots.txt": .fault("/endless")])
    let result = try await results(of: [server.url("/ok")])[0]
    #expect(result.failure == nil)
    // What the sockets' buffers take besides is all that the server got rid of.
    #expect(server.counters.bodyBytes < 16 << 20)
  }

  @Test(
    "a robots.txt that cannot be had costs attempts, then all is disallowed, for the time being",
    arguments: ["/status/500", "/status/503", "/status/429", "/truncated", "/gzip-bad"])
  func unreachable(fault: String) async throws {
    let server = try FaultServer(pages: ["/robots.txt": .fault(fault)])
    let fetcher = try Fetcher(
      options: testOptions {
        $0.policy.profile = .strict
        $0.attempts = 3
      })
    let urls = (0..<10).map { server.url("/ok/\($0)") }
    let all = await HTTPFetchTests.results(of: urls, by: fetcher)
    for result in all {
      #expect(result.failure == .robotsTxt && result.isAssumed && result.isTransient)
      #expect(result.evidence?.source == server.url("/robots.txt"))
      #expect(result.evidence?.text.contains("unreachable") == true)
    }
    let isRetried = fault != "/gzip-bad"  // what comes again as it came
    #expect(all.map(\.attempts).max() == (isRetried ? 3 : 1))
    let asked = server.counters.requests(of: "/robots.txt")
    #expect(asked == (isRetried ? 3 : 1))
    #expect(server.counters.order.count == asked)
    // Within the minute nobody asks again.
    guard isRetried else { return }
    let later = await HTTPFetchTests.results(of: [server.url("/ok/1")], by: fetcher)
    #expect(later[0].failure == .robotsTxt && later[0].isTransient && later[0].attempts == 0)
    #expect(server.counters.order.count == asked)
  }

  @Test("a robots.txt that heals is obeyed")
  func heals() async throws {
    let server = try FaultServer(pages: ["/robots.txt": .fault("/status-then-ok/503/2")])
    let all = try await results(of: (0..<5).map { server.url("/ok/\($0)") })
    #expect(all.allSatisfy { $0.failure == nil && $0.attempts == 3 })
    #expect(server.counters.requests(of: "/robots.txt") == 3)
  }

  @Test("an origin that does not answer at all fails in the network's class")
  func dead() async throws {
    let server = try FaultServer(pages: ["/robots.txt": .fault("/hang")])
    let urls = [
      server.url("/ok"), "http://127.0.0.1:1/", "http://no-such-host.invalid/",
      "http://192.168.1.1/", "https://127.0.0.1:\(server.port)/ok", "http://localhost:1/",
    ]
    let all = try await results(of: urls) {
      $0.attempts = 2
      $0.firstByteDeadline = 0.3
    }
    let expected: [FetchFailure] = [.timeout, .connect, .noSuchHost, .addressRefused, .tls]
    #expect(all.map(\.failure) == expected + [.connect])
    for result in all {
      #expect(result.evidence == nil && !result.isAssumed)
      #expect(result.attempts == (result.isTransient ? 2 : 1), "\(result.finalURL)")
      #expect(result.startedAt > 0)
    }
    #expect(server.counters.requests(of: "/ok") == 0)
  }

  @Test("the user's own lists of hosts come first, at each hop, whatever the profile")
  func hostLists() async throws {
    let server = try FaultServer()
    let denied = "http://localhost:\(server.port)/ok"
    let target = denied.replacingOccurrences(of: "/", with: "%2F")
    for profile in [CrawlPolicy.Profile.strict, .off] {
      for isDenyList in [true, false] {
        let all = try await results(of: [server.url("/redirect-to/\(target)"), denied]) {
          $0.policy.profile = profile
          if isDenyList {
            $0.policy.denyHosts = ["LOCALHOST"]
          } else {
            $0.policy.allowHosts = ["127.0.0.1"]
          }
        }
        #expect(all.map(\.failure) == [.hostDenied, .hostDenied])
        #expect(all.map(\.attempts) == [1, 0])
        #expect(all.allSatisfy { $0.evidence?.rule == .hostList && !$0.isTransient })
        #expect(all[1].finalURL == denied)
      }
    }
    #expect(server.counters.requests(of: "/ok") == 0)
  }

  @Test("a crawl-delay becomes the host's spacing, up to the cap")
  func crawlDelay() async throws {
    let pages: Pages = ["/robots.txt": .text("User-agent: *\nCrawl-delay: 0.4\n")]
    for (cap, least) in [(30.0, 0.4), (0.2, 0.2)] {
      let server = try FaultServer(pages: pages)
      let urls = (0..<4).map { server.url("/ok/\($0)") }
      let all = try await results(of: urls) { $0.crawlDelayCap = cap }
      #expect(all.allSatisfy { $0.failure == nil })
      let times = server.counters.arrivals.filter { $0.key.hasPrefix("/ok") }.values.joined()
        .sorted()
      // Three spacings where the requests start, less one for what a busy machine adds to the first.
      #expect(times.count == 4 && times[3] - times[0] > 2 * least)
    }
  }

  @Test("a call that is cancelled while robots.txt is awaited returns, and the host goes on")
  func cancelled() async throws {
    let server = try FaultServer(pages: ["/robots.txt": .fault("/hang")])
    let fetcher = try Fetcher(
      options: testOptions {
        $0.policy.profile = .strict
        $0.firstByteDeadline = 0.5
      })
    let url = server.url("/ok/1")
    let task = Task { try await fetcher.fetch([FetchRequest(id: 0, url: url)]) { _ in } }
    while server.counters.order.isEmpty { await Task.yield() }
    task.cancel()
    try await task.value
    let after = await HTTPFetchTests.results(of: [server.url("/ok/2")], by: fetcher)
    #expect(after[0].failure == .timeout)
    #expect(Set(server.counters.order) == ["/robots.txt"])
  }

  @Test("a policy that makes no sense is refused by name")
  func options() {
    #expect(throws: CrawlPolicyError.self) {
      try Fetcher(options: testOptions { $0.policy.denyHosts = ["not a host"] })
    }
  }
}
