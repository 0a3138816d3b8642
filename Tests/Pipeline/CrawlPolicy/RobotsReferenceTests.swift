import CrawlPolicy
import Foundation
import Testing

/// Random files and paths with protego's verdicts, see Fixtures/make_robots.py.
private struct Reference: Decodable {
  struct Case: Decodable {
    var robots: String
    var paths: [String]
    var verdicts: String
    var delay: Double?
  }
  var agent: String
  var cases: [Case]
}

@Suite struct RobotsReferenceTests {
  @Test("verdicts and crawl-delays equal protego's on random files")
  func protego() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/robots.json")
    let reference = try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file))
    var options = CrawlPolicy.Options()
    options.agentToken = reference.agent
    let policy = try CrawlPolicy(options)
    var verdicts = 0
    for item in reference.cases {
      let rules = policy.rules(
        for: .robotsTxt, answer: .body(Array(item.robots.utf8)), source: "robots.txt")
      for (path, verdict) in zip(item.paths, item.verdicts) {
        let isAllowed = policy.refusal(path: path, rules: [rules]) == nil
        #expect(isAllowed == (verdict == "y"), "\(path) under\n\(item.robots)")
        verdicts += 1
      }
      #expect((policy.crawlDelay([rules]) ?? 0) == (item.delay ?? 0), "\(item.robots)")
    }
    #expect(verdicts > 5_000)
  }
}
