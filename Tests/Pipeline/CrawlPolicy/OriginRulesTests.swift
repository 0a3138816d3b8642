import CrawlPolicy
import Foundation
import SeededRandom
import Testing

@Suite struct OriginRulesTests {
  static let bodies: [(OriginFile, String)] = [
    (
      .robotsTxt,
      """
      User-agent: *
      Disallow: /a*b$ # why
      Disallow: /ü
      Allow: /a
      Crawl-delay: 2.5
      Content-Usage: /x train-ai=n
      User-agent: other
      Disallow: /other
      """
    ),
    (.tdmReservation, TDMReservationTests.three),
    (.tdmReservation, "no json"),
    (.aiTxt, AITxtTests.images),
    (.robotsTxt, ""),
  ]
  static let paths = ["/", "/a", "/a/b", "/%C3%BC", "/x/y", "/other", "/directory-a/", "/b.jpg"]

  @Test("rules survive a cache on disk", arguments: bodies)
  func roundTrip(file: OriginFile, body: String) throws {
    let policy = try CrawlPolicy(CrawlPolicy.Options())
    for answer in [.body(Array(body.utf8)), .unavailable, .unreachable] as [OriginAnswer] {
      let rules = policy.rules(for: file, answer: answer, source: "https://a.example/f")
      let data = try JSONEncoder().encode(rules)
      let read = try JSONDecoder().decode(OriginRules.self, from: data)
      #expect(read == rules && policy.accepts(read))
      #expect(policy.crawlDelay([read]) == policy.crawlDelay([rules]))
      for path in Self.paths {
        #expect(
          policy.refusal(path: path, rules: [read]) == policy.refusal(path: path, rules: [rules]))
      }
    }
  }

  @Test("only what binds us is kept, in little more than its own length")
  func compact() throws {
    let policy = try CrawlPolicy(CrawlPolicy.Options())
    var robots = "user-agent: *\n"
    for index in 0..<1_000 { robots += "disallow: /folder/number/\(index)/\n" }
    let bound = robots.utf8.count
    robots += "user-agent: other\n"
    for index in 0..<1_000 { robots += "disallow: /x\(index)\n" }
    let body = Array(robots.utf8)
    let rules = policy.rules(for: .robotsTxt, answer: .body(body), source: "")
    #expect(rules.ruleCount == 1_000)
    #expect(try JSONEncoder().encode(rules).count < 2 * bound)
  }

  @Test("another format's rules, and another token's, are not taken for ours")
  func versions() throws {
    let policy = try CrawlPolicy(CrawlPolicy.Options())
    let rules = policy.rules(for: .robotsTxt, answer: .unavailable, source: "")
    let text = String(decoding: try JSONEncoder().encode(rules), as: UTF8.self)
    let old = text.replacingOccurrences(
      of: "\"v\":\(OriginRules.formatVersion)", with: "\"v\":\(OriginRules.formatVersion - 1)")
    #expect(old != text)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(OriginRules.self, from: Data(old.utf8))
    }
    var options = CrawlPolicy.Options()
    options.agentToken = "other"
    #expect(try !CrawlPolicy(options).accepts(rules))
  }

  @Test("damaged rules are errors or rules, never a trap", arguments: [31, 32])
  func damage(seed: UInt64) throws {
    var random = RandomStream(seed: seed)
    let policy = try CrawlPolicy(CrawlPolicy.Options())
    let body = Array(Self.bodies[0].1.utf8)
    let rules = policy.rules(for: .robotsTxt, answer: .body(body), source: "s")
    let bytes = Array(try JSONEncoder().encode(rules))
    var (read, refused) = (0, 0)
    for _ in 0..<4_000 {
      var damaged = bytes
      for _ in 0...random.integer(below: 3) {
        let digits = Array("0123456789-,.\"]e".utf8)
        damaged[random.integer(below: damaged.count)] = digits[random.integer(below: digits.count)]
      }
      do {
        let rules = try JSONDecoder().decode(OriginRules.self, from: Data(damaged))
        for path in Self.paths { _ = policy.refusal(path: path, rules: [rules]) }
        read += 1
      } catch { refused += 1 }
    }
    #expect(read > 0 && refused > 0)
  }
}
