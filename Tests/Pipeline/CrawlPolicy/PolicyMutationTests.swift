import CrawlPolicy
import SeededRandom
import Testing

/// Random and mutated input for every parser: no trap, and no time but in proportion to length.
@Suite struct PolicyMutationTests {
  static let seeds: [[UInt8]] =
    RobotsFileTests.google.map { Array($0.robots.utf8) }
    + [
      Array(RobotsFileTests.simple.utf8), Array(ContentUsageTests.example.utf8),
      Array(TDMReservationTests.three.utf8), Array(AITxtTests.images.utf8),
    ]
  static let pieces: [[UInt8]] =
    [
      "\n", "\r", ":", "#", "*", "$", "%", "%2", "%c3", "user-agent: *\n", "disallow: /", "allow:",
      "content-usage:", "content-signal: ai-train=no", "\u{FEFF}", "\"", "[", "{", "},", "\\",
      "tdm-reservation", ";", "=n", ",",
      " ",
    ].map { Array($0.utf8) } + [[0], [0xFF], [0xC3], [0xE3, 0x83]]

  static func mutated(_ random: inout RandomStream) -> [UInt8] {
    var bytes = seeds[random.integer(below: seeds.count)]
    for _ in 0...random.integer(below: 6) {
      let at = random.integer(below: bytes.count + 1)
      switch random.integer(below: 4) {
      case 0: bytes.insert(contentsOf: pieces[random.integer(below: pieces.count)], at: at)
      case 1: bytes.removeSubrange(at..<min(bytes.count, at + random.integer(below: 9)))
      case 2 where at < bytes.count: bytes[at] = UInt8(truncatingIfNeeded: random.next())
      default: bytes += bytes.prefix(at)
      }
    }
    return bytes
  }

  @Test("mutated files are read, asked, and kept within bounds", arguments: [41, 42, 43, 44])
  func files(seed: UInt64) throws {
    var random = RandomStream(seed: seed)
    let policy = try CrawlPolicy(CrawlPolicy.Options())
    var refusals = 0
    for _ in 0..<3_000 {
      let bytes = Self.mutated(&random)
      let path = "/" + String(decoding: Self.mutated(&random).prefix(40), as: UTF8.self)
      for file in OriginFile.allCases {
        let rules = policy.rules(for: file, answer: .body(bytes), source: "s")
        for path in [path, "/x/y", "/a.jpg"] {
          guard let evidence = policy.refusal(path: path, rules: [rules]) else { continue }
          refusals += 1
          #expect(!evidence.text.isEmpty && evidence.text.utf8.count <= 500, "seed \(seed)")
        }
      }
    }
    #expect(refusals > 1_000)
  }

  @Test("mutated header values are read", arguments: [45, 46])
  func headers(seed: UInt64) throws {
    var random = RandomStream(seed: seed)
    let policies = try CrawlPolicy.Profile.allCases.map { try CrawlPolicyTests.policy($0) }
    let values = [
      "noai", "max-snippet:0, noindex", "unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT, none",
      "train-ai=n;a=\"b\", c=(d e);f, g=:aGk=:", "@1=%\"%c3%bc\"", "1",
    ]
    for _ in 0..<5_000 {
      var bytes = Array(values[random.integer(below: values.count)].utf8)
      for _ in 0..<random.integer(below: 4) {
        let piece = Self.pieces[random.integer(below: Self.pieces.count)]
        bytes.insert(contentsOf: piece, at: random.integer(below: bytes.count + 1))
      }
      let value = String(decoding: bytes, as: UTF8.self)
      for name in ["x-robots-tag", "tdm-reservation", "content-usage"] {
        for policy in policies {
          let evidence = policy.refusal(headers: [(name, value)], source: value)
          #expect((evidence?.text.utf8.count ?? 0) <= 500)
        }
      }
    }
  }

  /// Files made to cost more than their length, each near the cap of 500 KiB.
  static let nasty: [String: String] = [
    "one line": "user-agent: *\ndisallow: /" + String(repeating: "a*", count: 250_000),
    "stars": "user-agent: *\ndisallow: " + String(repeating: "*", count: 500_000),
    "agents": String(repeating: "user-agent: *\n", count: 36_000) + "disallow: /",
    "no ends": String(repeating: " ", count: 511_000),
    "ends": String(repeating: "\r\n", count: 255_000),
    "colons": String(repeating: ":", count: 511_000),
    "comments": String(repeating: "#\n", count: 255_000),
    "usage": "user-agent: *\n" + String(repeating: "content-usage: a;b=(c\n", count: 23_000),
    "open": String(repeating: #"{"location":"#, count: 42_000),
    "deep": "[" + String(repeating: #"{"a":["#, count: 85_000),
    "array": "[" + String(repeating: "{},", count: 170_000) + "{}]",
    "strings": "[\"" + String(repeating: "\\\\", count: 250_000) + "\"]",
    "prefixes": "user-agent: *\n"
      + (1..<900).map { "disallow: /\(String(repeating: "a", count: $0))b\n" }.joined(),
    "wild": "user-agent: *\n" + (0..<34_000).map { "allow: *a\($0)\n" }.joined(),
  ]

  @Test(
    "nasty files take no longer than plain ones", .timeLimit(.minutes(1)),
    arguments: nasty.keys.sorted())
  func time(name: String) throws {
    let body = try #require(Self.nasty[name])
    let policy = try CrawlPolicy(CrawlPolicy.Options())
    let path = "/" + String(repeating: "a", count: 2_000) + "c"
    let clock = ContinuousClock()
    let took = clock.measure {
      for file in OriginFile.allCases {
        let rules = policy.rules(for: file, answer: .body(Array(body.utf8)), source: "s")
        for _ in 0..<5 { _ = policy.refusal(path: path, rules: [rules]) }
      }
    }
    // Measured 1 to 300 ms on a quiet machine; what is quadratic in 500 KiB takes minutes.
    #expect(took < .seconds(20), "\(name)")
  }
}
