import FilterPlans
import Foundation
import FuzzSupport
import PipelineCore

private let file = FuzzFile(".list")

/// Any plan, and any file that a plan names, ends in a decision on each pair or in an error that says where.
///
/// The input's first byte says which: 0, a plan; 1, the entries of a balance; 2, the clusters to keep.
@main struct PlanFuzz {
  static func main() { Fuzz.run(seeds: seeds, test) }

  private static func test(_ bytes: [UInt8]) {
    guard let mode = bytes.first else { return }
    let rest = bytes.dropFirst()
    do {
      switch mode % 3 {
      case 0:
        let text = String(decoding: rest, as: UTF8.self)
        // A plan may name any file; those of this machine are no part of the input.
        guard !text.contains("metadata:"), !text.contains("keep:") else { return }
        try use(text)
      case 1:
        file.write(rest)
        try use("rules: [{balance: {metadata: \(file.path), t: 2}}]")
      default:
        file.write(rest)
        try use("rules: [{clusters: {column: width, keep: \(file.path)}}]")
      }
    } catch let error as FilterPlanError {
      _ = error.description
    } catch {
      _ = "\(error)"
    }
  }

  private static func use(_ yaml: String) throws {
    let plan = try FilterPlan(yaml: yaml, path: "plan")
    _ = plan.identity
    let outcome = try FilterEvaluator.evaluate(plan, over: SomePairs())
    precondition(outcome.pairs == SomePairs.count, "\(outcome.pairs)")
    precondition(outcome.keptCount <= outcome.pairs)
  }

  private static func seeds() throws -> [[UInt8]] {
    var seeds = FilterPresets.names.map { [0] + Array((FilterPresets.text($0) ?? "").utf8) }
    seeds += [
      "rules:\n  - min: {column: score, value: 0.3}\n  - not: {is_null: caption}\n",
      "skip_missing: true\nrules: [{any: [{matches: {column: url, glob: '*a?', ignore_case: true}}, {all: [{equals: {column: width, value: 3}}]}]}]",
      "rules: [{top_fraction: {column: score, fraction: 0.5, of: kept, ties: datacomp}}, {between: {column: width, from: -1, to: 1e3}}]",
      "rules: [{name: x, caption: {language: en, min_words: 1, max_characters: 9}}, {one_of: {column: caption, values: [a, 'b']}}]",
      "a: &a [x, x]\nb: &b [*a, *a]\n? *b\n: 1\nrules: [*a]",
      "a: &a {is_null: score}\nrules: [*a, {picture: {min_side: 2, max_aspect: 3, formats: [JPEG]}}]",
    ].map { [0] + Array($0.utf8) }
    seeds += ["[\"cat\", \"a dog\", \"caf\\u00e9\"]", "cat\na dog\n"].map { [1] + Array($0.utf8) }
    seeds += ["[1, 2, 3]", "1\n2\n3\n"].map { [2] + Array($0.utf8) }
    return seeds
  }
}

/// Pairs with every kind of value.
private struct SomePairs: FilterRows {
  static let count = 40
  let columns = ["caption", "url", "score", "width", "height"]

  func forEachBatch(columns: Set<String>, _ body: (FilterBatch) throws -> Void) throws {
    for start in stride(from: 0, to: Self.count, by: 16) {
      let rows = start..<min(Self.count, start + 16)
      var values: [String: FilterColumn] = [:]
      for name in columns {
        switch name {
        case "caption":
          values[name] = .texts(rows.map { $0 % 7 == 0 ? nil : "a cat, \($0) \u{E9}" })
        case "url": values[name] = .texts(rows.map { "http://a.test/\($0)/logo.jpg" })
        case "score":
          values[name] = .numbers(rows.map { $0 % 5 == 0 ? nil : Double($0 % 9) / 10 })
        default: values[name] = .numbers(rows.map { Double($0) })
        }
      }
      try body(
        FilterBatch(
          uids: rows.map { PairUID(high: UInt64($0) << 60, low: UInt64($0)) }, columns: values))
    }
  }
}
