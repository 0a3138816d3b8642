import CrawlPolicy
import HTTPFetch
import Testing

@Suite struct OriginBookTests {
  func policy(_ profile: CrawlPolicy.Profile = .strict) throws -> CrawlPolicy {
    var options = CrawlPolicy.Options()
    options.profile = profile
    return try CrawlPolicy(options)
  }

  func rules(_ text: String) throws -> [OriginRules] {
    [try policy().rules(for: .robotsTxt, answer: .body(Array(text.utf8)), source: "s")]
  }

  @Test("an unknown origin is to be fetched once; it is known for a day, then unknown again")
  func life() throws {
    var book = OriginBook(policy: try policy())
    #expect(book.verdict(of: "/x", at: "a", now: 0) == .unknown)
    #expect(book.verdict(of: "/y", at: "a", now: 1) == .pending)
    #expect(book.verdict(of: "/x", at: "b", now: 1) == .unknown)
    book.learn(
      try rules("User-agent: *\nDisallow: /x\nCrawl-delay: 3\n"), of: "a",
      until: 2 + OriginBook.lifetime)
    let evidence = PolicyEvidence(rule: .robotsTxt, source: "s", text: "Disallow: /x")
    #expect(book.verdict(of: "/x?1", at: "a", now: 2) == .refused(evidence, isAssumed: false))
    #expect(book.verdict(of: "/y", at: "a", now: 86_401) == .allowed(crawlDelay: 3))
    #expect(book.verdict(of: "/y", at: "a", now: 86_402) == .unknown)
    #expect(book.verdict(of: "/y", at: "a", now: 86_402) == .pending)
  }

  @Test("failures in a row are counted until something is learnt")
  func failures() throws {
    var book = OriginBook(policy: try policy())
    for count in 1...3 {
      #expect(book.verdict(of: "/", at: "a", now: Double(10 * count)) == .unknown)
      let pause = Double(10 * count + 10)
      #expect(book.failed("a") { _ in pause } == count)
      #expect(book.verdict(of: "/", at: "a", now: pause - 1) == .failed(until: pause))
    }
    book.learn([], of: "a", until: 100)
    #expect(book.verdict(of: "/", at: "a", now: 99) == .allowed(crawlDelay: nil))
    #expect(book.verdict(of: "/", at: "a", now: 100) == .unknown)
    #expect(book.failed("a") { _ in 200 } == 1)
  }

  @Test("profiles that ask origins for nothing allow all")
  func nothingAsked() throws {
    for profile in [CrawlPolicy.Profile.img2dataset, .off] {
      var book = OriginBook(policy: try policy(profile))
      #expect(book.verdict(of: "/", at: "a", now: 0) == .allowed(crawlDelay: nil))
    }
  }

  @Test("a list of millions of origins does not fill the memory, and those awaited stay")
  func bounded() throws {
    var book = OriginBook(policy: try policy())
    #expect(book.verdict(of: "/", at: "awaited", now: 0) == .unknown)
    for origin in 0..<(2 * OriginBook.limit) {
      if origin % 2 == 0 {
        book.learn([], of: "\(origin)", until: 1000)
      } else {
        _ = book.failed("\(origin)") { _ in 1000 }
      }
    }
    #expect(book.count == OriginBook.limit + 1)
    #expect(book.verdict(of: "/", at: "awaited", now: 0) == .pending)
    #expect(book.verdict(of: "/", at: "0", now: 0) == .unknown)
    let last = 2 * OriginBook.limit - 2
    #expect(book.verdict(of: "/", at: "\(last)", now: 0) == .allowed(crawlDelay: nil))
  }
}
