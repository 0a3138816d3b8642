import FaultServer
import Foundation
import HTTPFetch
import Testing

@Suite struct TransportOptionTests {
  let server: FaultServer

  init() throws { server = try FaultServer() }

  @Test("who says nothing by the first byte's deadline is given up; who is slow later is not")
  func firstByte() async throws {
    let fetcher = try Fetcher(
      options: testOptions {
        $0.firstByteDeadline = 0.4
        $0.attempts = 1
      })
    let all = await results(
      of: ["/hang", "/hang-mid", "/drip/4/300", "/late/100"].map { server.url($0) }, by: fetcher)
    #expect(all.map(\.failure) == [.timeout, .timeout, nil, nil])
    #expect(all[0].detail.contains("0.4 s") && all[0].seconds >= 0.4 && all[0].seconds < 5)
    #expect(all[1].seconds >= 10, "its first byte came: the total deadline ends it")
  }

  @Test("further headers are sent, and the newest Accept-Encoding is libcurl's")
  func headers() async throws {
    _ = try await fetch(server.url("/ok")) {
      $0.headers = ["Accept: image/*", "X-Contact: mailto:crawler@pairloom.test"]
    }
    let head = try #require(server.counters.heads["/ok"])
    #expect(head.contains("\r\nAccept: image/*\r\n"))
    #expect(head.contains("\r\nX-Contact: mailto:crawler@pairloom.test"))
    #expect(!head.contains("*/*"))
  }

  @Test(
    "connections are made from the source address, or by the interface",
    arguments: [
      ("127.0.0.77", "127.0.0.77"), ("lo", "127.0.0.1"),
    ])
  func source(text: String, peer: String) async throws {
    let result = try await fetch(server.url("/ok")) { $0.sourceAddress = text }
    #expect(result.failure == nil, "\(result.detail)")
    #expect(server.counters.peers == [peer])
  }

  @Test("an address of the other family than the source's fails to connect, and says why")
  func otherFamily() async throws {
    let result = try await fetch("http://[::1]:\(server.port)/ok") {
      $0.sourceAddress = "127.0.0.1"
      $0.allowAddresses = ["::1"]
      $0.attempts = 1
    }
    #expect(result.failure == .connect && result.detail == "no IPv6 from an IPv4 source address")
  }

  @Test("a proxy is used for all names, needs no exception, and is not looked past")
  func proxy() async throws {
    let resolver = TableResolver(["proxy.test": [.texts("127.0.0.1")]])
    for host in ["127.0.0.1", "proxy.test"] {
      let fetcher = try Fetcher(
        options: testOptions {
          $0.proxy = "http://\(host):\(server.port)"
          $0.allowAddresses = []
        }, resolver: resolver)
      let all = await results(
        of: [
          "http://far.example/ok/5", "http://10.0.0.1/ok",
          "http://localhost/ok", "http://x.invalid/",
        ], by: fetcher)
      #expect(all.map(\.failure) == [nil, .addressRefused, .addressRefused, .noSuchHost])
      #expect(all[0].body?.count == 5 && all[0].address == "127.0.0.1")
    }
    // Only the proxy's own name was looked up.
    #expect(resolver.asked == ["proxy.test"])
    #expect(server.counters.heads["/ok/5"]?.hasPrefix("GET http://far.example/ok/5 ") == true)
  }

  @Test("a proxy that is not there, or makes no tunnel, is a failed connection")
  func noProxy() async throws {
    for (proxy, words) in [("http://127.0.0.1:1", "127.0.0.1"), ("http://p.test:80", "no proxy")] {
      let fetcher = try Fetcher(
        options: testOptions {
          $0.proxy = proxy; $0.attempts = 1
        }, resolver: TableResolver([:]))
      let all = await results(of: ["http://far.example/ok"], by: fetcher)
      #expect(all[0].failure == .connect && all[0].detail.contains(words), "\(all[0].detail)")
    }
    let tunnel = try await fetch("https://far.example/") {
      $0.proxy = server.url("")
      $0.attempts = 1
    }
    #expect(tunnel.failure == .connect && tunnel.detail.contains("403"), "\(tunnel.detail)")
  }
}
