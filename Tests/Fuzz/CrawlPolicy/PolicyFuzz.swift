import CrawlPolicy
import FuzzSupport

private let policy: CrawlPolicy = {
  do {
    return try CrawlPolicy(CrawlPolicy.Options())
  } catch {
    fatalError("\(error)")
  }
}()

/// Any file of an origin gives rules, any path and header an answer with bounded evidence.
///
/// The input's first line is the path that is asked about, and a header's value; the rest the file.
@main struct PolicyFuzz {
  static func main() { Fuzz.run(seeds: seeds, test) }

  private static func test(_ bytes: [UInt8]) {
    let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
    let path = "/" + String(decoding: line, as: UTF8.self)
    let file = Array(bytes.dropFirst(line.count + 1))
    for kind in OriginFile.allCases {
      let rules = policy.rules(for: kind, answer: .body(file), source: "s")
      if let evidence = policy.refusal(path: path, rules: [rules]) {
        guard !evidence.text.isEmpty, evidence.text.utf8.count <= 500 else {
          fatalError("evidence of \(evidence.text.utf8.count) bytes")
        }
      }
      if let delay = policy.crawlDelay([rules]), !(0...86_400).contains(delay) {
        fatalError("a delay of \(delay) s")
      }
    }
    for name in ["x-robots-tag", "tdm-reservation", "content-usage"] {
      _ = policy.refusal(headers: [(name, path)], source: "s")
    }
    _ = policy.refusal(host: path)
  }

  private static func seeds() throws -> [[UInt8]] {
    [
      "a/b.jpg\nUser-agent: *\nDisallow: /a*b$\nAllow: /a/\nCrawl-delay: 2.5\n",
      "x%2Fé?q=1\n\u{FEFF}user-agent: pairloom\r\nuser-agent: *\r\ndisallow: /%78 # no\r\n",
      "p\nUser-agent: *\nContent-Usage: train-ai=n\nContent-Signal: ai-train=no, search=yes\n",
      "p\n[{\"location\": \"/p\", \"tdm-reservation\": 1, \"tdm-policy\": \"https://a.test/\"}]",
      "max-snippet:0, noai, unavailable_after: 25 Jun 2010 15:00:00 PST\nDisallow: *.jpg\n",
      "train-ai=n;x=\"y\", a=?0, b=(1 2)\nUser-agent: *\nDisallow:\n",
    ].map { Array($0.utf8) }
  }
}
