import CrawlPolicy
import Foundation
import Testing

@Suite struct CrawlPolicyTests {
  static func policy(
    _ profile: CrawlPolicy.Profile, _ change: (inout CrawlPolicy.Options) -> Void = { _ in }
  ) throws -> CrawlPolicy {
    var options = CrawlPolicy.Options()
    options.profile = profile
    change(&options)
    return try CrawlPolicy(options)
  }

  /// A header line, and under which profiles it refuses.
  static let headers: [(String, String, Set<CrawlPolicy.Profile>)] = [
    ("X-Robots-Tag", "noai", [.strict, .tdmEU, .img2dataset]),
    ("x-robots-tag", "NoImageAI", [.strict, .tdmEU, .img2dataset]),
    ("X-Robots-Tag", "googlebot: noai", [.strict, .tdmEU]),
    ("X-Robots-Tag", "noindex", [.strict, .img2dataset]),
    ("X-Robots-Tag", "pairloom: noindex", [.strict, .img2dataset]),
    ("X-Robots-Tag", "googlebot: noindex", []),
    ("X-Robots-Tag", "none", [.strict]),
    ("X-Robots-Tag", "max-snippet:0, noai", [.strict, .tdmEU]),
    ("X-Robots-Tag", "unavailable_after: 25 Jun 2010 15:00:00 PST, noai", [.strict, .tdmEU]),
    ("X-Robots-Tag", "unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT", []),
    ("X-Robots-Tag", "all", []),
    ("TDM-Reservation", "1", [.strict, .tdmEU]),
    ("tdm-reservation", "0", []),
    ("Content-Usage", "train-ai=n", [.strict, .tdmEU]),
    ("content-usage", "train-ai=y", []),
    ("Content-Usage", "train-ai=n oops", []),
    ("Content-Type", "noai", []),
  ]

  @Test("which header refuses under which profile", arguments: headers)
  func header(name: String, value: String, profiles: Set<CrawlPolicy.Profile>) throws {
    for profile in CrawlPolicy.Profile.allCases {
      let evidence = try Self.policy(profile)
        .refusal(headers: [("Server", "x"), (name, value)], source: "https://a.example/b.jpg")
      #expect((evidence != nil) == profiles.contains(profile), "\(profile)")
      guard let evidence else { continue }
      #expect(evidence.text == "\(name.lowercased()): \(value)")
      #expect(evidence.source == "https://a.example/b.jpg")
    }
  }

  @Test("all lines of a header count, and Content-Usage lines are one field")
  func lines() throws {
    let policy = try Self.policy(.strict)
    let tags = [("X-Robots-Tag", "all"), ("X-Robots-Tag", "nofollow, noai")]
    #expect(policy.refusal(headers: tags, source: "")?.text == "x-robots-tag: nofollow, noai")
    let usage = [("Content-Usage", "train-ai=n"), ("Content-Usage", "train-ai=y")]
    #expect(policy.refusal(headers: usage, source: "") == nil)
    #expect(policy.refusal(headers: usage.reversed(), source: "")?.rule == .contentUsageHeader)
    let torn = [("Content-Usage", "train-ai=n"), ("Content-Usage", "?")]
    #expect(policy.refusal(headers: torn, source: "") == nil)
    let terms = [("tdm-reservation", "1"), ("tdm-policy", "https://a.example/p.json")]
    let evidence = policy.refusal(headers: terms, source: "")
    #expect(evidence?.rule == .tdmHeader)
    #expect(evidence?.text == "tdm-reservation: 1; tdm-policy: https://a.example/p.json")
  }

  /// Random lines with img2dataset's verdict, see Fixtures/make_img2dataset.py.
  private struct Reference: Decodable {
    var token: String
    var directives: [String]?
    var lines: [String]
    var isRefused: Bool

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      token = try container.decode(String.self)
      directives = try container.decodeIfPresent([String].self)
      lines = try container.decode([String].self)
      isRefused = try container.decode(Bool.self)
    }
  }

  @Test("the profile img2dataset decides as img2dataset does on random lines")
  func img2dataset() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/img2dataset.json")
    let cases = try JSONDecoder().decode([Reference].self, from: Data(contentsOf: file))
    #expect(cases.count == 1_500)
    for item in cases {
      let policy = try Self.policy(.img2dataset) {
        $0.agentToken = item.token
        if let directives = item.directives { $0.disallowedDirectives = directives }
      }
      let evidence = policy.refusal(
        headers: item.lines.map { ("X-Robots-Tag", $0) }, source: "")
      #expect((evidence != nil) == item.isRefused, "\(item)")
    }
  }

  @Test("only strict and tdm-eu ask origins, and obey their files")
  func origins() throws {
    for profile in CrawlPolicy.Profile.allCases {
      let policy = try Self.policy(profile)
      let obeys = profile == .strict || profile == .tdmEU
      #expect(policy.originFiles == (obeys ? OriginFile.allCases : []))
      let body = Array("user-agent: *\ndisallow: /\ncrawl-delay: 2".utf8)
      let rules = policy.rules(for: .robotsTxt, answer: .body(body), source: "")
      #expect((policy.refusal(path: "/a", rules: [rules]) != nil) == obeys)
      #expect(policy.crawlDelay([rules]) == (obeys ? 2 : nil))
    }
  }

  @Test("4xx allows all; an unreachable robots.txt disallows all but itself, other files nothing")
  func answers() throws {
    let policy = try Self.policy(.strict)
    for file in OriginFile.allCases {
      let gone = policy.rules(for: file, answer: .unavailable, source: "s")
      #expect(policy.refusal(path: "/a", rules: [gone]) == nil)
      let dead = policy.rules(for: file, answer: .unreachable, source: "s")
      let evidence = policy.refusal(path: "/a", rules: [dead])
      #expect(evidence.map(\.rule) == (file == .robotsTxt ? .robotsTxt : nil))
      #expect(evidence.map(\.source) == (file == .robotsTxt ? "s" : nil))
      #expect(policy.refusal(path: "/robots.txt", rules: [dead]) == nil)
    }
  }

  @Test("the evidence is the deciding line as it was sent, at most 500 bytes of whole characters")
  func evidence() throws {
    let policy = try Self.policy(.strict)
    func text(_ robots: String, _ path: String) -> String? {
      let rules = policy.rules(for: .robotsTxt, answer: .body(Array(robots.utf8)), source: "s")
      return policy.refusal(path: path, rules: [rules])?.text
    }
    let head = "user-agent: *\nallow: /\n"
    #expect(text(head + "  Disallow :  /a*b # why\r\n", "/a/b") == "Disallow :  /a*b # why")
    #expect(text(head + "disallow: /ü", "/%c3%bc") == "disallow: /ü")
    for padding in 0..<4 {
      let line =
        "disallow: /" + String(repeating: "a", count: padding)
        + String(repeating: "ツ", count: 400)
      let path =
        "/" + String(repeating: "a", count: padding)
        + String(repeating: "%E3%83%84", count: 400)
      let shown = try #require(text(head + line, path))
      #expect(line.hasPrefix(shown) && (498...500).contains(shown.utf8.count))
    }
    let long = String(repeating: "ü", count: 9_999)
    let header = policy.refusal(headers: [("x-robots-tag", "noai, " + long)], source: long)
    #expect(header?.text.utf8.count == 500 && header?.source.utf8.count == 500)
  }

  @Test("denied hosts are refused under every profile, and allowed ones shut out the rest")
  func hosts() throws {
    for profile in CrawlPolicy.Profile.allCases {
      let policy = try Self.policy(profile) {
        $0.allowHosts = [".example.org", "a.test"]
        $0.denyHosts = ["*.bad.example.org"]
      }
      #expect(policy.refusal(host: "example.org") == nil)
      #expect(policy.refusal(host: "A.TEST.") == nil)
      let denied = policy.refusal(host: "x.bad.example.org")
      #expect(denied?.rule == .hostList && denied?.source == "denyHosts")
      #expect(denied?.text == ".bad.example.org")
      #expect(policy.refusal(host: "b.test")?.source == "allowHosts")
      #expect(policy.refusal(host: "") != nil)
    }
    #expect(try Self.policy(.strict).refusal(host: "any.test") == nil)
  }

  @Test(
    "a token that could not stand in a User-agent line is refused", arguments: ["", "a b", "*"])
  func token(text: String) {
    #expect(throws: CrawlPolicyError(.agentToken(text), list: "agentToken")) {
      try Self.policy(.strict) { $0.agentToken = text }
    }
  }

  @Test("options and profiles have stable names")
  func names() throws {
    #expect(
      CrawlPolicy.Profile.allCases.map(\.rawValue) == ["strict", "tdm-eu", "img2dataset", "off"])
    var options = CrawlPolicy.Options()
    options.profile = .tdmEU
    options.denyHosts = ["a.test"]
    let data = try JSONEncoder().encode(options)
    #expect(try JSONDecoder().decode(CrawlPolicy.Options.self, from: data) == options)
  }
}
