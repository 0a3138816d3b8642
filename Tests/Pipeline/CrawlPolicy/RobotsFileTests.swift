import CrawlPolicy
import Testing

/// RFC 9309's own examples, and the cases that Google's parser is tested with, in own words.
@Suite struct RobotsFileTests {
  /// Whether an agent may fetch a path under a file.
  static func allows(_ robots: String, _ agent: String, _ path: String) throws -> Bool {
    var options = CrawlPolicy.Options()
    options.agentToken = agent
    let policy = try CrawlPolicy(options)
    let rules = policy.rules(
      for: .robotsTxt, answer: .body(Array(robots.utf8)), source: "https://a.example/robots.txt")
    return policy.refusal(path: path, rules: [rules]) == nil
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var robots: String
    var agent = "FooBot"
    var yes: [String] = []
    var no: [String] = []
    var testDescription: String { robots.split(separator: "\n").joined(separator: "⏎") }
  }

  // RFC 9309 §5.1.
  static let simple = """
    User-Agent: *
    Disallow: *.gif$
    Disallow: /example/
    Allow: /publications/

    User-Agent: foobot
    Disallow:/
    Allow:/example/page.html
    Allow:/example/allowed.gif

    User-Agent: barbot
    User-Agent: bazbot
    Disallow: /example/page.html

    User-Agent: quxbot
    """
  static let rfc: [Case] = [
    Case(
      robots: simple, agent: "foobot", yes: ["/example/page.html", "/example/allowed.gif"],
      no: ["/", "/publications/", "/example/", "/example/a.gif"]),
    Case(
      robots: simple, agent: "barbot", yes: ["/", "/a.gif", "/example/"],
      no: ["/example/page.html"]),
    Case(robots: simple, agent: "BAZBOT", yes: ["/example/"], no: ["/example/page.html"]),
    Case(robots: simple, agent: "quxbot", yes: ["/", "/a.gif", "/example/page.html"]),
    Case(
      robots: simple, agent: "other", yes: ["/", "/a.gif?x", "/publications/"],
      no: ["/a.gif", "/example/", "/example/page.html"]),
    // §5.2: the longest match.
    Case(
      robots: """
        User-Agent: foobot
        Allow: /example/page/
        Disallow: /example/page/disallowed.gif
        """, agent: "foobot", yes: ["/example/page/", "/example/page/a"],
      no: ["/example/page/disallowed.gif"]),
    // §2.2.1: groups for the same token are one.
    Case(
      robots: """
        user-agent: ExampleBot
        disallow: /foo
        disallow: /bar

        user-agent: other
        disallow: /qux

        user-agent: ExampleBot
        disallow: /baz
        """, agent: "examplebot", yes: ["/qux"], no: ["/foo", "/bar", "/baz"]),
    // §2.2.2: what is equal once spelled alike.
    Case(
      robots: """
        user-agent: *
        disallow: /q/bar?baz=https://foo.bar
        disallow: /j/ツ
        disallow: /k/%E3%83%84
        disallow: /l/%62%61%7A
        disallow: /m/a b
        disallow: /n%2fo
        """, yes: ["/n/o", "/q/bar?baz=http"],
      no: [
        "/q/bar?baz=https://foo.bar", "/q/bar?baz=https%3A%2F%2Ffoo.bar", "/j/%E3%83%84", "/j/ツ",
        "/j/%e3%83%84", "/k/ツ", "/k/%E3%83%84", "/l/baz", "/l/%62%61%7A", "/m/a%20b", "/n%2Fo",
      ]),
    // §2.2.3: special characters, and their encoded forms for the plain ones.
    Case(
      robots: """
        user-agent: *
        allow: /this/path/exactly$ # and not below
        disallow: /this/path
        disallow: /that/*/exactly
        disallow: /file-with-a-%2A.html
        disallow: /foo-%24
        """, yes: ["/this/path/exactly", "/that/exactly", "/file-with-a-x.html", "/foo-"],
      no: [
        "/this/path/exactly/", "/this/path", "/that/a/exactly", "/that/a/b/exactly.x",
        "/file-with-a-*.html", "/file-with-a-%2a.html", "/foo-$", "/foo-$x",
      ]),
    // §2.2.2: the file itself is always allowed; §2.2.4: other records end no group.
    Case(
      robots: """
        user-agent: a
        sitemap: https://a.example/s.xml
        crawl-delay: 3
        user-agent: foobot
        disallow: /
        """, yes: ["/robots.txt"], no: ["/", "/robots.txt?x", "/a"]),
  ]

  @Test("RFC 9309's examples", arguments: rfc)
  func examples(item: Case) throws { try check(item) }

  private func check(_ item: Case) throws {
    for path in item.yes { #expect(try Self.allows(item.robots, item.agent, path), "\(path)") }
    for path in item.no { #expect(try !Self.allows(item.robots, item.agent, path), "\(path)") }
  }

  static let groups = """
    allow: /foo/bar/

    user-agent: FooBot
    disallow: /
    allow: /x/
    user-agent: BarBot
    disallow: /
    allow: /y/


    allow: /w/
    user-agent: BazBot

    user-agent: FooBot
    allow: /z/
    disallow: /
    """
  static func named(_ user: String, _ allow: String, _ disallow: String) -> String {
    "\(user): FooBot\n\(allow): /x/\n\(disallow): /\n"
  }
  static func bound(_ rules: String) -> String { "user-agent: FooBot\n" + rules }
  static let google: [Case] = [
    Case(robots: "", yes: ["/", ""]),
    Case(robots: "user-agent: FooBot\ndisallow: /\n", no: ["", "/x/y"]),
    Case(robots: "foo: FooBot\nbar: /\n", yes: ["/x/y"]),
    Case(robots: "user-agent FooBot\ndisallow /\n", no: ["/x/y"]),
    Case(robots: groups, yes: ["/x/b", "/z/d"], no: ["/y/c", "/foo/bar/"]),
    Case(robots: groups, agent: "BarBot", yes: ["/y/c", "/w/a"], no: ["/z/d", "/foo/bar/"]),
    Case(robots: groups, agent: "BazBot", yes: ["/z/d"], no: ["/foo/bar/"]),
    Case(robots: named("USER-AGENT", "ALLOW", "DISALLOW"), yes: ["/x/y"], no: ["/a/b"]),
    Case(robots: named("uSeR-aGeNt", "AlLoW", "dIsAlLoW"), yes: ["/x/y"], no: ["/a/b"]),
    Case(robots: named("user agent", "allow", "dissalow"), yes: ["/x/y"], no: ["/a/b"]),
    Case(
      robots: "User-Agent: *\nDisallow: /\nUser-Agent: Foo Bar\nAllow: /x/\nDisallow: /\n",
      agent: "Foo", yes: ["/x/y"], no: ["/y"]),
    Case(robots: "user-agent: FooBot/2.1\ndisallow: /x", no: ["/x"]),
    Case(robots: "user-agent: *\nallow: /\nuser-agent: FooBot\ndisallow: /\n", no: ["/x/y"]),
    Case(
      robots: "user-agent: *\nallow: /\nuser-agent: FooBot\ndisallow: /\n", agent: "BarBot",
      yes: ["/x/y"]),
    Case(robots: "user-agent: BarBot\ndisallow: /\nuser-agent: Foo\ndisallow: /", yes: ["/x"]),
    Case(robots: bound("disallow: /X/"), yes: ["/x/y"], no: ["/X/y"]),
    Case(robots: bound("disallow: /x/page.html\nallow: /x/"), no: ["/x/page.html"]),
    Case(robots: bound("allow: /x/page.html\ndisallow: /x/"), yes: ["/x/page.html"], no: ["/x/"]),
    Case(robots: bound("disallow: \nallow: \n"), yes: ["/x/page.html"]),
    Case(robots: bound("disallow: /\nallow: /\n"), yes: ["/x/page.html"]),
    Case(robots: bound("disallow: /x\nallow: /x/\n"), yes: ["/x/"], no: ["/x"]),
    Case(robots: bound("disallow: /a*b\nallow: /a/b\n"), yes: ["/a/b"], no: ["/acb"]),
    Case(robots: bound("allow: /page\ndisallow: /*.html\n"), yes: ["/page"], no: ["/page.html"]),
    Case(
      robots: bound("allow: /x/page.\ndisallow: /*.html\n"), yes: ["/x/page.html"],
      no: ["/x/y.html"]),
    Case(
      robots: "User-agent: *\nDisallow: /x/\nUser-agent: FooBot\nDisallow: /y/\n",
      yes: ["/x/page"], no: ["/y/page"]),
    Case(
      robots: bound("Disallow: /\nAllow: /foo/bar?qux=taz&baz=http://foo.bar?tar&par\n"),
      yes: ["/foo/bar?qux=taz&baz=http://foo.bar?tar&par"], no: ["/foo/bar?qux"]),
    Case(
      robots: bound("Disallow: /foo/bar/quz\nAllow: /foo/*/qux\n"),
      yes: ["/foo/quz", "/foo//quz", "/foo/bax/quz"], no: ["/foo/bar/quz"]),
    Case(
      robots: bound("Disallow: /foo/bar$\nAllow: /foo/bar/qux\n"),
      yes: ["/foo/bar/qux", "/foo/bar/", "/foo/bar/baz"], no: ["/foo/bar"]),
    Case(
      robots: bound("# Disallow: /\nDisallow: /foo/quz#qux\nAllow: /\n"), yes: ["/foo/bar"],
      no: ["/foo/quz"]),
    // From Google's documentation, "URL matching based on path values".
    Case(
      robots: bound("disallow: /\nallow: /fish\n"),
      yes: [
        "/fish", "/fish.html", "/fish/salmon.html", "/fishheads/yummy.html", "/fish.html?id=a",
      ],
      no: ["/bar", "/Fish.asp", "/catfish", "/?id=fish"]),
    Case(
      robots: bound("disallow: /\nallow: /fish*\n"), yes: ["/fish", "/fishheads", "/fish?id=a"],
      no: ["/Fish.bar", "/catfish", "/?id=fish"]),
    Case(
      robots: bound("disallow: /\nallow: /fish/\n"), yes: ["/fish/", "/fish/?salmon", "/fish/a"],
      no: ["/fish", "/fish.html", "/Fish/Salmon.html"]),
    Case(
      robots: bound("disallow: /\nallow: /*.php\n"),
      yes: [
        "/filename.php", "/folder/any.php?parameters", "//folder/any.php.file.html", "/a.php/",
      ],
      no: ["/php/", "/index?php", "/windows.PHP"]),
    Case(
      robots: bound("disallow: /\nallow: /*.php$\n"),
      yes: ["/filename.php", "/folder/filename.php"],
      no: ["/filename.php?parameters", "/filename.php/", "/filename.php5", "/aaaphpaaa"]),
    Case(
      robots: bound("disallow: /\nallow: /fish*.php\n"),
      yes: ["/fish.php", "/fishheads/catfish.php?parameters"], no: ["/Fish.PHP"]),
    Case(robots: bound("allow: /p\ndisallow: /\n"), yes: ["/page"]),
    Case(robots: bound("allow: /folder\ndisallow: /folder\n"), yes: ["/folder/page"]),
    Case(robots: bound("allow: /page\ndisallow: /*.htm\n"), no: ["/page.htm"]),
    Case(robots: bound("allow: /$\ndisallow: /\n"), yes: ["/"], no: ["/page.html"]),
    // A byte order mark, whole or torn; elsewhere it spoils its line.
    Case(robots: "\u{FEFF}user-agent: FooBot\ndisallow: /", no: ["/"]),
    Case(robots: "user-agent: FooBot\n\u{FEFF}disallow: /", yes: ["/"]),
    Case(robots: "user-agent: FooBot\r\n\r\ndisallow: /a\rdisallow: /b\n", no: ["/a", "/b"]),
    Case(robots: " \tuser-agent \t:\t FooBot \ndisallow\t:/a \t# x", no: ["/a"]),
    // Not as Google: "index.html" is no other name of the folder; the RFC knows no such rule.
    Case(robots: bound("allow: /a/index.html\ndisallow: /"), yes: ["/a/index.html"], no: ["/a/"]),
    // Absolute URLs and words are no paths, and match none.
    Case(robots: bound("disallow: http://a.example/x\ndisallow: x"), yes: ["/x", "/http://a"]),
  ]

  @Test("what Google's parser is tested with", arguments: google)
  func googles(item: Case) throws { try check(item) }

  @Test("a torn byte order mark is passed over")
  func tornMark() throws {
    let policy = try CrawlPolicy(CrawlPolicy.Options())
    for mark in [[0xEF, 0xBB], [0xEF]] as [[UInt8]] {
      let body = mark + Array("user-agent: *\ndisallow: /".utf8)
      let rules = policy.rules(for: .robotsTxt, answer: .body(body), source: "")
      #expect(policy.refusal(path: "/", rules: [rules]) != nil)
    }
  }

  @Test("bytes behind 500 KiB do not count, nor does the line that is torn there")
  func cap() throws {
    let head = "user-agent: *\ndisallow: /first\n"
    let filler = "#" + String(repeating: "x", count: 512_000 - head.utf8.count - 13) + "\n"
    // "disallow: /" ends exactly at the cap; the rest of its line is lost.
    let torn = head + filler + "disallow: /" + "second\ndisallow: /third\n"
    #expect((head + filler + "disallow: /").utf8.count == 512_000)
    #expect(try Self.allows(torn, "a", "/second") && Self.allows(torn, "a", "/third"))
    #expect(try Self.allows(torn, "a", "/") && !Self.allows(torn, "a", "/first"))
  }

  @Test("a rule with no value binds nobody and still ends the run of agents")
  func emptyRule() throws {
    let robots = "user-agent: a\ndisallow:\nuser-agent: b\ndisallow: /"
    #expect(try Self.allows(robots, "a", "/") && !Self.allows(robots, "b", "/"))
  }

  @Test("tokens beyond the RFC's letters are matched whole", arguments: ["bot2", "my.bot"])
  func tokens(token: String) throws {
    #expect(try !Self.allows("user-agent: \(token)/1.0 x\ndisallow: /", token, "/"))
    #expect(try Self.allows("user-agent: bot\nuser-agent: my\ndisallow: /", token, "/"))
  }

  @Test(
    "crawl-delay takes decimals and knows bounds",
    arguments: [
      ("1", 1), ("0.5", 0.5), (" 2.25 # s", 2.25), ("1e9", nil), ("-1", nil), ("nan", nil),
      ("0", nil), ("99999999", 86_400), ("", nil), (".", nil), ("5s", nil),
    ] as [(String, Double?)])
  func crawlDelay(text: String, seconds: Double?) throws {
    let policy = try CrawlPolicy(CrawlPolicy.Options())
    let body = Array("user-agent: *\ncrawl-delay: \(text)".utf8)
    let rules = policy.rules(for: .robotsTxt, answer: .body(body), source: "")
    #expect(policy.crawlDelay([rules]) == seconds)
  }
}
