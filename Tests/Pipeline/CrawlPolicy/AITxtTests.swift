import CrawlPolicy
import Testing

/// Spawning's form: a robots.txt whose patterns are file types, or paths.
@Suite struct AITxtTests {
  static func refuses(_ body: String, _ path: String) throws -> Bool {
    let policy = try CrawlPolicy(CrawlPolicy.Options())
    let rules = policy.rules(for: .aiTxt, answer: .body(Array(body.utf8)), source: "ai.txt")
    let evidence = policy.refusal(path: path, rules: [rules])
    #expect(evidence == nil || evidence?.rule == .aiTxt)
    return evidence != nil
  }

  // The beginning of what Spawning's generator writes for images and code.
  static let images = """
    # Spawning AI
    # Prevent datasets from using the following file types

    User-Agent: *
    Disallow: *.txt
    Allow: *.gif
    Disallow: *.jpg
    Disallow: *.png
    Disallow: *.c
    """
  static let cases: [(String, String, Bool)] = [
    (images, "/a.jpg", true), (images, "/a.JPG", true), (images, "/a.jpg?w=3", true),
    (images, "/a.jpg/w800", true), (images, "/a.jpg:large", true), (images, "/?f=a.png&w", true),
    (images, "/a.gif", false), (images, "/a.webp", false), (images, "/", false),
    // A type's name is whole: *.c is neither .com nor .css.
    (images, "/x.com/a.css", false), (images, "/a.jpgx", false), (images, "/a.c", true),
    ("User-Agent: *\nDisallow: /", "/a.jpg", true),
    ("User-Agent: *\nDisallow: /\nAllow: *.jpg", "/a.jpg", false),
    ("User-Agent: *\nAllow: /\nDisallow: *.jpg", "/a.jpg", true),
    ("User-Agent: *\nDisallow: *", "/a.jpg", true),
    ("User-Agent: *\nDisallow: /art/", "/art/a", true),
    ("User-Agent: *\nDisallow: /art/", "/b", false),
    // Addressed to somebody else, to us before all, and to nobody.
    ("User-Agent: GPTBot\nDisallow: /", "/", false),
    ("User-Agent: pairloom\nDisallow:\nUser-Agent: *\nDisallow: /", "/", false),
    ("Disallow: *.jpg", "/a.jpg", true),
    // Not this format.
    ("<html>Disallow: /</html>", "/", false), ("Training: deny", "/", false), ("", "/", false),
  ]

  @Test("file types and paths", arguments: cases)
  func file(body: String, path: String, isRefused: Bool) throws {
    #expect(try Self.refuses(body, path) == isRefused)
  }
}
