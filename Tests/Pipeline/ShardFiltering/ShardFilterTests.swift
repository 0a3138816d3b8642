import DurableFiles
import FilterPlans
import Foundation
import PairDataset
import PipelineCore
import ShardDeduplication
import ShardFiltering
import ShardMaintenance
import ShardScoring
import Testing

@Suite struct ShardFilterTests {
  static func options(
    _ yaml: String, scores: [String] = [], threads: Int = 1
  ) throws -> ShardFilterOptions {
    ShardFilterOptions(
      plan: try FilterPlan(yaml: yaml, path: "p.yaml"), scores: scores,
      cut: ReshardOptions(maxPairs: 25, compression: .none), threads: threads)
  }

  static let yaml = """
    rules:
      - caption: {min_words: 2}
      - picture: {min_side: 150}
      - min: {column: clip_score, value: 0.3}
    """

  @Test(
    "what passes is copied byte for byte, in order; every pair's fate is told",
    arguments: ["uid", "key", "url"])
  func filtering(_ join: String) throws {
    let world = try FilterWorld(203)
    defer { world.remove() }
    try world.writeScores(by: join)
    let out = world.folder + "/out"
    let outcome = try ShardFilter.filter(
      world.shards, to: out, options: try Self.options(Self.yaml, scores: [world.scores]))
    func rule(_ index: Int) -> String? {
      let pair = world.pairs[index]
      if pair.caption.split(separator: " ").count < 2 {
        return "caption: 2 words or more"
      }
      if min(pair.width, 250) < 150 { return "picture: shorter side 150 or more" }
      return (pair.score ?? 0) >= 0.3 ? nil : "clip_score >= 0.3"
    }
    let kept = world.pairs.indices.filter { rule($0) == nil }
    #expect(outcome.read == 203 && outcome.kept == kept.count && !kept.isEmpty)
    #expect(outcome.rules[2].unknown == world.pairs.count { $0.score == nil })
    let samples = try outcome.shards.flatMap { file in
      let reader = try ShardReader(path: "\(out)/\(file)")
      #expect(reader.count == 25 || file == outcome.shards.last)
      return try (0..<reader.count).map { try reader.sample(at: $0) }
    }
    let expected = try kept.map { index in
      try ShardReader(path: world.shards[index / 40]).sample(at: index % 40)
    }
    #expect(samples == expected)
    #expect(try DatasetManifest.read(out + "/dataset.json").pairs == kept.count)
    let verdicts = try PairTable.read(out + "/filter.parquet")
    #expect(verdicts.map { $0["rule"]?.text } == world.pairs.indices.map(rule))
    #expect(verdicts.map { $0["uid"]?.text } == world.pairs.map(\.uid))
    #expect(!DurableFile.exists(out + ".part"))
  }

  @Test(
    "interrupted anywhere and run again it gives the bytes of a run in peace, on any number of cores"
  )
  func interruption() throws {
    struct Stop: Error {}
    let world = try FilterWorld(150)
    defer { world.remove() }
    try world.writeScores(by: "uid")
    let calm = world.folder + "/calm"
    _ = try ShardFilter.filter(
      world.shards, to: calm, options: try Self.options(Self.yaml, scores: [world.scores]))
    let expected = try files(of: calm)
    let out = world.folder + "/out"
    let options = try Self.options(Self.yaml, scores: [world.scores], threads: 2)
    // While the facts are read off, in the copying, at judging, in the copying again, and at its end.
    for stop in [1, 60, 149, 2, 100, 154] {
      var steps = 0
      #expect(throws: Stop.self) {
        try ShardFilter.filter(
          world.shards, to: out, options: options,
          onProgress: { _ in
            steps += 1
            if steps == stop { throw Stop() }
          })
      }
      #expect(!DurableFile.exists(out))
    }
    let outcome = try ShardFilter.filter(world.shards, to: out, options: options)
    #expect(try files(of: out) == expected)
    #expect(!outcome.wasComplete)
    #expect(try ShardFilter.filter(world.shards, to: out, options: options).wasComplete)
    #expect(throws: ShardDeduplicationError.self) {
      try ShardFilter.filter(
        world.shards, to: out,
        options: try Self.options(
          Self.yaml.replacing("0.3", with: "0.4"), scores: [world.scores]))
    }
    #expect(try files(of: out) == expected)
  }

  @Test("a table of metadata gives the same pairs as the shards that it tells of")
  func metadata() throws {
    let world = try FilterWorld(500)
    defer { world.remove() }
    try world.writeScores(by: "uid")
    let table = world.folder + "/metadata.parquet"
    try world.writeMetadata(to: table)
    let list = world.folder + "/list"
    var options = try Self.options(Self.yaml, scores: [world.scores])
    _ = try ShardFilter.judge(world.shards, options: options, list: list)
    let fromShards = try DurableFile.read(list)
    _ = try ShardFilter.judge([table], options: options, list: list)
    #expect(try DurableFile.read(list) == fromShards && !fromShards.isEmpty)
    // By the table's own column, under the plan's name for it.
    options.scores = []
    options.aliases = ["clip_score": "clip_l14_similarity_score"]
    let subset = world.folder + "/subset.npy"
    let outcome = try ShardFilter.judge([table], options: options, subset: subset, list: list)
    #expect(try DurableFile.read(list) == fromShards)
    var ids = try UIDList(path: subset)
    #expect(ids.count == outcome.kept)
    for line in fromShards.split(separator: 0x0A) {
      let isThere = ids.take(String(decoding: line, as: UTF8.self))
      #expect(isThere)
    }
    #expect(ids.missingCount == 0)
  }

  @Test("samples for a person lie about the threshold; each rule has what it dropped")
  func review() throws {
    let world = try FilterWorld(400)
    defer { world.remove() }
    try world.writeScores(by: "uid")
    var seen: FilterReview?
    _ = try ShardFilter.judge(
      world.shards, options: try Self.options(Self.yaml, scores: [world.scores]),
      report: { _, review in seen = review })
    let review = try #require(seen)
    #expect(review.column == "clip_score" && review.threshold == 0.3)
    #expect(review.scores.count == world.pairs.count { $0.score != nil })
    #expect(review.above.allSatisfy { ($0.score ?? 0) >= 0.3 } && review.above.count == 24)
    #expect(review.below.allSatisfy { ($0.score ?? 0) < 0.3 } && review.below.count == 24)
    #expect(review.above.map { $0.score ?? 0 } == review.above.map { $0.score ?? 0 }.sorted())
    #expect(review.dropped.count == 3 && review.dropped.map(\.count).reduce(0, +) > 0)
    #expect(
      review.dropped[0].samples.allSatisfy { $0.caption.split(separator: " ").count < 2 })
  }

  @Test("what cannot be named by a subset file, joined or left empty is refused in words")
  func refusals() throws {
    let world = try FilterWorld(50)
    defer { world.remove() }
    try world.writeScores(by: "uid")
    let unnamed = world.folder + "/unnamed.parquet"
    try PairTable.write(
      [.object([.init("score", .number("0.5"))])], columns: [TableColumn("score", .double)],
      to: unnamed)
    #expect(throws: ScoreSourceError.self) {
      try ShardFilter.judge(
        world.shards, options: try Self.options(Self.yaml, scores: [unnamed]))
    }
    let others = world.folder + "/others.parquet"
    try PairTable.write(
      [.object([.init("uid", .string("of another set")), .init("score", .number("0.5"))])],
      columns: [TableColumn("uid", .text), TableColumn("score", .double)], to: others)
    #expect(throws: ScoreSourceError.nothingJoined(pairs: 50, rows: 1, by: "uid")) {
      try ShardFilter.judge(
        world.shards, options: try Self.options(Self.yaml, scores: [others]))
    }
    let none = "rules: [min: {column: original_width, value: 10000}]"
    let error = #expect(throws: FilterPlanError.self) {
      try ShardFilter.filter(
        world.shards, to: world.folder + "/out", options: try Self.options(none))
    }
    #expect(error?.problem.contains("no pair of 50 is left") == true)
    #expect(!DurableFile.exists(world.folder + "/out"))
    let table = world.folder + "/odd.parquet"
    try PairTable.write(
      [.object([.init("uid", .string("no digits"))])], columns: [TableColumn("uid", .text)],
      to: table)
    #expect(throws: FilterPlanError.self) {
      try ShardFilter.judge(
        [table], options: try Self.options("rules: [not: {is_null: uid}]"),
        subset: world.folder + "/s.npy")
    }
  }
}
