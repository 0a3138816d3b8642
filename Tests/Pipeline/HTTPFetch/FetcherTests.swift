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
  await fetcher.fetch(requests) { result in
    let previous = found.withLock { $0.updateValue(result, forKey: result.id) }
    precondition(previous == nil, "two results for request \(result.id)")
  }
  return found.withLock { found in found.values.sorted { $0.id < $1.id } }
}

/// Loopback allowed, quick retries: what every test here starts from.
func testOptions(_ change: (inout FetchOptions) -> Void = { _ in }) -> FetchOptions {
  var options = FetchOptions()
  options.allowAddresses = ["127.0.0.0/8"]
  options.backoffBase = 0.01
  options.totalDeadline = 10
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
}
