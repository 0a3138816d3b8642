import CrawlPolicy
import Foundation
import SeededRandom
import Testing

@Suite struct HostListTests {
  static let list = ["example.org", ".below.test", "*.star.test", "Bücher.example", "192.0.2.1"]
  static let inside = [
    "example.org", "EXAMPLE.ORG", "example.org.", "below.test", "a.below.test", "a.b.Below.Test.",
    "star.test", "x.star.test", "xn--bcher-kva.example", "BÜCHER.example", "bücher。example",
    "192.0.2.1",
  ]
  static let outside = [
    "www.example.org", "org", "xbelow.test", "test", "below.test.x", "192.0.2.2", "2.192.0.2.1", "",
    ".", "..", "a..below.test", "bucher.example", "example.org/", "user@example.org",
  ]

  @Test("names, what is below names, and addresses are found in any spelling", arguments: inside)
  func found(host: String) throws {
    #expect(try HostList(Self.list, name: "l").contains(host))
  }

  @Test("others are not", arguments: outside)
  func notFound(host: String) throws {
    #expect(try !HostList(Self.list, name: "l").contains(host))
  }

  @Test("IPv6 addresses equal each other in every notation")
  func addresses() throws {
    let list = try HostList(["[2001:DB8::0:1]"], name: "l")
    #expect(list.contains("2001:db8::1") && list.contains("[2001:db8:0:0:0:0:0:1]"))
    #expect(!list.contains("2001:db8::2"))
  }

  // RFC 3492 §7.1: (A) Arabic, (B) Chinese, (D) Czech, (L) and (Q) Japanese, (K) Vietnamese, and
  // labels of the registries' own examples.
  static let punycode: [(String, String)] = [
    ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"),
    ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
    ("pročprostěnemluvíčesky", "proprostnemluvesky-uyb24dma41a"),
    ("tạisaohọkhôngthểchỉnóitiếngviệt", "tisaohkhngthchnitingvit-kjcr8268qyxafd2f1b9g"),
    ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"),
    ("ひとつ屋根の下2", "2-u9tlzr9756bt3uc0v"),
    ("bücher", "bcher-kva"), ("münchen", "mnchen-3ya"), ("ü", "tda"), ("😀", "e28h"),
  ]

  @Test("Punycode as RFC 3492 §7.1 has it", arguments: punycode)
  func encodes(label: String, encoded: String) {
    #expect(Punycode.encode(Array(label.unicodeScalars)) == encoded)
    #expect(HostName.normalized(label + ".example") == "xn--\(encoded).example")
  }

  @Test("a list's text has comments, empty lines, CRLF and a byte order mark")
  func text() throws {
    let text = "\u{FEFF}# top\r\na.test # one\r\n\r\n  .b.test  \n#\nc.test"
    let list = try HostList(text: Array(text.utf8), name: "hosts.txt")
    #expect(list.count == 3)
    #expect(list.contains("a.test") && list.contains("x.b.test") && list.contains("c.test"))
  }

  @Test(
    "what is no host is named with its line",
    arguments: ["a b", "http://a.test", "a.test:80", "*", ".", "a..b", "*.*.a", "a/b", "-\u{1}"])
  func wrong(entry: String) {
    #expect(throws: CrawlPolicyError(.host(entry), list: "l", line: 2)) {
      try HostList(text: Array("ok.test\n\(entry)\n".utf8), name: "l")
    }
    #expect(throws: CrawlPolicyError(.host(entry), list: "l")) { try HostList([entry], name: "l") }
  }

  @Test("an entry @PATH reads a file; a missing one is an error that names it")
  func file() throws {
    let path = FileManager.default.temporaryDirectory.path + "/hosts-\(UUID().uuidString)"
    try Data("a.test\n.b.test\n".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    var options = CrawlPolicy.Options()
    options.denyHosts = ["c.test", "@" + path]
    let policy = try CrawlPolicy(options)
    for host in ["a.test", "x.b.test", "c.test"] { #expect(policy.refusal(host: host) != nil) }
    #expect(policy.refusal(host: "d.test") == nil)
    options.denyHosts = ["@" + path + ".none"]
    let error = #expect(throws: CrawlPolicyError.self) { try CrawlPolicy(options) }
    #expect(error?.list == path + ".none")
  }

  @Test("100,000 entries equal a Set's answers")
  func many() throws {
    var random = RandomStream(seed: 11)
    var names: Set<String> = []
    var text = ""
    for _ in 0..<100_000 {
      let name = "h\(random.integer(below: 200_000)).\(random.integer(below: 40)).test"
      names.insert(name)
      text += name + "\n"
    }
    let list = try HostList(text: Array(text.utf8), name: "l")
    #expect(list.count == names.count)
    for index in 0..<200_000 {
      let name = "h\(index).\(index % 40).test"
      #expect(list.contains(name) == names.contains(name))
    }
  }

  @Test("Punycode equals Python's codec on random labels, see Fixtures/make_punycode.py")
  func python() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/punycode.json")
    let labels = try JSONDecoder().decode([[String]].self, from: Data(contentsOf: file))
    #expect(labels.count == 400)
    for label in labels { #expect(Punycode.encode(Array(label[0].unicodeScalars)) == label[1]) }
  }

  @Test(
    "5 million entries take at most 300 MB besides their text",
    .enabled(if: ProcessInfo.processInfo.environment["PAIRLOOM_LARGE"] != nil))
  func large() throws {
    var text: [UInt8] = []
    for index in 0..<5_000_000 { text += Array("host-\(index).example.org\n".utf8) }
    let before = try HashBlocklistTests.peakKilobytes()
    let list = try HostList(text: text, name: "l")
    #expect(list.count == 5_000_000 && list.contains("host-4999999.example.org"))
    #expect(try HashBlocklistTests.peakKilobytes() - before < 300_000)
  }

  @Test("random hosts and labels of any length do not trap")
  func random() {
    var random = RandomStream(seed: 12)
    for _ in 0..<20_000 {
      let scalars = (0..<random.integer(below: 70)).compactMap { _ in
        Unicode.Scalar(
          UInt32(random.integer(below: random.integer(below: 2) == 0 ? 128 : 0x11_0000)))
      }
      let host = String(String.UnicodeScalarView(scalars))
      if let normal = HostName.normalized(host) {
        #expect(HostName.normalized(normal) == normal, "\(host)")
      }
    }
  }
}
