import FaultServer
import Foundation
import HTTPFetch
import Synchronization
import Testing

/// URLs that hang at a host which answers the rest at once.
@Suite struct ParkingTests {
  @Test("URLs that hang hold a host's places for a moment only, and have all their time at the end")
  func hangingOnes() async throws {
    let server = try FaultServer()
    var options = FetchOptions()
    options.allowAddresses = ["127.0.0.0/8"]
    options.policy.profile = .off
    options.connectionsPerHost = 4
    options.firstByteDeadline = 4
    options.timeoutAttempts = 1
    let fetcher = try Fetcher(options: options)
    defer { fetcher.shutDown() }
    let hanging = Set(stride(from: 24, to: 200, by: 25))
    let requests = (0..<200).map { id in
      FetchRequest(id: id, url: server.url(hanging.contains(id) ? "/hang/\(id)" : "/ok/10?\(id)"))
    }
    let results = Mutex<[FetchResult]>([])
    try await fetcher.fetch(requests) { result in results.withLock { $0.append(result) } }
    let ended = results.withLock { $0 }
    #expect(ended.count == 200)
    // Every one that answers is done before the first that hangs is given up.
    #expect(Set(ended.suffix(8).map(\.id)) == hanging)
    #expect(ended.prefix(192).allSatisfy { $0.failure == nil && $0.attempts == 1 })
    #expect(ended.suffix(8).allSatisfy { $0.failure == .timeout && $0.attempts == 1 })
  }

  @Test("a host that asks to be left alone for an hour is not asked again, and its rows may heal")
  func leftAlone() async throws {
    let server = try FaultServer()
    var options = FetchOptions()
    options.allowAddresses = ["127.0.0.0/8"]
    options.policy.profile = .off
    options.connectionsPerHost = 1
    options.retryAfterCap = 0.2
    let fetcher = try Fetcher(options: options)
    defer { fetcher.shutDown() }
    let requests = (0..<20).map {
      FetchRequest(id: $0, url: server.url("/retry-after/3600/1000/\($0)"))
    }
    let results = Mutex<[FetchResult]>([])
    try await fetcher.fetch(requests) { result in results.withLock { $0.append(result) } }
    let ended = results.withLock { $0 }
    #expect(ended.count == 20)
    #expect(ended.allSatisfy { $0.failure == .httpStatus && $0.status == 429 && $0.isTransient })
    #expect(server.counters.order.count == 1)
  }
}
