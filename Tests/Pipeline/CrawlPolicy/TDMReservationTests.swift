import CrawlPolicy
import Foundation
import Testing

@Suite struct TDMReservationTests {
  static func rules(_ body: String) throws -> OriginRules {
    let policy = try CrawlPolicy(CrawlPolicy.Options())
    return policy.rules(
      for: .tdmReservation, answer: .body(Array(body.utf8)), source: "https://a.example/tdm")
  }

  static func evidence(_ body: String, _ path: String) throws -> PolicyEvidence? {
    try CrawlPolicy(CrawlPolicy.Options()).refusal(path: path, rules: [rules(body)])
  }

  // The report's example of three groups of files.
  static let three = """
    [
      { "location": "/directory-a/", "tdm-reservation": 1 },
      { "location": "/directory-b/html/", "tdm-reservation": 1,
        "tdm-policy": "https://provider.com/policies/policy.json" },
      { "location": "/directory-b/images/*.jpg", "tdm-reservation": 0 }
    ]
    """
  static func one(_ location: String, _ reservation: String = "1") -> String {
    #"[{"location": "\#(location)", "tdm-reservation": \#(reservation)}]"#
  }
  /// File, path, whether the rights are reserved.
  static let cases: [(String, String, Bool)] = [
    (one("/"), "/", true), (one("/"), "/a/b.jpg?c", true), (one("*"), "/a", true),
    (three, "/directory-a/x.pdf", true), (three, "/directory-b/html/a", true),
    (three, "/directory-b/images/a.jpg", false), (three, "/other", false),
    (one("/a$"), "/a", true), (one("/a$"), "/a/b", false), (one("/A"), "/a", false),
    (one("/path/foo-%24"), "/path/foo-$", true), (one("/%61"), "/a", true),
    // The number as text; all else is a protocol error, and unset.
    (one("/", #""1""#), "/", true), (one("/", "0"), "/", false), (one("/", "2"), "/", false),
    (one("/", "true"), "/", false), (one("/", "null"), "/", false), (one("/", "[1]"), "/", false),
    (one("/", "1.0"), "/", true), (one(""), "/", false),
    // Neighbours of a bad rule hold.
    (#"[7, null, {"location": 3}, {"location":"/","tdm-reservation":1}]"#, "/", true),
    // First in sequence, or the longest: either reserves.
    (#"[{"location":"/","tdm-reservation":1},{"location":"/a","tdm-reservation":0}]"#, "/a", true),
    (#"[{"location":"/a","tdm-reservation":0},{"location":"/","tdm-reservation":1}]"#, "/a", false),
    (#"[{"location":"/","tdm-reservation":0},{"location":"/a","tdm-reservation":1}]"#, "/a", true),
    (#"[{"location":"/","tdm-reservation":0},{"location":"/a","tdm-reservation":1}]"#, "/b", false),
    ("[]", "/", false),
  ]

  @Test("locations of tdmrep.json", arguments: cases)
  func location(body: String, path: String, isReserved: Bool) throws {
    let evidence = try Self.evidence(body, path)
    #expect(evidence.map(\.rule) == (isReserved ? .tdmFile : nil))
    #expect(try Self.rules(body).problem == nil)
  }

  @Test(
    "a file that is no array reserves nothing, and is remembered",
    arguments: [
      "", "{", "<html></html>", #"{"location": "/", "tdm-reservation": 1}"#, "[1", "7",
      String(repeating: "[", count: 100_000),
      "[" + String(repeating: " ", count: 512_000) + "]",
    ])
  func malformed(body: String) throws {
    let rules = try Self.rules(body)
    #expect(rules.problem != nil)
    #expect(try Self.evidence(body, "/") == nil)
  }

  @Test(
    "strings are RFC 8259's, escapes and all",
    arguments: [
      (#"/a\u00fc\/\t"#, "/aü/\t"), (#"/\ud83d\ude00"#, "/😀"), (#"/\ud83d"#, "/\u{FFFD}"),
      ("/ü", "/ü"),
      (#"/\x"#, nil), (#"/\u12g4"#, nil), (#"/\"#, nil), ("/\n", nil), ("/\t", nil),
    ] as [(String, String?)])
  func strings(written: String, read: String?) {
    let rules = try? TDMFileReader.rules(Array(Self.one(written).utf8))
    #expect(rules?.first?.location == read)
  }

  /// A mutated file and the rules that Python reads in it, see Fixtures/make_tdmrep.py.
  private struct Reference: Decodable {
    var text: String
    var rules: [TDMFileReader.Rule]?

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      text = try container.decode(String.self)
      guard try !container.decodeNil() else { return }
      var list = try container.nestedUnkeyedContainer()
      var found: [TDMFileReader.Rule] = []
      while !list.isAtEnd {
        var rule = try list.nestedUnkeyedContainer()
        found.append(
          TDMFileReader.Rule(
            location: try rule.decode(String.self), reservation: try rule.decode(Int.self),
            policy: try rule.decodeIfPresent(String.self)))
      }
      rules = found
    }
  }

  @Test("mutated files are read, or refused, as Python's json does it")
  func mutated() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/tdmrep.json")
    let cases = try JSONDecoder().decode([Reference].self, from: Data(contentsOf: file))
    #expect(cases.count == 3_000)
    for item in cases {
      let found = try? TDMFileReader.rules(Array(item.text.utf8))
      #expect(found == item.rules, "\(item.text)")
    }
  }

  @Test("the evidence is the rule with its policy")
  func evidence() throws {
    let evidence = try Self.evidence(Self.three, "/directory-b/html/a")
    #expect(evidence?.source == "https://a.example/tdm")
    #expect(
      evidence?.text == #"{"location":"/directory-b/html/","tdm-reservation":1,"#
        + #""tdm-policy":"https://provider.com/policies/policy.json"}"#)
  }

  @Test(
    "the header's values",
    arguments: [
      ("1", true), (" 1 ", true), ("1, 1", true), ("0, 1", true), ("1; x", true), ("0", false),
      ("", false), ("11", false), ("true", false), ("-1", false),
    ])
  func header(value: String, isReserved: Bool) {
    #expect(TDMReservation.reserves(value) == isReserved)
  }
}
