import DurableFiles
import FaultServer
import Foundation
import ImageCodec
import PairDataset
import PipelineCore
import SeededRandom
import Synchronization
import Testing

/// Runs whose filter is a plan: from a list to the shards that it keeps, done again, retried, killed.
@Suite(.serialized) struct RunPlanTests {
  /// A web of pictures and what is known of each; every third row answers 503 until it is healed.
  final class Web: Sendable {
    struct Row: Sendable {
      var url: String
      var caption: String
      var aesthetic: Int
      var score: Double
      var isLarge: Bool
      var isWeak: Bool
    }

    let rows: [Row]
    private let server: AnswerServer
    private let state: State

    final class State: Sendable {
      let isHealed = Mutex(true)
      let requests = Mutex(0)
    }

    var requests: Int { state.requests.withLock { $0 } }

    init(rows count: Int, healed: Bool = true) throws {
      var random = RandomStream(seed: 77)
      let words = ["red", "house", "on", "a", "hill", "by", "the", "blue", "lake", "tree"]
      let made = (0..<count).map { row in
        Row(
          url: "",
          caption: (0...random.integer(below: 6)).map { _ in
            words[random.integer(below: words.count)]
          }.joined(separator: " ") + " \(row)",
          aesthetic: random.integer(below: 10),
          // Two decimals: some are equal.
          score: Double(random.integer(below: 50)) / 100, isLarge: random.uniform() < 0.7,
          isWeak: row % 3 == 0)
      }
      let state = State()
      state.isHealed.withLock { $0 = healed }
      self.state = state
      server = try AnswerServer { path in
        guard let row = Int(path.dropFirst()) else { return .init(404) }
        state.requests.withLock { $0 += 1 }
        if made[row].isWeak, !state.isHealed.withLock({ $0 }) { return .init(503) }
        // A picture that could not be encoded would fail the test by its 500.
        guard let body = try? Self.picture(row, side: made[row].isLarge ? 220 : 48) else {
          return .init(500)
        }
        return .init(200, body: body)
      }
      var known = made
      for row in known.indices { known[row].url = server.url("/\(row)") }
      rows = known
    }

    func heal() { state.isHealed.withLock { $0 = true } }

    /// Noise: some 8 kB as a large JPEG, less than 5 kB as a small one.
    private static func picture(_ row: Int, side: Int) throws -> [UInt8] {
      var random = RandomStream(seed: UInt64(row))
      let tones = (0..<(side * side / 16)).map { _ in UInt8(random.integer(below: 256)) }
      let pixels = (0..<(side * side)).flatMap { place -> [UInt8] in
        let tone = tones[place % side / 4 + place / side / 4 * (side / 4)]
        return [tone, UInt8(row % 256), 255 - tone]
      }
      return try ImageEncoder.png(RGBImage(width: side, height: side, pixels: pixels))
    }

    /// With `hasScore` the list has a column of that name, too, which is not what scores the pairs.
    func list(
      in folder: String, _ name: String = "list.csv", hasScore: Bool = false
    ) throws -> String {
      let path = folder + "/" + name
      if name.hasSuffix(".jsonl") {
        let lines = rows.map { row in
          #"{"url":"\#(row.url)","caption":"\#(row.caption)","aesthetic":\#(row.aesthetic)}"# + "\n"
        }
        try DurableFile.write(lines.joined(), to: path)
        return path
      }
      let lines = rows.enumerated().map { number, row in
        "\(row.url),\(row.caption),\(row.aesthetic)\(hasScore ? ",\(number % 7)" : "")\n"
      }
      try DurableFile.write(
        "url,caption,aesthetic\(hasScore ? ",score" : "")\n" + lines.joined(), to: path)
      return path
    }

    func scores(in folder: String) throws -> String {
      let path = folder + "/scores.parquet"
      try PairTable.write(
        rows.map {
          .object([.init("url", .string($0.url)), .init("score", .number("\($0.score)"))])
        },
        columns: [TableColumn("url", .text), TableColumn("score", .double)], to: path)
      return path
    }
  }

  static func run(_ list: String, _ scores: String?, _ folder: String, _ options: [String])
    -> [String]
  {
    ["run", "urls", "--folder", folder]
      + ([
        "input=\(list)", "allow_addresses=127.0.0.0/8", "chunk_rows=20", "image_size=64",
        "download.attempts=1", "dedup=exact",
      ] + (scores.map { ["scores=[\($0)]"] } ?? []) + options).flatMap { ["--set", $0] }
  }

  static let parts = ["shards", "scores", "filtered", "dataset.json"]

  /// What each row of a run's list came to: the rule that dropped it; empty for kept.
  static func verdicts(_ run: String, _ web: Web) throws -> [Int: String] {
    let rows = Dictionary(uniqueKeysWithValues: web.rows.enumerated().map { ($1.url, $0) })
    var verdicts: [Int: String] = [:]
    let folder = RunFolder(run)
    for name in try DurableFile.names(in: "\(run)/filtered/verdicts") {
      let chunk = try #require(Int(name.prefix { $0 != "." }))
      var rules: [String: String] = [:]
      for row in try PairTable.read(folder.filterTable(chunk)) {
        let key = try #require(row["key"]?.text)
        rules[key] = Drop(row)?.detail ?? ""
      }
      for row in try PairTable.read(folder.shardTable(chunk)) where row["status"]?.text == "success"
      {
        let key = try #require(row["key"]?.text)
        let number = try #require(rows[row["url"]?.text ?? ""])
        let rule = try #require(rules[key])
        verdicts[number] = rule
      }
    }
    return verdicts
  }

  /// The rows whose pairs are in the final shards.
  static func final(_ run: String, _ web: Web) throws -> Set<Int> {
    let rows = Dictionary(uniqueKeysWithValues: web.rows.enumerated().map { ($1.url, $0) })
    var found: Set<Int> = []
    for shard in try DatasetManifest.read(run + "/dataset.json").shards {
      let table = try PairTable.read(run + "/" + (try #require(shard.table)))
      for row in table { found.insert(try #require(rows[row["url"]?.text ?? ""])) }
    }
    return found
  }

  @Test(
    "a plan goes by list, scores, sizes and downloads; with another --redo filter alone is done")
  func redone() throws {
    let scratch = try TemporaryFolder()
    let web = try Web(rows: 90)
    let (list, scores) = (
      try web.list(in: scratch.path, hasScore: true), try web.scores(in: scratch.path)
    )
    let plan = scratch.path + "/plan.yaml"
    try DurableFile.write(
      """
      rules:
        - caption: {min_words: 4}
        - picture: {min_side: 200, min_bytes: 5120}
        - not: {equals: {column: aesthetic, value: 3}}
          name: not three
        - top_fraction: {column: clip_score, fraction: 0.5, of: kept}
      """, to: plan)
    let (run, fresh) = (scratch.path + "/run", scratch.path + "/fresh")
    let first = try Program.run(Self.run(list, scores, run, ["filter.plan=\(plan)"]))
    #expect(first.status == 0, "\(first.error)")

    // The same rules in three lines each.
    func words(_ row: Int) -> Int { web.rows[row].caption.split(separator: " ").count }
    let passing = web.rows.indices.filter {
      words($0) >= 4 && web.rows[$0].isLarge && web.rows[$0].aesthetic != 3
    }
    let verdicts = try Self.verdicts(run, web)
    #expect(verdicts.count == 90)
    let kept = verdicts.keys.filter { verdicts[$0] == "" }
    #expect(kept.count == (passing.count + 1) / 2 && kept.allSatisfy(passing.contains))
    let least = kept.map { web.rows[$0].score }.min() ?? 1
    let rest = passing.filter { !kept.contains($0) }
    #expect(rest.allSatisfy { web.rows[$0].score <= least } && !rest.isEmpty)
    #expect(rest.allSatisfy { verdicts[$0] == "clip_score in the top 0.5 of what is left" })
    #expect(try Self.final(run, web) == Set(kept))
    let three = try #require(
      web.rows.indices.first { words($0) >= 4 && web.rows[$0].isLarge && !passing.contains($0) })
    let story = try Program.run(["explain", run, "\(three)"])
    #expect(story.output.contains("does not pass: not three"), "\(story.output)")

    let page = String(decoding: try DurableFile.read(run + "/report.html"), as: UTF8.self)
    for words in [
      "<td>not three</td>", "<td>caption: 4 words or more</td>", "Histogram: score", "threshold 0.",
      "Filter: dropped, just below the threshold", "Filter: kept, just above the threshold",
      "Filter: dropped: not three",
      "src=\"data:image/jpeg",
    ] { #expect(page.contains(words), "\(words)") }

    // Neither shards nor scores are written again: their files stay the same ones.
    func identities(_ run: String) throws -> [String] {
      try ["shards", "scores"].flatMap { part in
        try FileManager.default.subpathsOfDirectory(atPath: run + "/" + part).sorted().map { name in
          let facts = try FileManager.default.attributesOfItem(atPath: "\(run)/\(part)/\(name)")
          return "\(name) \(facts[.systemFileNumber] ?? "") \(facts[.modificationDate] ?? "")"
        }
      }
    }
    // Sizes stand beside the final shards alone.
    let before = try identities(run)
    let rules =
      "filter.rules=[{min: {column: score, value: 0.25}}, {max: {column: aesthetic, value: 6}}]"
    let refused = try Program.run(Self.run(list, scores, run, [rules]))
    #expect(refused.status == 2 && refused.error.contains("--redo filter"), "\(refused.error)")
    let requests = web.requests
    let redone = try Program.run(Self.run(list, scores, run, [rules]) + ["--redo", "filter"])
    #expect(redone.status == 0, "\(redone.error)")
    #expect(web.requests == requests)
    #expect(try identities(run) == before)
    #expect(
      try Self.final(run, web)
        == Set(
          web.rows.indices.filter { web.rows[$0].score >= 0.25 && web.rows[$0].aesthetic <= 6 }))
    #expect(try Program.run(Self.run(list, scores, fresh, [rules])).status == 0)
    let (found, expected) = (try contents(of: run, Self.parts), try contents(of: fresh, Self.parts))
    #expect(found.keys.sorted() == expected.keys.sorted())
    for (name, bytes) in expected { #expect(found[name] == bytes, "\(name)") }

    // The list's own score is called otherwise.
    let own = ["filter.rules=[{min: {column: list_score, value: 5}}]"]
    let listed = try Program.run(Self.run(list, scores, run, own) + ["--redo", "filter"])
    #expect(listed.status == 0, "\(listed.error)")
    #expect(try Self.final(run, web) == Set(web.rows.indices.filter { $0 % 7 >= 5 }))

    // A bundled plan, whose names are other ones: the run says what it leaves out, and how not to.
    let bundled = scratch.path + "/bundled"
    let without = try Program.run(
      Self.run(list, scores, bundled, ["filter.plan=laion-400m"]))
    #expect(without.status == 0, "\(without.error)")
    #expect(
      without.error.contains(
        "--set filter.columns=[clip_b32_similarity_score=score] takes the scores"),
      "\(without.error)")
    let meant = ["filter.plan=laion-400m", "filter.columns=[clip_b32_similarity_score=score]"]
    let with = try Program.run(Self.run(list, scores, bundled, meant) + ["--redo", "filter"])
    #expect(with.status == 0 && !with.error.contains("goes without"), "\(with.error)")
    #expect(
      try Self.final(bundled, web)
        == Set(web.rows.indices.filter { web.rows[$0].score >= 0.3 && web.rows[$0].isLarge }))
  }

  @Test(
    "a retry judges its pairs among all, by a share and by a balance, and changes no shard of before",
    arguments: [
      "top_fraction: {column: score, fraction: 0.4}",
      "balance: {metadata: ENTRIES, t: 9, seed: 3}",
    ])
  func retried(rule: String) throws {
    let scratch = try TemporaryFolder()
    let web = try Web(rows: 120, healed: false)
    let (list, scores) = (
      try web.list(in: scratch.path, hasScore: true), try web.scores(in: scratch.path)
    )
    let plan = scratch.path + "/plan.yaml"
    try DurableFile.write("red\nhouse\nlake\n", to: scratch.path + "/entries.txt")
    try DurableFile.write(
      "rules:\n  - " + rule.replacing("ENTRIES", with: scratch.path + "/entries.txt") + "\n",
      to: plan)
    let run = scratch.path + "/run"
    let first = try Program.run(Self.run(list, scores, run, ["filter.plan=\(plan)"]))
    #expect(first.status == 0, "\(first.error)")
    let before = try contents(of: run, ["shards", "scores", "filtered"])
    let early = try Self.final(run, web)
    #expect(!early.isEmpty && early.allSatisfy { !web.rows[$0].isWeak })

    web.heal()
    let retry = try Program.run(["retry", run])
    #expect(retry.status == 0, "\(retry.error)")
    #expect(retry.error.contains("healed: 40 of 40"), "\(retry.error)")
    let after = try contents(of: run, ["shards", "scores", "filtered"])
    for (name, bytes) in before where !name.hasSuffix("sizes.json") {
      #expect(after[name] == bytes, "\(name)")
    }
    let late = try Self.final(run, web).subtracting(early)
    #expect(try Self.final(run, web).isSuperset(of: early))
    // Another way to all the pairs: the run's shards, by the command.
    let kept = scratch.path + "/kept.txt"
    let judged = try Program.run([
      "filter", run + "/shards", "--plan", plan, "--scores", scores, "--list", kept,
    ])
    #expect(judged.status == 0, "\(judged.error)")
    let uids = Set(
      String(decoding: try DurableFile.read(kept), as: UTF8.self).split(separator: "\n")
        .map(String.init))
    let ofAll = try web.rows.indices.filter { row in
      uids.contains(
        PairIdentity.uid(
          normalizedURL: try #require(NormalizedURL.normalize(web.rows[row].url)),
          caption: web.rows[row].caption))
    }
    #expect(ofAll.count == uids.count)
    #expect(late == Set(ofAll.filter { web.rows[$0].isWeak }) && !late.isEmpty)
    if rule.hasPrefix("top") { #expect(ofAll.count == 48) }
    let page = String(decoding: try DurableFile.read(run + "/report.html"), as: UTF8.self)
    #expect(page.contains("keep the verdict they got"))
  }

  @Test("killed in the filter stage, the run goes on to the same bytes")
  func killed() throws {
    let scratch = try TemporaryFolder()
    let web = try Web(rows: 200)
    let (list, scores) = (
      try web.list(in: scratch.path, hasScore: true), try web.scores(in: scratch.path)
    )
    let (fresh, killed) = (scratch.path + "/fresh", scratch.path + "/killed")
    let rules =
      "filter.rules=[{top_fraction: {column: score, fraction: 0.6}}, {caption: {min_words: 2}}]"
    #expect(try Program.run(Self.run(list, scores, fresh, [rules])).status == 0)
    #expect(try Program.run(Self.run(list, scores, killed, [])).status == 0)
    let seed = UInt64(Date.now.timeIntervalSince1970 * 1_000)
    var random = RandomStream(seed: seed)
    // All is there but the filter's work, so a kill falls into that.
    let redo = Self.run(list, scores, killed, [rules]) + ["--redo", "filter"]
    var kills = 0
    // On a quiet machine it takes a tenth of a second, on a busy one a second.
    for latest in [0.05, 0.1, 0.2, 0.4] {
      for _ in 0..<4 where try Program.runAndKill(redo, after: random.uniform(in: 0.01..<latest)) {
        kills += 1
      }
    }
    let last = try Program.run(Self.run(list, scores, killed, [rules]) + ["--redo", "filter"])
    #expect(last.status == 0, "\(last.error)")
    #expect(kills > 0, "seed \(seed)")
    let (found, expected) = (
      try contents(of: killed, Self.parts), try contents(of: fresh, Self.parts)
    )
    #expect(found.keys.sorted() == expected.keys.sorted(), "seed \(seed)")
    for (name, bytes) in expected { #expect(found[name] == bytes, "\(name), seed \(seed)") }
  }

  @Test(
    "a column that will not be there is told before the first request, with what was meant",
    arguments: ["list.csv", "list.jsonl"])
  func missing(name: String) throws {
    let scratch = try TemporaryFolder()
    let web = try Web(rows: 40)
    let (list, scores) = (try web.list(in: scratch.path, name), try web.scores(in: scratch.path))
    let run = scratch.path + "/run"
    for (number, (rule, words)) in [
      ("min: {column: aestetic, value: 5}", "did you mean `aesthetic`?"),
      (
        "top_fraction: {column: clip_l14_similarity_score, fraction: 0.3}",
        "--set filter.columns=[clip_l14_similarity_score=score] takes the scores for it"
      ),
    ].enumerated() {
      let told = try Program.run(
        Self.run(list, scores, "\(run)-\(number)", ["filter.rules=[{\(rule)}]"]))
      #expect(told.status == 2 && told.error.contains(words), "\(told.error)")
      #expect(web.requests == 0)
    }
    // The rule as it was meant, in the same folder; where the list had to be taken in to know, it is bound.
    let right = Self.run(
      list, scores, run + "-0", ["filter.rules=[{min: {column: aesthetic, value: 5}}]"])
    let done = try Program.run(right + (name == "list.csv" ? [] : ["--redo", "filter"]))
    #expect(done.status == 0, "\(done.error)")
    #expect(web.requests == 40)
    #expect(
      try Self.final(run + "-0", web)
        == Set(web.rows.indices.filter { web.rows[$0].aesthetic >= 5 }))
    let unscored = try Program.run(
      Self.run(list, nil, run + "-u", ["filter.rules=[{min: {column: score, value: 0.3}}]"]))
    #expect(unscored.status == 2 && unscored.error.contains("there is no column `score`"))
  }
}
