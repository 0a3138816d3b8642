import PipelineCore
import Testing

@Suite struct RecipeSynonymTests {
  static let synonyms = RecipeSynonyms(
    program: "weaver",
    options: [
      .init("threads", default: "1", .sets("download.concurrency")),
      .init("again", default: "0", .sets("attempts", .repetitions)),
    ])

  static func reader(_ yaml: String, _ overrides: [String] = []) throws -> RecipeReader {
    try RecipeReader(yaml: yaml, path: "r.yaml", overrides: overrides, synonyms: synonyms)
  }

  @Test("one option under both names is refused, in the file and on the command line")
  func twice() throws {
    let error = RecipeError.twice(
      key: "threads", program: "weaver", other: "download.concurrency")
    #expect(throws: error) { try Self.reader("threads: 3\ndownload:\n  concurrency: 4") }
    #expect(throws: error) { try Self.reader("", ["download.concurrency=4", "threads=3"]) }
    #expect("\(error)".contains("Keep one"))
    var reader = try Self.reader("threads: 3\ndownload:\n  concurrency: null")
    #expect(try reader.string("download.concurrency") == "3")
  }

  @Test("the command line wins over the file under either name")
  func layers() throws {
    for (yaml, override) in [
      ("download:\n  concurrency: 4", "threads=3"), ("threads: 4", "download.concurrency=3"),
      ("threads: 4", "threads=3"),
    ] {
      var reader = try Self.reader(yaml, [override])
      #expect(try reader.int("download.concurrency", default: 1, in: 1...9) == 3)
      try reader.finish()
    }
  }

  @Test("a wrong value is told under the name that was given")
  func wrong() throws {
    var reader = try Self.reader("threads: many")
    do {
      _ = try reader.int("download.concurrency", default: 1, in: 1...9)
      Issue.record("accepted")
    } catch {
      #expect(error.description.contains("threads (here download.concurrency): `many`"))
    }
    #expect(throws: RecipeError.self) { try Self.reader("again: -1") }
    #expect(throws: RecipeError.self) { try Self.reader("again: often") }
  }

  @Test("a block whose keys are all commented out is no unknown key")
  func emptyBlocks() throws {
    for yaml in ["filter:\n  # min_score: 0.3\n", "filter: {}", "filter: null", "filter: ~"] {
      var reader = try Self.reader(yaml)
      #expect(try reader.optionalDouble("filter.min_score", in: 0...1) == nil)
      try reader.finish()
    }
    var reader = try Self.reader("filters:\n")
    _ = try reader.optionalDouble("filter.min_score", in: 0...1)
    #expect(throws: RecipeError.self) { try reader.finish() }
  }
}
