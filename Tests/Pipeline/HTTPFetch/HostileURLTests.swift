import CrawlPolicy
import FaultServer
import Foundation
import HTTPFetch
import SeededRandom
import Synchronization
import Testing

/// Says of every name that it is where nobody may go; of some that they are not, or not known.
private struct LurkingResolver: HostResolver {
  static let places = [
    "127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:127.0.0.1",
    "100.64.0.1", "0.0.0.0", "224.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
  ]

  func addresses(of name: String) -> HostAnswer {
    var hash = 5381
    for byte in name.utf8 { hash = (hash &* 33 &+ Int(byte)) & 0xFFFF_FFFF }
    switch hash % 5 {
    case 0: return .noSuchHost
    case 1: return .failed("server failure")
    default:
      return .addresses([Self.places[hash % Self.places.count]].compactMap { IPAddress($0) })
    }
  }
}

@Suite struct HostileURLTests {
  /// Ways to write 127.0.0.1, its neighbours and other forbidden places, as a URL's host.
  static let hosts =
    LurkingResolver.places.map { $0.contains(":") ? "[\($0)]" : $0 } + [
      "127.1", "127.0.1", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "017700000001",
      "0", "127.0.0.1.", "127.0.0.1..", "127.000.000.001", "127.0.0.01", "%31%32%37.0.0.1",
      "１２７.０.０.１", "127。0。0。1", "①②⑦.⓪.⓪.①", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]",
      "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[fe80::1%25lo]", "[::1%lo]", "[2002:7f00:1::]",
      "localhost", "LOCALHOST", "localhost.", "a.localhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "loc%61lhost",
      "8.8.8.8@127.0.0.1", "a:b@127.0.0.1", "a@b@127.0.0.1", "127.0.0.1@localhost", "evil.test",
      "127.0.0.1\\@evil.test", "evil.test#@127.0.0.1", "evil.test?@127.0.0.1", "evil.test\\.x",
      "xn--", "xn--a", "xn--\u{FFFF}", "ß.test", "faß.test", "I\u{307}.test", "a\u{200D}b.test",
      "-a.test", "a..test", ".", "..", "a.", "_", "*", "*.test", "a,b", "a:b", "+a", "a b.test",
      "metadata.google.internal", "instance-data", String(repeating: "a", count: 64) + ".test",
      String(repeating: "a.", count: 300) + "test", "[", "]", "[]", "[::", "::1]", "[v1.x]", "%00",
      "%0d%0aHost:x", "a\u{0}b", "a\tb", "user:pass:word@evil.test", "@", ":@", "@127.0.0.1",
    ]

  static func urls(count: Int, port: Int) -> [String] {
    var random = RandomStream(seed: 20_261_124)
    let schemes = [
      "http://", "https://", "HTTP://", "hTtPs://", "http:", "http:/", "http:///", "//", "",
      "ftp://", "file://", "gopher://", "dict://", "javascript:", "data:", "ws://", " http://",
      "http://http://", "http:\\\\", "\u{FEFF}http://", "jar:http://", "view-source:http://",
    ]
    let ports = [":\(port)", ":\(port)", "", ":0", ":80", ":65536", ":-1", ":", ":0\(port)", ":x"]
    let paths = [
      "", "/", "/ok", "/a b", "/%", "/%zz", "/../..", "/\u{202E}gpj.exe", "/?a=b#c", "?q", "#f",
      "/\r\nHost: evil", "/" + String(repeating: "x", count: 5000), "/\u{0}", "/;a@127.0.0.1/",
      "/\\..\\", "/é/ü?ö", "/" + String(repeating: "%2e%2e/", count: 50),
    ]
    let alphabet = Array("/:@?#[]%\\.&=+ \t\r\n\"'<>{}|^`~0aZé。１\u{0}\u{7F}\u{200B}\u{FFFD}😀")
    return (0..<count).map { _ in
      var text = ""
      for parts in [schemes, hosts, ports, paths] {
        // The first scheme and the first ports lead somewhere: take them often.
        let isFirst = parts == schemes && Bool.random(using: &random)
        text += isFirst ? parts[0] : parts[Int.random(in: 0..<parts.count, using: &random)]
      }
      guard Int.random(in: 0..<3, using: &random) == 0 else { return text }
      var characters = Array(text)
      for _ in 0..<Int.random(in: 1...4, using: &random) where !characters.isEmpty {
        let place = Int.random(in: 0..<characters.count, using: &random)
        let new = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
        switch Int.random(in: 0..<3, using: &random) {
        case 0: characters[place] = new
        case 1: characters.insert(new, at: place)
        default: characters.remove(at: place)
        }
      }
      return String(characters)
    }
  }

  @Test("of 10,000 hostile URLs none hangs, crashes, or leads to where nobody may go")
  func tenThousand() async throws {
    let server = try FaultServer()
    let fetcher = try Fetcher(
      options: testOptions {
        $0.allowAddresses = []
        // What is a public address after all must not be reached by a test: from the loopback
        // address no packet leaves this machine.
        $0.sourceAddress = "127.0.0.1"
        $0.attempts = 1
        $0.connectTimeout = 1
        $0.totalDeadline = 2
        $0.minConcurrency = 256
      }, resolver: LurkingResolver())
    let urls = Self.urls(count: 10_000, port: server.port)
    let all = await results(of: urls, by: fetcher)
    #expect(all.count == urls.count)
    #expect(server.counters.connections == 0)
    let ends: Set<FetchFailure> = [.badURL, .addressRefused, .noSuchHost, .dns, .connect]
    for (url, result) in zip(urls, all) {
      #expect(result.failure.map(ends.contains) == true, "\(url.debugDescription): \(result)")
      #expect(result.status == nil)
    }
    // The list is worth its name only if it reaches every end.
    let counts = Dictionary(grouping: all.compactMap(\.failure), by: { $0 }).mapValues(\.count)
    for end in ends where end != .connect { #expect(counts[end, default: 0] > 100, "\(counts)") }
  }

  @Test("redirects to a forbidden place are refused however it is written")
  func redirects() async throws {
    let server = try FaultServer()
    let inside = try FaultServer(address: "127.0.0.9")
    let spellings = [
      "127.0.0.9", "127.9", "0x7f000009", "2130706441", "[::ffff:127.0.0.9]", "a@127.0.0.9",
      "127.0.0.%39", "[::ffff:7f00:9]", "inside.test", "１２７.0.0.9", "0177.0.0.011",
    ]
    let urls = spellings.flatMap { host in
      ["http://\(host):\(inside.port)/ok", "//\(host):\(inside.port)/ok"].map { target in
        let escaped = target.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return server.url("/redirect-to/\(escaped)")
      }
    }
    let resolver = TableResolver(["inside.test": [.texts("127.0.0.9")]])
    let fetcher = try Fetcher(
      options: testOptions { $0.allowAddresses = ["127.0.0.1"] }, resolver: resolver)
    for result in await results(of: urls, by: fetcher) {
      #expect(result.failure == .addressRefused, "\(result.finalURL): \(result.detail)")
      #expect(result.detail.contains("127.0.0.9"))
    }
    #expect(inside.counters.connections == 0)
  }
}
