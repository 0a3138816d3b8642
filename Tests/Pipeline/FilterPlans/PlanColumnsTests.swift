import FilterPlans
import Testing

/// What a plan says of columns that are not there.
@Suite struct PlanColumnsTests {
  static func why(_ rule: String, _ columns: PlanColumns) throws -> [String] {
    let plan = try FilterPlan(yaml: "skip_missing: true\nrules:\n  - \(rule)\n", path: "p.yaml")
    return try plan.check(columns).map(\.why)
  }

  @Test(
    "bounds to numbers are offered the one column of scores; slips of the hand the column that is near",
    arguments: [
      (
        "min: {column: [clip_b32_similarity_score, similarity], value: 0.3}",
        "there is no column of `clip_b32_similarity_score`, `similarity` (--column"
          + " clip_b32_similarity_score=score takes the scores for it)"
      ),
      (
        "top_fraction: {column: clip_l14, fraction: 0.3}",
        "there is no column `clip_l14` (--column clip_l14=score takes the scores for it)"
      ),
      (
        "top_fraction: {column: aestetic, fraction: 0.3}",
        "there is no column `aestetic` (did you mean `aesthetic`?)"
      ),
      ("equals: {column: origin, value: web}", "there is no column `origin`"),
      (
        "language: {column: langage, is: en}",
        "there is no column `langage` (did you mean `language`?)"
      ),
    ])
  func offers(rule: String, words: String) throws {
    let columns = PlanColumns(["aesthetic", "language", "score", "url"], scores: ["score"])
    #expect(try Self.why(rule, columns) == [words])
  }

  @Test(
    "of several columns of scores none is offered; a recipe is told its own option; what is there is fine"
  )
  func others() throws {
    let rule = "min: {column: clip_l14, value: 0.3}"
    let two = PlanColumns(["a_score", "b_score"], scores: ["a_score", "b_score"])
    #expect(try Self.why(rule, two) == ["there is no column `clip_l14`"])
    let run = PlanColumns(["score"], scores: ["score"], renaming: .recipe)
    #expect(
      try Self.why(rule, run)
        == [
          "there is no column `clip_l14` (--set filter.columns=[clip_l14=score] takes the scores for it)"
        ])
    #expect(try Self.why(rule, PlanColumns(["clip_l14"])).isEmpty)
    let strict = try FilterPlan(yaml: "rules:\n  - \(rule)\n", path: "p.yaml")
    let error = #expect(throws: FilterPlanError.self) { try strict.check(run) }
    #expect(error?.line == 2)
    #expect(error?.problem.contains("takes the scores for it). There are: score. ") == true)
  }
}
