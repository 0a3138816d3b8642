import CrawlPolicy
import Foundation
import Testing

@Suite struct ContentUsageTests {
  /// A random field and what http_sfv reads in it, see Fixtures/make_dictionaries.py.
  private struct Reference: Decodable {
    var field: String
    var members: [String: StructuredDictionary.Value]?

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      field = try container.decode(String.self)
      let pairs = try container.decodeIfPresent([[String?]].self)
      members = pairs.map { pairs in
        var members: [String: StructuredDictionary.Value] = [:]
        for pair in pairs { members[pair[0] ?? ""] = pair[1].map { .token($0) } ?? .other }
        return members
      }
    }
  }

  @Test("dictionaries are read, or refused, as http_sfv does it on random fields")
  func dictionaries() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/dictionaries.json")
    let cases = try JSONDecoder().decode([Reference].self, from: Data(contentsOf: file))
    #expect(cases.count > 2_000)
    for item in cases {
      #expect(StructuredDictionary.parse(Array(item.field.utf8)) == item.members, "\(item.field)")
    }
  }

  static let statements: [(String, ContentUsage.Preference)] = [
    // draft-ietf-aipref-vocab's examples.
    ("train-ai=y, search=n", .allowed),
    ("train-ai=n", .disallowed),
    ("train-ai=y, train-ai, search=n, search=\"n\"", .unknown),
    ("train-ai;allow=n, train-ai=y", .allowed),
    ("train-ai;has;parameters=\"?\"", .unknown),
    ("train-ai=n;exceptions=cc-cr", .disallowed),
    ("search=n", .unknown),
    // The last of a repeated key holds.
    ("train-ai=y, train-ai=n", .disallowed),
    ("train-ai=n, train-ai=y", .allowed),
    // Earlier revisions' labels.
    ("ai=n", .disallowed), ("genai=n", .disallowed), ("train-genai=n", .disallowed),
    ("tdm=n", .disallowed), ("bots=n", .disallowed), ("all=n", .disallowed), ("all=y", .allowed),
    // What is about training goes before what is about everything, and a no before a yes.
    ("tdm=n, train-ai=y", .allowed), ("tdm=y, ai=n", .disallowed),
    ("train-ai=y, train-genai=n", .disallowed),
    // Case counts, and one wrong byte makes the whole void.
    ("TRAIN-AI=n", .unknown), ("train-ai=N", .unknown), ("train-ai=n,", .unknown),
    ("train-ai=n; X", .unknown), ("train-ai = n", .unknown), ("train-ai=n ai-use=n", .unknown),
    ("train-ai=n, a=1.", .unknown), ("train-ai=n, a=1.0", .disallowed),
    ("", .unknown), ("  train-ai=n  ", .disallowed), ("new=(a b);p, train-ai=n", .disallowed),
  ]

  @Test("statements of preference", arguments: statements)
  func statement(text: String, preference: ContentUsage.Preference) {
    #expect(ContentUsage.training(Array(text.utf8)) == preference)
  }

  /// The rule that refuses under a robots.txt, or nil.
  static func rule(_ robots: String, _ path: String) throws -> PolicyEvidence.Rule? {
    let policy = try CrawlPolicy(CrawlPolicy.Options())
    let rules = policy.rules(for: .robotsTxt, answer: .body(Array(robots.utf8)), source: "r")
    return policy.refusal(path: path, rules: [rules])?.rule
  }

  // draft-ietf-aipref-attach, "Example robots.txt file" and its table.
  static let example = """
    User-Agent: *
    Allow: /
    Disallow: /never/
    Content-Usage: train-ai=n
    Content-Usage: /ai-ok/ train-ai=y

    User-Agent: ExampleBot
    Allow: /
    Content-Usage: train-ai=y
    """

  /// Cloudflare's managed robots.txt, shortened, and what else is seen.
  static let signals: [(String, String, Bool)] = [
    ("user-agent: *\nContent-Signal: search=yes,ai-train=no\nAllow: /", "/a", true),
    ("user-agent: *\nContent-signal: AI-Train = No , search=yes # x", "/a", true),
    ("user-agent: *\ncontent-signal: search=no, ai-input=no", "/a", false),
    ("user-agent: *\ncontent-signal: ai-train=yes", "/a", false),
    ("user-agent: *\ncontent-signal: /b ai-train=no", "/a", false),
    ("user-agent: *\ncontent-signal: /b ai-train=no", "/b/a", true),
    ("user-agent: other\ncontent-signal: ai-train=no", "/a", false),
    ("user-agent: *\ncontent-usage: train-ai=y\ncontent-signal: ai-train=no", "/a", true),
  ]

  @Test("Content-Signal lines of robots.txt", arguments: signals)
  func signal(robots: String, path: String, isRefused: Bool) throws {
    #expect(try Self.rule(robots, path) == (isRefused ? .contentUsageRobots : nil))
  }

  @Test("the draft's robots.txt is read as its table says")
  func draft() throws {
    #expect(try Self.rule(Self.example, "/test") == .contentUsageRobots)
    #expect(try Self.rule(Self.example, "/never/test") == .robotsTxt)
    #expect(try Self.rule(Self.example, "/ai-ok/test") == nil)
    let named = Self.example.replacingOccurrences(of: "ExampleBot", with: "Pairloom")
    #expect(try Self.rule(named, "/test") == nil)
  }

  @Test("Content-Usage lines end a run of agents, carry paths, and a no wins among equals")
  func lines() throws {
    let run = "user-agent: pairloom\ncontent-usage: train-ai=n\nuser-agent: b\ndisallow: /"
    #expect(try Self.rule(run, "/") == .contentUsageRobots)
    let equals = "user-agent: *\ncontent-usage: /a train-ai=y\ncontent-usage: /a train-ai=n"
    #expect(try Self.rule(equals, "/a/b") == .contentUsageRobots)
    #expect(try Self.rule(equals, "/b") == nil)
    let wild = "user-agent: *\n Content-Usage\t: /*.jpg$\t train-ai=n # no"
    #expect(try Self.rule(wild, "/x/a.jpg") == .contentUsageRobots)
    #expect(try Self.rule(wild, "/x/a.jpg?w") == nil)
    // Silence about training, and what cannot be read, undo no stated no.
    let silent = "user-agent: *\ncontent-usage: train-ai=n\ncontent-usage: /a/ search=y\n"
    #expect(try Self.rule(silent, "/a/b") == .contentUsageRobots)
    #expect(try Self.rule("content-usage: train-ai=n", "/") == nil)
  }
}
