import FilterPlans
import PipelineCore
import Testing

@Suite struct PlanReaderTests {
  static func plan(_ yaml: String) throws -> FilterPlan {
    try FilterPlan(yaml: yaml, path: "p.yaml")
  }

  @Test("every rule is read, and a caption rule becomes a rule for each of its bounds")
  func everyRule() throws {
    let plan = try Self.plan(
      """
      about: all of them
      skip_missing: true
      notes: [one note]
      not_applied: a thing
      rules:
        - min: {column: clip, value: 0.28}
        - max: {column: clip, value: 0.9}
        - between: {column: w, from: 1, to: 2}
        - equals: {column: LANGUAGE, value: en}
        - one_of: {column: LANGUAGE, values: [en, de]}
        - matches: {column: url, glob: "*.jp?g", ignore_case: true}
        - contains: {column: url, text: cdn}
        - is_null: url
        - top_fraction: {column: [a, b], fraction: 0.3, ties: datacomp, of: kept}
        - caption: {min_words: 3, max_words: 256, min_characters: 6, max_characters: 1_000,
                    charset: [latin, greek], language: en, min_confidence: 0.5}
        - picture: {min_side: 200, max_side: 4000, max_aspect: 3, min_bytes: 5120, max_bytes: 99999,
                    formats: [JPEG, png]}
        - language: {column: lang, is: [en, de]}
        - clusters: {column: cluster, keep: [3, 1, 2]}
        - any:
            - min: {column: a, value: 1}
            - all: [{is_null: a}, {not: {is_null: b}}]
          name: either
      """)
    #expect(plan.skipsMissing && plan.notes == ["one note"] && plan.notApplied == ["a thing"])
    #expect(plan.rules.count == 9 + 6 + 6 + 3)
    #expect(plan.rules[0].name == "clip >= 0.28" && plan.rules[0].line == 6)
    #expect(plan.rules.last?.name == "either")
    #expect(
      plan.rules.last?.test.words == "any of (a >= 1; all of (a is null; not (b is null)))")
    #expect(
      plan.rules[8].test
        == .topFraction(
          TopFraction(
            column: ColumnChoice(["a", "b"]), fraction: 0.3, ties: .datacomp, of: .kept)))
    #expect(plan.rules.contains { $0.test == .picture(.formats(["jpg", "png"])) })
  }

  @Test(
    "a bad plan is refused with its line and what was meant",
    arguments: [
      ("rules:\n  - mim: {column: a, value: 1}", 2, "Did you mean `min`?"),
      ("rules:\n  - min: {column: a, valeu: 1}", 2, "min lacks `value`"),
      ("rules:\n  - min: {column: a, value: 1, vlaue: 2}", 2, "Did you mean `value`?"),
      ("rules:\n  - min:\n      column: a\n      value: abc", 4, "`abc` is not a number"),
      ("rules:\n  - caption: {min_words: 3.5}", 2, "is not a whole number"),
      ("rules:\n  - caption: {language: enn}", 2, "does not know `enn`"),
      ("rules:\n  - caption: {}", 2, "asks nothing"),
      ("rules:\n  - min: 3", 2, "wants fields"),
      ("rules:\n  - 3", 2, "is not a rule"),
      ("rules: 3", 1, "is not a list of rules"),
      ("rules:\n  - top_fraction: {column: a, fraction: 1.5}", 2, "is not a number of 0 to 1"),
      ("rules:\n  - top_fraction: {column: a, fraction: 0.5, ties: all}", 2, "is not one of"),
      ("rules:\n  - between: {column: a, from: 3, to: 2}", 2, "it is above `to`"),
      ("rules:\n  - clusters: {column: a, keep: [x, y]}", 2, "is not a cluster's number"),
      ("rules:\n  - {min: {column: a, value: 1}, max: {column: a, value: 1}}", 2, "with another"),
      ("rule: []", 1, "lacks `rules`"),
      ("rules: []\nskip: true", 2, "has no `skip`"),
      ("rules: [", 2, "p.yaml"),
      ("rules: &a [{not: *a}]", 1, "p.yaml"),
      ("", 0, "empty"),
    ])
  func bad(_ yaml: String, _ line: Int, _ words: String) throws {
    let error = #expect(throws: FilterPlanError.self) { try Self.plan(yaml) }
    #expect(error?.line == line, "\(error.map { "\($0)" } ?? "")")
    #expect(error.map { "\($0)" }?.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test("what is too deep, too long or grows by aliases is refused before it takes memory or stack")
  func bounds() throws {
    let deep =
      "rules: " + String(repeating: "[{any: ", count: 60) + String(repeating: "}]", count: 60)
    #expect(throws: FilterPlanError.self) { try Self.plan(deep) }
    // As a key it would be hashed, and so doubled 27 times.
    let doubled = (1..<28).map { "k\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }.joined()
    #expect(throws: FilterPlanError.self) {
      try Self.plan("k: &a0 [x, x]\n\(doubled)? *a27\n: 1\nrules: [{is_null: caption}]")
    }
    let indented = "rules:\n" + String(repeating: "- ", count: 100_000)
    #expect(throws: FilterPlanError.self) { try Self.plan(indented) }
    let notes = (0..<40).map { "\(String(repeating: " ", count: 2 * $0))- not:\n" }.joined()
    #expect(throws: FilterPlanError.self) { try Self.plan("rules:\n" + notes) }
    #expect(throws: FilterPlanError.self) {
      try Self.plan("rules: []\n" + String(repeating: "# a comment\n", count: 100_000))
    }
    // Ten levels of ten: 10 billion rules in 400 bytes.
    var laughs = "a0: &a0 {is_null: a}\n"
    for level in 1...10 {
      laughs += "a\(level): &a\(level) {any: ["
      laughs += Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ") + "]}\n"
    }
    #expect(throws: FilterPlanError.self) { try Self.plan(laughs + "rules: [*a10]") }
  }

  @Test("rules of a recipe are found where they stand, with the lines of the recipe")
  func inRecipe() throws {
    let recipe = "input: list\nfilter:\n  rules:\n    - min: {column: a, value: 1}\n"
    let plan = try FilterPlan(yaml: recipe, path: "r.yaml", at: ["filter", "rules"])
    #expect(plan.rules.map(\.line) == [4])
    let error = #expect(throws: FilterPlanError.self) {
      try FilterPlan(
        yaml: recipe.replacing("value", with: "valu"), path: "r.yaml", at: ["filter", "rules"])
    }
    #expect(error?.line == 4)
  }
}
