import FilterPlans
import PipelineCore
import SeededRandom
import Testing

@Suite struct EvaluatorTests {
  static let words = [
    "a", "red", "cat", "on", "the", "sofa", "Straße", "犬", "über", "in", "Paris,", "photo",
  ]

  /// Pairs with captions, scores that often are equal, and missing values.
  static func rows(_ count: Int, seed: UInt64) -> ListedRows {
    var random = RandomStream(seed: seed)
    func draw(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    var rows = ListedRows(uids: [])
    var scores: [Double?] = []
    var captions: [String?] = []
    var widths: [Double?] = []
    var heights: [Double?] = []
    for _ in 0..<count {
      rows.uids.append(PairUID(high: random.next(), low: random.next()))
      switch draw(20) {
      case 0: scores.append(nil)
      case 1: scores.append(.nan)
      case 2: scores.append(-0.0)
      default: scores.append(Double(draw(40) - 10) / 20)
      }
      captions.append(
        draw(30) == 0
          ? nil
          : (0..<draw(7)).map { _ in words[draw(words.count)] }
            .joined(separator: [" ", "  ", "\u{3000}", "\n"][draw(4)]))
      widths.append(draw(25) == 0 ? nil : Double(draw(600)))
      heights.append(Double(draw(600)))
    }
    rows.values = [
      "score": .numbers(scores), "caption": .texts(captions), "original_width": .numbers(widths),
      "original_height": .numbers(heights),
    ]
    return rows
  }

  static func number(_ rows: ListedRows, _ name: String, _ index: Int) -> Double? {
    guard case .numbers(let values)? = rows.values[name] else { return nil }
    return values[index].flatMap { $0.isNaN ? nil : $0 }
  }

  static func caption(_ rows: ListedRows, _ index: Int) -> String? {
    guard case .texts(let values)? = rows.values["caption"] else { return nil }
    return values[index]
  }

  /// What a rule should keep, pair by pair.
  static func expected(_ rows: ListedRows, _ holds: (Int) -> Bool?) -> [PairUID] {
    rows.uids.indices.filter { holds($0) == true }.map { rows.uids[$0] }.sorted()
  }

  @Test(
    "each rule keeps what a loop over the pairs keeps; a null passes none of them, nor its negation"
  )
  func rules() throws {
    let rows = Self.rows(3_000, seed: 1)
    func score(_ index: Int) -> Double? { Self.number(rows, "score", index) }
    func caption(_ index: Int) -> String? { Self.caption(rows, index) }
    func sides(_ index: Int) -> (Double, Double)? {
      guard let width = Self.number(rows, "original_width", index),
        let height = Self.number(rows, "original_height", index)
      else { return nil }
      return (min(width, height), max(width, height))
    }
    let cases: [(String, (Int) -> Bool?)] = [
      ("min: {column: score, value: 0.25}", { score($0).map { $0 >= 0.25 } }),
      ("max: {column: score, value: 0}", { score($0).map { $0 <= 0 } }),
      ("not: {max: {column: score, value: 0}}", { score($0).map { $0 > 0 } }),
      (
        "between: {column: score, from: -0.1, to: 0.5}",
        { score($0).map { $0 >= -0.1 && $0 <= 0.5 } }
      ),
      ("equals: {column: score, value: 0.5}", { score($0).map { $0 == 0.5 } }),
      ("one_of: {column: score, values: [0, 1]}", { score($0).map { $0 == 0 || $0 == 1 } }),
      ("is_null: score", { score($0) == nil }), ("not: {is_null: score}", { score($0) != nil }),
      ("contains: {column: caption, text: cat}", { caption($0)?.contains("cat") }),
      (
        "caption: {min_words: 3}",
        { caption($0).map { $0.split { $0.isWhitespace }.count >= 3 } }
      ),
      (
        "caption: {max_characters: 12}", { caption($0).map { $0.unicodeScalars.count <= 12 } }
      ),
      (
        "caption: {charset: ascii}",
        { caption($0).map { !$0.contains("Straße") && !$0.contains("犬") && !$0.contains("über") } }
      ),
      ("picture: {min_side: 200}", { sides($0).map { $0.0 >= 200 } }),
      ("picture: {max_aspect: 3}", { sides($0).map { $0.0 > 0 && $0.1 / $0.0 <= 3 } }),
      (
        "any: [{min: {column: score, value: 0.5}}, {picture: {min_side: 300}}]",
        { index in
          let (a, b) = (score(index).map { $0 >= 0.5 }, sides(index).map { $0.0 >= 300 })
          return a == true || b == true
        }
      ),
      (
        "not: {all: [{min: {column: score, value: 0.5}}, {picture: {min_side: 300}}]}",
        { index in
          let (a, b) = (score(index).map { $0 >= 0.5 }, sides(index).map { $0.0 >= 300 })
          return a == false || b == false
        }
      ),
    ]
    for (rule, holds) in cases {
      #expect(try rows.kept("rules:\n  - \(rule)") == Self.expected(rows, holds), "\(rule)")
    }
  }

  @Test("a share keeps what sorting keeps, for every treatment of ties", arguments: 0..<40)
  func shares(_ seed: UInt64) throws {
    let rows = Self.rows(Int(seed) * 17, seed: seed)
    let fraction = [0, 0.1, 0.3, 0.5, 0.77, 1][Int(seed) % 6]
    let count = rows.uids.count
    let sorted = rows.uids.indices.compactMap { index in
      Self.number(rows, "score", index).map { (score: $0, uid: rows.uids[index]) }
    }.sorted { (-$0.score, $0.uid) < (-$1.score, $1.uid) }
    let wanted = Int((fraction * Double(count) - 1e-9).rounded(.up))
    let yaml = "rules: [top_fraction: {column: score, fraction: \(fraction), ties: "
    #expect(
      try rows.kept(yaml + "uid}]") == sorted.prefix(max(0, wanted)).map(\.uid).sorted())
    let last = sorted.prefix(max(0, wanted)).last?.score ?? .infinity
    #expect(
      try rows.kept(yaml + "keep}]")
        == sorted.filter { $0.score >= last }.map(\.uid).sorted())
    // DataComp: the value at place int(n·f) of the falling order, or the last where that is behind it.
    let place = min(Int(Double(count) * fraction), sorted.count - 1)
    let datacomp = place < 0 ? [] : sorted.filter { $0.score >= sorted[place].score }
    #expect(try rows.kept(yaml + "datacomp}]") == datacomp.map(\.uid).sorted())
  }

  @Test("a share of what is left counts over what earlier rules keep; one of all does not")
  func population() throws {
    let rows = Self.rows(5_000, seed: 7)
    let wide = rows.uids.indices.filter { Self.number(rows, "original_width", $0) ?? 0 >= 300 }
    func best(_ indices: [Int], _ fraction: Double) -> [Int] {
      let sorted = indices.filter { Self.number(rows, "score", $0) != nil }.sorted {
        (-(Self.number(rows, "score", $0) ?? 0), rows.uids[$0])
          < (-(Self.number(rows, "score", $1) ?? 0), rows.uids[$1])
      }
      return Array(sorted.prefix(Int((fraction * Double(indices.count)).rounded(.up))))
    }
    let yaml = """
      rules:
        - min: {column: original_width, value: 300}
        - top_fraction: {column: score, fraction: 0.25, of:
      """
    #expect(
      try rows.kept(yaml + " kept}") == best(wide, 0.25).map { rows.uids[$0] }.sorted())
    #expect(
      try rows.kept(yaml + " all}")
        == best(Array(rows.uids.indices), 0.25).filter(Set(wide).contains).map { rows.uids[$0] }
        .sorted())
  }

  @Test("the outcome is the same for any order of pairs, batches and threads")
  func determinism() throws {
    var rows = Self.rows(4_000, seed: 3)
    let entries = MetadataEntries(["cat", "red cat", "the sofa", "photo"])
    var plan = FilterPlan(rules: [
      PlanRule(.compare(ColumnChoice(["original_width"]), .min(100))),
      PlanRule(
        .topFraction(TopFraction(column: ColumnChoice(["score"]), fraction: 0.6, of: .kept))),
    ])
    plan.rules.append(
      PlanRule(
        .balance(
          CaptionBalance(
            column: ColumnChoice(["caption"]), metadata: entries, t: 50, seed: 5, of: .kept))))
    func kept(_ rows: ListedRows, _ threads: Int) throws -> [PairUID] {
      let outcome = try FilterEvaluator.evaluate(plan, over: rows, threads: threads)
      return rows.uids.indices.filter { outcome.kept[$0] }.map { rows.uids[$0] }.sorted()
    }
    let first = try kept(rows, 1)
    #expect(!first.isEmpty && first.count < 2_000)
    rows.batch = 37
    #expect(try kept(rows, 2) == first)
    var random = RandomStream(seed: 9)
    let shuffled = rows.reordered(random.permutation(of: rows.uids.count))
    #expect(try kept(shuffled, 2) == first)
    rows.batch = 4_000
    #expect(try kept(rows, 3) == first)
  }

  @Test(
    "yields tell each rule alone and in sequence, missing values, and the rule that drops a pair")
  func yields() throws {
    let rows = Self.rows(2_000, seed: 11)
    let plan = try FilterPlan(
      yaml: """
        rules:
          - caption: {min_words: 2}
          - min: {column: score, value: 0.2}
          - top_fraction: {column: score, fraction: 0.5, of: kept}
        """, path: "p")
    let outcome = try FilterEvaluator.evaluate(plan, over: rows)
    let words = rows.uids.indices.filter {
      Self.caption(rows, $0)?.split { $0.isWhitespace }.count ?? 0 >= 2
    }
    let scored = rows.uids.indices.filter { Self.number(rows, "score", $0) ?? -1 >= 0.2 }
    let both = Set(words).intersection(scored)
    #expect(outcome.yields.map(\.alone) == [words.count, scored.count, 1_000])
    #expect(
      outcome.yields.map(\.remaining) == [words.count, both.count, (both.count + 1) / 2])
    #expect(
      outcome.yields[1].unknown
        == rows.uids.indices.count { Self.number(rows, "score", $0) == nil })
    for index in rows.uids.indices {
      let rule = !words.contains(index) ? 0 : !both.contains(index) ? 1 : nil as Int?
      #expect(outcome.dropping(index) == rule ?? (outcome.kept[index] ? nil : 2))
    }
    let lowest = rows.uids.indices.filter { outcome.kept[$0] }
      .compactMap { Self.number(rows, "score", $0) }.min()
    #expect(outcome.yields[2].threshold == lowest)
  }

  @Test(
    "columns that are not there are named, all of them, or left out and named where that is asked")
  func missing() throws {
    let rows = Self.rows(10, seed: 2)
    let yaml = """
      rules:
        - min: {column: [aesthetic, beauty], value: 5}
        - caption: {min_words: 0}
        - max: {column: nsfw, value: 0.5}
      """
    let error = #expect(throws: FilterPlanError.self) { try rows.kept(yaml) }
    #expect(error?.line == 2)
    #expect(error?.problem.contains("`aesthetic`, `beauty`") == true)
    #expect(error?.problem.contains("line 4: there is no column `nsfw`") == true)
    let outcome = try FilterEvaluator.evaluate(
      try FilterPlan(yaml: "skip_missing: true\n" + yaml, path: "p"), over: rows)
    #expect(outcome.skipped.map(\.rule) == ["aesthetic|beauty >= 5", "nsfw <= 0.5"])
    #expect(outcome.yields.count == 1)
  }
}
