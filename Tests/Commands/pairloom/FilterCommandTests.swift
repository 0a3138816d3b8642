import DurableFiles
import Foundation
import PairDataset
import PipelineCore
import SeededRandom
import Testing

/// `pairloom filter` as a user runs it.
@Suite(.serialized) struct FilterCommandTests {
  /// Scores of the pairs of ``DedupCommandTests/shards(_:in:seed:)``, joined by key.
  static func scores(_ count: Int, to path: String) throws {
    var random = RandomStream(seed: 6)
    let rows = (0..<count).map { number in
      JSONValue.object([
        .init("key", .string(String(format: "%09d", number))),
        .init("score", .number("\(Float(random.integer(below: 100)) / 100)")),
      ])
    }
    try PairTable.write(
      rows, columns: [TableColumn("key", .text), TableColumn("score", .float)], to: path)
  }

  static let plan = """
    rules:
      - caption: {min_words: 3}
      - top_fraction: {column: clip_score, fraction: 0.4, of: kept}
    """

  @Test("killed at any moment, the same command goes on to the same bytes")
  func kills() throws {
    let folder = try TemporaryFolder()
    let source = folder.path + "/source"
    _ = try DedupCommandTests.shards(800, in: source, seed: 3)
    try Self.scores(1_600, to: folder.path + "/scores.parquet")
    try DurableFile.write(Self.plan, to: folder.path + "/plan.yaml")
    func command(_ out: String) -> [String] {
      [
        "filter", source, "--plan", folder.path + "/plan.yaml", "--scores",
        folder.path + "/scores.parquet", "--out", out, "--pairs", "150",
      ]
    }
    let calm = folder.path + "/calm"
    let start = Date.now
    let whole = try Program.run(command(calm) + ["--threads", "1"])
    #expect(whole.status == 0, "\(whole.error)")
    let seconds = Date.now.timeIntervalSince(start)
    let expected = try contents(of: calm, [""])
    #expect(expected["/report.html"] != nil && expected["/filter.parquet"] != nil)
    #expect(try DatasetManifest.read(calm + "/dataset.json").pairs == 640)
    let seed = UInt64(Date.now.timeIntervalSince1970 * 1_000)
    var random = RandomStream(seed: seed)
    let out = folder.path + "/out"
    var killed = 0
    for latest in [0.15, 0.3, 0.5, 0.7, 0.9, 1] {
      let moment = seconds * latest * random.uniform()
      if try Program.runAndKill(command(out), after: moment) { killed += 1 }
    }
    let last = try Program.run(command(out))
    #expect(last.status == 0, "\(last.error)")
    let found = try contents(of: out, [""])
    #expect(killed > 0, "seed \(seed)")
    #expect(found.keys.sorted() == expected.keys.sorted(), "seed \(seed), \(killed) kills")
    for (name, bytes) in expected { #expect(found[name] == bytes, "\(name), seed \(seed)") }
    #expect(
      try DurableFile.names(in: folder.path).sorted()
        == ["calm", "out", "plan.yaml", "scores.parquet", "source"])
  }

  @Test(
    "a dry run tells each rule and what is left out, writes nothing, and has a form for programs")
  func dryRun() throws {
    let folder = try TemporaryFolder()
    let source = folder.path + "/source"
    _ = try DedupCommandTests.shards(20, in: source, seed: 5)
    let told = try Program.run(["filter", source, "--plan", "laion-400m", "--dry-run"])
    #expect(told.status == 0, "\(told.error)")
    #expect(told.output.contains("caption: 5 characters or more"))
    #expect(told.output.contains("left out, as their columns are not here:"))
    #expect(told.output.contains("clip_b32_similarity_score"))
    #expect(told.output.contains("unsafe for work"))
    let json = try Program.run(["filter", source, "--plan", "laion-400m", "--dry-run", "--json"])
    let value = try JSONValue.parse(Array(json.output.utf8))
    #expect(value["pairs"] == .int(40) && value["kept"] == .int(40))
    #expect(try DurableFile.names(in: folder.path) == ["source"])
  }

  @Test("a preset whose score has another name here says how to name it, and then goes by it")
  func otherName() throws {
    let folder = try TemporaryFolder()
    let source = folder.path + "/source"
    _ = try DedupCommandTests.shards(20, in: source, seed: 5)
    try Self.scores(40, to: folder.path + "/scores.parquet")
    let command = [
      "filter", source, "--plan", "laion-2b-en", "--scores", folder.path + "/scores.parquet",
      "--dry-run",
    ]
    let told = try Program.run(command)
    let offer = "--column clip_b32_similarity_score=score"
    #expect(told.status == 0 && told.output.contains("(\(offer) takes the scores for it)"))
    let named = try Program.run(command + ["--column", "clip_b32_similarity_score=score"])
    #expect(named.status == 0 && !named.output.contains(offer), "\(named.error)")
    #expect(
      named.output.contains("clip_b32_similarity_score|clip_similarity_vitb32|similarity >= 0.28"))
    let strict = try Program.run([
      "filter", source, "--plan", "datacomp-clip-l14-30", "--scores",
      folder.path + "/scores.parquet", "--dry-run",
    ])
    #expect(strict.status == 2)
    #expect(
      strict.error.contains("(--column clip_l14_similarity_score=score takes"), "\(strict.error)")
    let slip = folder.path + "/slip.yaml"
    try DurableFile.write("rules:\n  - min: {column: clip_scor, value: 0.2}\n", to: slip)
    let typed = try Program.run([
      "filter", source, "--plan", slip, "--scores", folder.path + "/scores.parquet", "--dry-run",
    ])
    #expect(
      typed.status == 2 && typed.error.contains("(did you mean `clip_score`?)"), "\(typed.error)")
  }

  @Test("mistakes end with code 2 and words that help")
  func mistakes() throws {
    let folder = try TemporaryFolder()
    let source = folder.path + "/source"
    _ = try DedupCommandTests.shards(2, in: source, seed: 5)
    try DurableFile.write("rules:\n  - mim: {column: a, value: 1}\n", to: folder.path + "/bad.yaml")
    for (arguments, words) in [
      (["--plan", "coyoo", "--dry-run"], "Did you mean `coyo`?"),
      (["--plan", folder.path + "/bad.yaml", "--dry-run"], "bad.yaml:2: there is no rule `mim`."),
      (["--plan", "coyo"], "--out names a folder"),
      (["--plan", "datacomp-clip-l14-30", "--dry-run"], "`clip_l14_similarity_score`"),
      (["--plan", "coyo", "--dry-run", "--column", "x"], "NAME=COLUMN"),
    ] {
      let run = try Program.run(["filter", source] + arguments)
      #expect(run.status == 2 && run.error.contains(words), "\(arguments): \(run.error)")
    }
  }
}
