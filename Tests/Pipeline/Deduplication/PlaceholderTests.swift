import Deduplication
import PipelineCore
import Testing

@Suite("Placeholders") struct PlaceholderTests {
  private static func pair(_ row: Int, _ url: String, _ caption: String) -> JudgedPair {
    JudgedPair(
      row: row, uid: "\(row)", sha256: "", signature: nil, caption: caption, url: url, quality: 0)
  }

  /// Row 0 leads rows 1 to 3, row 4 is alone.
  private static let pairs = [
    pair(0, "https://a.org/x", "A cat"), pair(1, "https://b.org/x", "a  cat"),
    pair(2, "HTTPS://B.org:443/x", ""), pair(3, "https://c.org/x?y", "A dog"),
    pair(4, "https://d.org/x", "A bird"),
  ]
  private static let verdicts = pairs.map { pair in
    Verdict(
      row: pair.row, sha256: "",
      drop: (1...3).contains(pair.row) ? Drop(.duplicatePicture, survivor: 0) : nil)
  }

  @Test(
    "distinct captions, URLs and hosts count, each for itself",
    arguments: [
      (PlaceholderRule(captions: 2), "under 2 captions"), (.init(captions: 3), nil),
      (.init(urls: 3), "under 3 URLs"), (.init(urls: 4), nil),
      (.init(hosts: 3), "under 3 hosts"), (.init(hosts: 4), nil),
      (.init(captions: 9, urls: 2, hosts: 2), "under 3 URLs, 3 hosts"),
    ] as [(PlaceholderRule, String?)])
  func counts(_ rule: PlaceholderRule, _ words: String?) {
    var rules = DuplicateRules(kind: .near)
    rules.placeholders = rule
    var groups = PlaceholderGroups(rules)
    // A retry's pairs come later, and are of the group all the same.
    groups.add(Array(Self.pairs[..<2]), Array(Self.verdicts[..<2]))
    groups.add(Array(Self.pairs[2...]), Array(Self.verdicts[2...]))
    let rows = words.map { words in Dictionary(uniqueKeysWithValues: (0..<4).map { ($0, words) }) }
    #expect(groups.rows == rows ?? [:])
  }
}
