import CrawlPolicy
import SeededRandom
import Testing

@Suite struct PathPatternTests {
  /// The definition, by trying every length for each `*`.
  static func matches(_ pattern: ArraySlice<UInt8>, _ path: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return true }
    if first == UInt8(ascii: "$"), pattern.count == 1 { return path.isEmpty }
    if first == UInt8(ascii: "*") {
      return (0...path.count).contains { matches(pattern.dropFirst(), path.dropFirst($0)) }
    }
    return path.first == first && matches(pattern.dropFirst(), path.dropFirst())
  }

  static func random(_ random: inout RandomStream, _ letters: String, _ most: Int) -> [UInt8] {
    let letters = Array(letters.utf8)
    return (0..<random.integer(below: most + 1)).map { _ in
      letters[random.integer(below: letters.count)]
    }
  }

  @Test("matching equals trying every length, on 50,000 random patterns", arguments: [1, 2, 3])
  func definition(seed: UInt64) {
    var random = RandomStream(seed: seed)
    for _ in 0..<50_000 {
      var pattern = Self.random(&random, "aab*/", 9)
      if random.integer(below: 3) == 0 { pattern.append(UInt8(ascii: "$")) }
      let path = Self.random(&random, "aab/", 12)
      let expected = Self.matches(pattern[...], path[...])
      #expect(PathPattern.matches(pattern[...], path) == expected, "\(pattern) \(path) \(seed)")
    }
  }

  @Test("long pieces are found where plain search finds them", arguments: [4, 5])
  func longPieces(seed: UInt64) {
    var random = RandomStream(seed: seed)
    for _ in 0..<3_000 {
      let path = Self.random(&random, "aab", 120)
      let piece = Self.random(&random, "aaab", 24)
      let found = (0...path.count).contains { path[$0...].starts(with: piece) }
      let pattern = Array("*".utf8) + piece
      #expect(PathPattern.matches(pattern[...], path) == found, "\(seed)")
    }
  }

  @Test("the longest rule equals a loop over all, on random rules", arguments: [6, 7, 8])
  func longest(seed: UInt64) {
    var random = RandomStream(seed: seed)
    for _ in 0..<2_000 {
      let ties: PathRules.Verdict = random.integer(below: 2) == 0 ? .allow : .disallow
      var rules = PathRules(ties: ties)
      for _ in 0..<random.integer(below: 12) {
        let tail = Self.random(&random, random.integer(below: 3) == 0 ? "ab*/" : "ab/", 5)
        let pattern = Array("/".utf8) + tail
        rules.append(
          random.integer(below: 2) == 0 ? .allow : .disallow, pattern: pattern[...],
          line: (Array("rule: ".utf8) + pattern)[...])
      }
      rules.finish()
      let path = Array("/".utf8) + Self.random(&random, "ab/", 8)
      let matching = (0..<rules.count).filter { PathPattern.matches(rules.pattern($0), path) }
      let most = matching.map { rules.pattern($0).count }.max()
      let best = matching.filter { rules.pattern($0).count == most }.map(rules.verdict)
      let expected = best.contains(ties) ? ties : best.first
      #expect(rules.longest(path).map(rules.verdict) == expected, "seed \(seed)")
      #expect(rules.first(path) == matching.first)
    }
  }

  @Test("patterns made to backtrack take no longer than their length", .timeLimit(.minutes(1)))
  func nasty() {
    let path = Array("/".utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: 100_000)
    let stars = Array(String(repeating: "*a", count: 20_000).utf8)
    #expect(PathPattern.matches((stars + Array("b".utf8))[...], path) == false)
    #expect(PathPattern.matches((stars + Array("$".utf8))[...], path))
    let long = Array("*".utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: 40_000)
    #expect(PathPattern.matches((long + Array("b".utf8))[...], path) == false)
    #expect(PathPattern.matches((long + long)[...], path))
  }

  @Test(
    "thousands of rules and long paths are answered in far less than quadratic time",
    .timeLimit(.minutes(1)))
  func thousands() throws {
    let policy = try CrawlPolicy(CrawlPolicy.Options())
    var robots = "user-agent: *\n"
    for index in 0..<20_000 { robots += "disallow: /folder/\(index)/\nallow: /f*\(index)x\n" }
    let body = Array(robots.utf8)
    let rules = policy.rules(for: .robotsTxt, answer: .body(body), source: "")
    #expect(rules.ruleCount > 20_000)
    // 500 questions; a scan over all rules would compare 20 million patterns.
    for index in 0..<500 {
      #expect(policy.refusal(path: "/folder/\(index)/a.jpg", rules: [rules]) != nil)
    }
  }
}
