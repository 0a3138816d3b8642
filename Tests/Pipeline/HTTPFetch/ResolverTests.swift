import CrawlPolicy
import FaultServer
import Foundation
import HTTPFetch
import Synchronization
import Testing

/// A resolver that answers from a table, in turn where a name has several answers.
final class TableResolver: HostResolver {
  private struct State {
    var answers: [String: [HostAnswer]]
    var asked: [String] = []
  }

  private let state: Mutex<State>
  /// Lookups wait for it.
  private let gate: (@Sendable () -> Void)?

  init(_ answers: [String: [HostAnswer]], gate: (@Sendable () -> Void)? = nil) {
    state = Mutex(State(answers: answers))
    self.gate = gate
  }

  var asked: [String] { state.withLock { $0.asked } }

  func addresses(of name: String) -> HostAnswer {
    gate?()
    return state.withLock { state in
      state.asked.append(name)
      guard var answers = state.answers[name], let first = answers.first else { return .noSuchHost }
      if answers.count > 1 { answers.removeFirst() }
      state.answers[name] = answers
      return first
    }
  }
}

extension HostAnswer {
  static func texts(_ texts: String...) -> HostAnswer {
    .addresses(texts.compactMap { IPAddress($0) })
  }
}

@Suite struct ResolverTests {
  let server: FaultServer

  init() throws { server = try FaultServer() }

  private func url(_ host: String, _ path: String = "/ok") -> String {
    "http://\(host):\(server.port)\(path)"
  }

  private func fetch(
    _ urls: [String], _ resolver: TableResolver, _ change: (inout FetchOptions) -> Void = { _ in }
  ) async throws -> [FetchResult] {
    let fetcher = try Fetcher(options: testOptions(change), resolver: resolver)
    defer { fetcher.shutDown() }
    return await results(of: urls, by: fetcher)
  }

  @Test("names go to the fetcher's resolver once, in lower case, and libcurl looks none up")
  func lookups() async throws {
    // None of these names exists: an answer shows that the table's addresses were used.
    let resolver = TableResolver([
      "a.test": [.texts("127.0.0.1")], "b.test.": [.texts("127.0.0.1")],
      "xn--bcher-kva.test": [.texts("127.0.0.1")],
    ])
    let urls =
      (0..<20).map { url("A.test", "/ok/\($0)") } + [url("b.test."), url("bücher.test")]
      + [url("127.0.0.1"), url("localhost")]
    let all = try await fetch(urls, resolver)
    for result in all { #expect(result.failure == nil, "\(result.finalURL): \(result.detail)") }
    #expect(resolver.asked.sorted() == ["a.test", "b.test.", "xn--bcher-kva.test"])
    #expect(all.allSatisfy { $0.address == "127.0.0.1" })
    #expect(all[21].finalURL == url("xn--bcher-kva.test"))
  }

  @Test("no such host is final, a resolver's failure is tried once more, after its pause")
  func failures() async throws {
    let resolver = TableResolver([
      "again.test": [.failed("try again"), .texts("127.0.0.1")], "gone.test": [.noSuchHost],
    ])
    let all = try await fetch([url("gone.test"), url("x.invalid"), url("again.test")], resolver)
    #expect(all.map(\.failure) == [.noSuchHost, .noSuchHost, nil])
    #expect(all.map(\.attempts) == [1, 1, 2])
    #expect(all[0].detail == "gone.test" && !all[0].isTransient)
    #expect(all[2].seconds >= AddressCache.lifetime(of: .failed("")))
    let once = try await fetch(
      [url("down.test")], TableResolver(["down.test": [.failed("server failure")]])
    ) { $0.attempts = 1 }
    #expect(once[0].failure == .dns && once[0].detail == "server failure" && once[0].isTransient)
    #expect(once[0].hops == [FetchHop(url: url("down.test"), status: nil)])
  }

  @Test("a name with a refused address among others is reached by the others; with none, refused")
  func guardsAnswers() async throws {
    let resolver = TableResolver([
      "mixed.test": [.texts("10.1.2.3", "127.0.0.1", "::1")],
      "inside.test": [.texts("10.1.2.3", "fd00::1")], "meta.test": [.texts("169.254.169.254")],
    ])
    let all = try await fetch(
      ["mixed.test", "inside.test", "meta.test"].map { url($0) }, resolver)
    #expect(all.map(\.failure) == [nil, .addressRefused, .addressRefused])
    #expect(all.map(\.detail) == ["", "10.1.2.3", "169.254.169.254"])
  }

  @Test("a name that turns to a private address later is refused then: DNS rebinding")
  func rebinding() async throws {
    // The address of the second answer is one where the server would answer.
    let other = try FaultServer(address: "127.0.0.9")
    let resolver = TableResolver(["evil.test": [.texts("127.0.0.1"), .texts("127.0.0.9")]])
    let options = testOptions { $0.allowAddresses = ["127.0.0.1"] }
    var failures: [FetchFailure?] = []
    // Each fetcher has a cache of its own: the second asks again.
    for port in [server.port, other.port] {
      let fetcher = try Fetcher(options: options, resolver: resolver)
      let all = await results(of: ["http://evil.test:\(port)/ok"], by: fetcher)
      failures.append(all[0].failure)
    }
    #expect(failures == [nil, .addressRefused])
    #expect(other.counters.connections == 0)
  }

  @Test("a redirect to a name with a private address is refused")
  func redirect() async throws {
    let resolver = TableResolver(["in.test": [.texts("127.0.0.9")]])
    let target = "http%3A%2F%2Fin.test%3A\(server.port)%2Fok"
    let all = try await fetch([url("127.0.0.1", "/redirect-to/\(target)")], resolver) {
      $0.allowAddresses = ["127.0.0.1"]
    }
    #expect(all[0].failure == .addressRefused && all[0].detail == "127.0.0.9")
    #expect(all[0].redirects == 1 && all[0].hops.count == 2)
  }

  @Test("a lookup that hangs ends by the connect deadline and holds nobody else back")
  func hangs() async throws {
    let gate = DispatchSemaphore(value: 0)
    let resolver = TableResolver(["a.test": [.texts("127.0.0.1")]], gate: { gate.wait() })
    let all = try await fetch([url("a.test"), url("127.0.0.1")], resolver) {
      $0.connectTimeout = 0.3
      $0.attempts = 1
      $0.concurrency = 1
    }
    #expect(all.map(\.failure) == [.dns, nil])
    gate.signal()
  }

  @Test("cancelling while a lookup hangs returns at once")
  func cancelled() async throws {
    let gate = DispatchSemaphore(value: 0)
    let (asked, signal) = AsyncStream.makeStream(of: Void.self)
    let resolver = TableResolver(
      [:],
      gate: {
        signal.yield(); gate.wait()
      })
    let fetcher = try Fetcher(options: testOptions(), resolver: resolver)
    let request = FetchRequest(id: 0, url: url("a.test"))
    let task = Task {
      try await fetcher.fetch([request]) { _ in Issue.record("a result after a cancellation") }
    }
    for await _ in asked { break }
    task.cancel()
    try await task.value
    gate.signal()
  }

  @Test("the system's resolver finds the names of /etc/hosts, and knows what is no name")
  func system() {
    guard case .addresses(let found) = SystemResolver().addresses(of: "localhost") else {
      Issue.record("no localhost")
      return
    }
    #expect(found.contains(.v4(0x7F00_0001)) || found.contains(.v6(1)))
    #expect(SystemResolver().addresses(of: "no..name") != .addresses([]))
  }
}

@Suite struct AddressCacheTests {
  private let address = HostAnswer.texts("192.0.2.1")

  @Test("each kind of answer is kept for its own time")
  func lifetimes() {
    for (answer, seconds) in [(address, 300.0), (.noSuchHost, 60), (.failed("x"), 5)] {
      var cache = AddressCache()
      cache.keep(answer, for: "a", now: 100)
      #expect(cache.answer(for: "a", now: 100 + seconds - 0.01)?.answer == answer)
      #expect(cache.answer(for: "a", now: 100 + seconds) == nil)
    }
  }

  @Test("a newer answer replaces an older one, in either generation; the size is bounded")
  func bounded() {
    var cache = AddressCache(capacity: 100)
    cache.keep(.noSuchHost, for: "a", now: 0)
    for index in 0..<60 { cache.keep(.noSuchHost, for: "\(index)", now: 0) }
    cache.keep(address, for: "a", now: 1)
    #expect(cache.answer(for: "a", now: 2)?.answer == address)
    for index in 0..<10_000 { cache.keep(.noSuchHost, for: "n\(index)", now: 2) }
    #expect(cache.count <= 100)
    #expect(cache.answer(for: "n9999", now: 3)?.answer == .noSuchHost)
  }
}
