import FilterPlans
import Foundation
import PipelineCore
import SeededRandom
import Testing

@Suite struct BalanceTests {
  /// MetaCLIP's own matching, as its substr_matching.py has it.
  static func matches(_ caption: String, _ entries: [String]) -> [Int] {
    var text = " \(caption) "
    for mark in [",", ".", ";", ":", "?", "!", "`"] {
      text = text.replacing(mark, with: " \(mark) ")
    }
    for mark in ["\t", "\n", "\r"] { text = text.replacing(mark, with: " ") }
    return entries.indices.filter { Array(text.utf8).contains(Array(" \(entries[$0]) ".utf8)) }
  }

  @Test("frequent entries are thinned to about t, rare ones stay whole, and the rest goes")
  func thinning() throws {
    let entries = ["cat", "red cat", "sofa", "Paris", "the", "a b  c", "photo , by"]
    var random = RandomStream(seed: 4)
    let words = entries + ["Paris,", "red", "dog", "cats", "photo", "by"]
    var rows = ListedRows(uids: [])
    var captions: [String] = []
    for _ in 0..<6_000 {
      rows.uids.append(PairUID(high: random.next(), low: random.next()))
      captions.append(
        (0..<Int(random.next() % 4)).map { _ in
          words[Int(random.next() % UInt64(words.count))]
        }.joined(separator: [" ", "  ", "\t", ", "][Int(random.next() % 4)]))
    }
    rows.values = ["caption": .texts(captions)]
    let metadata = FileManager.default.temporaryDirectory.path + "/entries-\(UUID()).json"
    try JSONEncoder().encode(entries).write(to: URL(fileURLWithPath: metadata))
    defer { try? FileManager.default.removeItem(atPath: metadata) }
    func yaml(_ t: Int, _ seed: Int = 0) -> String {
      "rules: [balance: {metadata: \(metadata), t: \(t), seed: \(seed)}]"
    }
    let matched = captions.map { Self.matches($0, entries) }
    let holding = rows.uids.indices.filter { !matched[$0].isEmpty }.map { rows.uids[$0] }.sorted()
    // No entry has so many captions: what matches anything stays, and nothing else.
    #expect(try rows.kept(yaml(10_000)) == holding)
    let kept = Set(try rows.kept(yaml(50)))
    #expect(kept.isSubset(of: holding))
    #expect(try Set(rows.kept(yaml(50))) == kept)
    #expect(try Set(rows.kept(yaml(50, 1))) != kept)
    var tested: [String] = []
    for entry in entries.indices {
      let alone = rows.uids.indices.filter { matched[$0] == [entry] }
      // A red cat is a cat, too.
      guard alone.count > 30 else { continue }
      tested.append(entries[entry])
      let all = matched.count { $0.contains(entry) }
      let share = Double(alone.count { kept.contains(rows.uids[$0]) }) / Double(alone.count)
      let p = min(1, 50 / Double(all))
      // Five standard deviations of a binomial share: one failure in two million seeds, and the seed is fixed.
      let bound = 5 * (p * (1 - p) / Double(alone.count)).squareRoot()
      #expect(abs(share - p) <= bound, "\(entries[entry])")
    }
    #expect(Set(tested).isSuperset(of: ["cat", "sofa", "Paris", "the"]))
  }

  @Test("the order of entries does not matter, and one that is there twice counts once")
  func order() throws {
    let rows = EvaluatorTests.rows(3_000, seed: 8)
    func kept(_ entries: [String]) throws -> [Bool] {
      let plan = FilterPlan(rules: [
        PlanRule(
          .balance(
            CaptionBalance(
              column: ColumnChoice(["caption"]), metadata: MetadataEntries(entries), t: 100)))
      ])
      let outcome = try FilterEvaluator.evaluate(plan, over: rows)
      return rows.uids.indices.map { outcome.kept[$0] }
    }
    let first = try kept(["cat", "sofa", "the"])
    #expect(first.contains(true) && first.contains(false))
    #expect(try kept(["the", "cat", "sofa", "cat"]) == first)
  }

  @Test("a list of entries that is none is refused")
  func badMetadata() throws {
    for content in ["", "[1, 2]", "[\"a\""] {
      let path = FileManager.default.temporaryDirectory.path + "/entries-\(UUID())"
      try Data(content.utf8).write(to: URL(fileURLWithPath: path))
      defer { try? FileManager.default.removeItem(atPath: path) }
      #expect(throws: FilterPlanError.self) { try MetadataEntries(path: path) }
    }
  }
}
