import Deduplication
import DurableFiles
import PipelineCore
import Testing

@Suite struct DuplicateRulesTests {
  static func rules(_ options: [String]) throws -> DuplicateRules {
    var reader = try RecipeReader(yaml: "", path: "test", overrides: options)
    let rules = try DuplicateRules(from: &reader)
    try reader.finish()
    return rules
  }

  @Test("every option is read, and defaults are the documented ones")
  func read() throws {
    #expect(try Self.rules([]) == DuplicateRules(kind: .near))
    let rules = try Self.rules([
      "dedup=near", "duplicates.radius=4", "duplicates.keep=best", "duplicates.best_by=score",
      "duplicates.against=[a.index, b.index]", "duplicates.evaluation_sets=set",
      "duplicates.placeholders=5", "duplicates.caption_limit=10",
      "duplicates.caption_similarity=0.8",
    ])
    var expected = DuplicateRules(kind: .near)
    (expected.radius, expected.keep, expected.bestColumn) = (4, .best, "score")
    (expected.against, expected.evaluationSets) = (["a.index", "b.index"], ["set"])
    (expected.placeholders, expected.captionLimit) = (.init(captions: 5), 10)
    expected.captionSimilarity = 0.8
    #expect(rules == expected)
    #expect(rules.needsAll)
    #expect(try !Self.rules(["dedup=near", "duplicates.scope=pair"]).needsAll)
    for options in [
      ["duplicates.placeholders={urls: 50, hosts: 1_000}"],
      ["duplicates.placeholders.urls=50", "duplicates.placeholders.hosts=1000"],
    ] {
      #expect(try Self.rules(options).placeholders == .init(urls: 50, hosts: 1_000))
    }
    #expect(try Self.rules(["dedup=off"]).isIdle)
    #expect(try !Self.rules(["dedup=off", "duplicates.caption_limit=1"]).isIdle)
  }

  @Test(
    "what would do nothing, or something else than it says, is refused",
    arguments: [
      (["duplicates.radius=17"], "a whole number of 0 to 16"),
      (["dedup=nearly"], "one of near, exact, off"),
      (["duplicates.radios=3"], "Did you mean `duplicates.radius`?"),
      (["duplicates.best_by=score"], "duplicates.keep"),
      (["dedup=off", "duplicates.keep=best"], "dedup off"),
      (["dedup=off", "duplicates.against=a.index"], "dedup off"),
      (["duplicates.scope=pair", "duplicates.against=a.index"], "holds no captions"),
      (["duplicates.placeholders=1"], "a whole number of 2"),
      (["duplicates.placeholders.hosts=many"], "a whole number of 2"),
      (["duplicates.placeholders={host: 5}"], "a map of captions, urls, hosts"),
      (["duplicates.caption_similarity=0.2"], "a number of 0.3 to 1"),
    ])
  func refused(options: [String], words: String) throws {
    let error = #expect(throws: RecipeError.self) { _ = try Self.rules(options) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test("a judge refuses a similarity that no index of captions has, rather than stop the process")
  func judged() throws {
    var rules = DuplicateRules()
    rules.captionSimilarity = 0.29
    let folder = Pictures.folder()
    let error = #expect(throws: RecipeError.self) {
      _ = try DuplicateJudge(rules, folder: folder, threads: 1)
    }
    #expect(error?.description.contains("a number of 0.3 to 1") == true)
    #expect(!DurableFile.exists(folder))
  }
}
