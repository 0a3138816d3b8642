import FaultServer
import Foundation
import HTTPFetch
import Testing

/// What a result tells besides the body.
@Suite struct AnswerTests {
  let server: FaultServer

  init() throws { server = try FaultServer() }

  @Test("hops, address, protocol, validators and bytes are those of the answer")
  func facts() async throws {
    let result = try await fetch(server.url("/redirect/2"))
    #expect(
      result.hops == [
        FetchHop(url: server.url("/redirect/2"), status: 302),
        FetchHop(url: server.url("/redirect/1"), status: 302),
        FetchHop(url: server.url("/ok/10"), status: 200),
      ])
    #expect(result.address == "127.0.0.1" && result.httpVersion == "http/1.1")
    #expect(result.etag == nil && result.lastModified == nil)
    #expect(result.receivedBytes == 10)
    let validated = try await fetch(server.url("/validators"))
    #expect(validated.etag == "W/\"a:1\"")
    #expect(validated.lastModified == "Tue, 15 Nov 1994 12:45:26 GMT")
  }

  @Test("the steps' times do not run backwards")
  func times() async throws {
    let result = try await fetch(server.url("/drip/1/100"))
    let times = try #require(result.times)
    #expect(times.lookup >= 0 && times.connect >= times.lookup && times.tls == 0)
    #expect(times.firstByte >= times.connect && times.firstByte <= result.seconds)
  }

  @Test("bytes are counted on the wire, over all attempts; hops are the last attempt's")
  func receivedBytes() async throws {
    let cut = try await fetch(server.url("/truncated")) { $0.attempts = 3 }
    #expect(cut.attempts == 3 && cut.receivedBytes == 1500)
    #expect(cut.hops == [FetchHop(url: server.url("/truncated"), status: 200)])
    let bomb = try await fetch(server.url("/gzip-bomb")) { $0.maxBytes = 1 << 20 }
    #expect(bomb.failure == .tooLarge && bomb.receivedBytes < 1 << 17, "decoded: over 1 MiB")
  }

  @Test("what never connected has one hop without status, and no address")
  func refused() async throws {
    let result = try await fetch("http://127.0.0.1:1/x") { $0.attempts = 1 }
    #expect(result.hops == [FetchHop(url: "http://127.0.0.1:1/x", status: nil)])
    #expect(result.httpVersion == nil && result.receivedBytes == 0)
    let bad = try await fetch("ftp://127.0.0.1/")
    #expect(bad.hops.isEmpty && bad.times == nil)
  }
}

@Suite struct SniffTests {
  let server: FaultServer

  init() throws { server = try FaultServer() }

  /// `FaultServer`'s bodies begin 0, 7, 14; all others count as no picture.
  static let sniff: BodySniff = { bytes in
    guard bytes.count >= 3 else { return .undecided }
    if bytes.prefix(4) == [0x47, 0x49, 0x46, 0x38] { return .unsupported("gif") }
    return bytes.prefix(3) == [0, 7, 14] ? .wanted : .notAnImage
  }

  func fetch(_ path: String) async throws -> FetchResult {
    let fetcher = try Fetcher(options: testOptions { $0.attempts = 1 }, sniff: Self.sniff)
    defer { fetcher.shutDown() }
    return try #require(await results(of: [server.url(path)], by: fetcher).first)
  }

  @Test(
    "a body is judged by its first bytes, whole or not",
    arguments: [
      ("/ok/5000", nil), ("/ok/64", nil), ("/ok/63", nil), ("/ok/3", nil), ("/ok/2", nil),
      ("/ok/0", nil), ("/bytes/GIF89a", .unsupportedFormat), ("/bytes/%3Chtml%3E", .notAnImage),
      ("/status/404", .httpStatus),
    ] as [(String, FetchFailure?)])
  func judged(path: String, failure: FetchFailure?) async throws {
    let result = try await fetch(path)
    #expect(result.failure == failure)
    #expect((result.body == nil) == (failure != nil))
  }

  @Test("a picture's kind that is not decoded is named; else the type that was claimed")
  func details() async throws {
    #expect(try await fetch("/bytes/GIF89a").detail == "gif")
    #expect(try await fetch("/bytes/%3Chtml%3E").detail == "text/html")
  }

  @Test("the rest of a long body that is no picture is not asked for")
  func stops() async throws {
    // Endless: without the early stop it would end at the cap.
    let result = try await fetch("/endless-page")
    #expect(result.failure == .notAnImage)
    #expect(result.receivedBytes < 1 << 20)
  }

  @Test("a short body that is no picture does not cost the connection")
  func keepsConnection() async throws {
    let fetcher = try Fetcher(
      options: testOptions { $0.connectionsPerHost = 1 }, sniff: Self.sniff)
    let page = String(repeating: "%3Chtml%3E", count: 300)
    let all = await results(
      of: (0..<10).map { server.url("/bytes/\(page)\($0)") }, by: fetcher)
    #expect(all.allSatisfy { $0.failure == .notAnImage })
    #expect(server.counters.connections == 1)
  }
}
