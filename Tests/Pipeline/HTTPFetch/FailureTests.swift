import FaultServer
import Foundation
import HTTPFetch
import Testing

@Suite struct FailureTests {
  let server: FaultServer

  init() throws { server = try FaultServer() }

  static let cases: [(path: String, failure: FetchFailure, status: Int?)] = [
    ("/status/404", .httpStatus, 404), ("/status/410", .httpStatus, 410),
    ("/status/401", .httpStatus, 401), ("/status/451", .httpStatus, 451),
    ("/status/304", .httpStatus, 304), ("/status/500", .httpStatus, 500),
    ("/endless-error", .httpStatus, 404),
    ("/truncated", .incomplete, 200), ("/reset", .incomplete, 200),
    ("/reset-early", .incomplete, nil),
    ("/drop", .incomplete, nil),
    ("/hang", .timeout, nil), ("/hang-mid", .timeout, 200),
    ("/endless", .tooLarge, 200), ("/endless-length", .tooLarge, 200),
    ("/gzip-bomb", .tooLarge, 200),
    ("/ok/1000001", .tooLarge, 200),
    ("/chunked-bad", .protocolError, 200), ("/gzip-bad", .protocolError, 200),
    ("/bad-status", .protocolError, nil), ("/endless-headers", .protocolError, 200),
    ("/endless-status", .protocolError, nil), ("/endless-line", .protocolError, 200),
    ("/endless-hints", .protocolError, 103),
    ("/endless-trailers", .protocolError, 200), ("/endless-extension", .timeout, 200),
    ("/slowloris/40", .timeout, nil), ("/late/1000", .timeout, nil),
    ("/redirect-none", .redirect, 302), ("/redirect/11", .redirect, 302),
    ("/redirect-to/file%3A%2F%2F%2Fetc%2Fhostname", .redirect, 301),
    ("/redirect-to/http%3A%2F%2F127.0.0.1%3A1%2F", .connect, 301),
    ("/redirect-to/http%3A%2F%2F10.0.0.1%2F", .addressRefused, 301),
    ("/redirect-to/%2Fstatus%2F403", .httpStatus, 403),
    ("/robots/noai", .robots, 200),
  ]

  @Test("each fault has its class", arguments: cases)
  func classes(path: String, failure: FetchFailure, status: Int?) async throws {
    let result = try await fetch(server.url(path)) {
      $0.maxBytes = 1_000_000
      $0.attempts = 1
      if failure == .timeout { $0.totalDeadline = 0.3 }
    }
    #expect(result.failure == failure, "\(result.detail)")
    #expect(result.status == status)
    #expect(result.body == nil)
    #expect(!result.detail.isEmpty)
    #expect(result.attempts == 1)
  }

  @Test("a refused connection is told from a refused address, a dead name and a bad URL")
  func withoutServer() async throws {
    let cases: [(String, FetchFailure)] = [
      ("http://127.0.0.1:1/", .connect), ("http://192.168.1.1/", .addressRefused),
      ("http://169.254.169.254/latest/meta-data/", .addressRefused),
      ("http://[::1]:1/", .addressRefused), ("http://[::ffff:10.0.0.1]/", .addressRefused),
      ("http://0x0a000001/", .addressRefused), ("http://no-such-host.invalid/", .noSuchHost),
      ("https://127.0.0.1:\(server.port)/ok", .tls), ("ftp://127.0.0.1/x", .badURL), ("", .badURL),
    ]
    let fetcher = try Fetcher(options: testOptions { $0.attempts = 1 })
    let all = await results(of: cases.map(\.0), by: fetcher)
    for (result, (url, failure)) in zip(all, cases) {
      #expect(result.failure == failure, "\(url): \(result.detail)")
      #expect(result.attempts == (failure == .badURL ? 0 : 1), "\(url)")
    }
    #expect(all[1].detail.contains("192.168.1.1"))
  }

  @Test("without an exception the loopback server is out of reach")
  func loopback() async throws {
    let result = try await fetch(server.url("/ok")) { $0.allowAddresses = [] }
    #expect(result.failure == .addressRefused)
    #expect(server.counters.connections == 0)
  }

  @Test("a body of exactly the cap is kept")
  func cap() async throws {
    let result = try await fetch(server.url("/ok/5000")) { $0.maxBytes = 5000 }
    #expect(result.body?.count == 5000)
  }

  @Test("a gzip bomb of 1 GiB ends at the cap, in little memory")
  func bomb() async {
    // A process of its own: other tests of this one take more memory than the bomb.
    await #expect(processExitsWith: .success) {
      let server = try FaultServer()
      let result = try await fetch(server.url("/gzip-bomb")) { $0.maxBytes = 1 << 20 }
      #expect(result.failure == .tooLarge)
      #expect(try peakKiB() < 256 << 10, "KiB of peak memory")
    }
  }

  @Test("a body refused by X-Robots-Tag is left alone, not read and thrown away")
  func robots() async throws {
    let result = try await fetch(server.url("/robots/max-snippet%3A0%7Cfoobot%3A%20noimageai")) {
      $0.policy.profile = .strict
    }
    #expect(result.failure == .robots && result.detail == "x-robots-tag: foobot: noimageai")
    // It would be endless; what the sockets' buffers hold is all that the server got rid of.
    let free = try await fetch(server.url("/robots/noai")) {
      $0.policy.profile = .off
      $0.maxBytes = 1000
    }
    #expect(free.failure == .tooLarge)
  }

  @Test("directives of an early 103 or of a redirect do not count")
  func finalHeadersOnly() async throws {
    let result = try await fetch(server.url("/early-hints"))
    #expect(result.failure == nil && result.body?.count == 1000)
  }
}

/// The most memory that this process has had since it was started.
///
/// Not getrusage: its figure outlives exec, so a child begins with its parent's.
func peakKiB() throws -> Int {
  let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
  return try #require(line?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
}
