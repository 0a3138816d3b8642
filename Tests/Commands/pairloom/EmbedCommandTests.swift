import DurableFiles
import EmbeddingFiles
import Foundation
import PairDataset
import PipelineCore
import SeededRandom
import Testing

/// `pairloom embed`, `search` and `dedup --semantic` as a user runs them, with the bundled scorer of scenes.
@Suite(.serialized) struct EmbedCommandTests {
  private static func embed(_ source: String, _ out: String, _ more: [String] = []) -> [String] {
    ["embed", source, "--model", "scenes", "--out", out, "--part-rows", "512"] + more
  }

  /// What does not depend on where the shards lie.
  private static func results(of folder: String) throws -> [String: Data] {
    try contents(of: folder, [""]).filter { $0.key != "/sources.json" }
  }

  @Test("killed at any moment, the same command goes on to the same bytes, on any number of cores")
  func kills() throws {
    let folder = try TemporaryFolder()
    let source = folder.path + "/source"
    _ = try DedupCommandTests.shards(900, in: source, seed: 31)
    let calm = folder.path + "/calm"
    let start = Date.now
    let whole = try Program.run(Self.embed(source, calm, ["--threads", "1"]))
    #expect(whole.status == 0, "\(whole.error)")
    let seconds = Date.now.timeIntervalSince(start)
    let expected = try Self.results(of: calm)
    #expect(expected["/img_emb/img_emb_3.npy"] != nil)
    let seed = UInt64(Date.now.timeIntervalSince1970 * 1_000)
    var random = RandomStream(seed: seed)
    let out = folder.path + "/out"
    var killed = 0
    for _ in 0..<5 {
      // Earlier than all cores could end the work of one.
      let moment = random.uniform(in: 0.05..<0.3) * seconds
      if try Program.runAndKill(Self.embed(source, out), after: moment) { killed += 1 }
    }
    #expect(killed > 0, "seed \(seed)")
    let end = try Program.run(Self.embed(source, out))
    #expect(end.status == 0, "\(end.error)")
    let found = try Self.results(of: out)
    #expect(Set(found.keys) == Set(expected.keys), "seed \(seed)")
    for (name, bytes) in expected { #expect(found[name] == bytes, "\(name), seed \(seed)") }
  }

  @Test("the scores are those of `pairloom score`, and a picture is found by itself")
  func searches() throws {
    let folder = try TemporaryFolder()
    let source = folder.path + "/source"
    let shards = try DedupCommandTests.shards(300, in: source, seed: 32)
    let out = folder.path + "/out"
    #expect(try Program.run(Self.embed(source, out)).status == 0)
    #expect(
      try Program.run(
        ["score"] + shards + ["--model", "scenes", "--out", folder.path + "/scores.parquet"]
      ).status == 0)
    let expected = try PairTable.read(folder.path + "/scores.parquet")
    let scores = try (0..<2).flatMap { try PairTable.read("\(out)/scores/scores_\($0).parquet") }
    #expect(scores.count == 600 && expected.count == 600)
    for (one, other) in zip(scores, expected) {
      #expect(one["uid"] == other["uid"])
      // Batches of other pairs: a product may round its sums in another order.
      #expect(abs((one["score"]?.double ?? 9) - (other["score"]?.double ?? -9)) < 1e-5)
    }
    // The footers name the model alike, so that the tables join; only the shards are told by one.
    let footers = try ["\(out)/scores/scores_0.parquet", folder.path + "/scores.parquet"].map {
      try PairTable.metadata(of: $0)
    }
    #expect(footers[0]["program"] != nil && (footers[0]["weights"] ?? "").count == 64)
    for (fact, value) in footers[0] { #expect(footers[1][fact] == value, "\(fact)") }
    let others = Set(footers[1].keys).subtracting(footers[0].keys)
    #expect(others.isSubset(of: ["shards", "shards_sha256", "pairs", "rows_sha256"]), "\(others)")
    let pair = try ShardReader(path: shards[1]).pair(at: 41)
    try DurableFile.write(pair.image, to: folder.path + "/picture")
    let sheet = folder.path + "/sheet.html"
    let found = try Program.run([
      "search", out, "--picture", folder.path + "/picture", "--model", "scenes", "--top", "5",
      "--sheet", sheet, "--json",
    ])
    #expect(found.status == 0, "\(found.error)")
    let answer = try JSONValue.parse(Array(try #require(found.lines.first).utf8))
    guard case .array(let hits)? = answer["hits"] else {
      Issue.record("no hits: \(found.output)")
      return
    }
    #expect(hits.count == 5)
    // Its vector is a rounded copy of the query: the product of 64 to 512 numbers is off by 2^-11 at most.
    #expect((hits[0]["score"]?.double ?? 0) > 0.999)
    #expect(hits.prefix(2).contains { $0["key"]?.text == pair.key })
    let page = String(decoding: try DurableFile.read(sheet), as: UTF8.self)
    #expect(page.components(separatedBy: "data:image/").count == 6)
    let text = try Program.run([
      "search", out, "--text", pair.caption, "--by", "text", "--model", "scenes", "--top", "1",
    ])
    #expect(text.lines.count == 1 && text.lines[0].contains(pair.caption), "\(text.output)")
    let wrong = try Program.run(["search", out, "--model", "scenes"])
    #expect(wrong.status == 2)
  }

  @Test(
    "killed at any moment, semantic deduplication goes on to the same bytes, its page among them")
  func killed() throws {
    let folder = try TemporaryFolder()
    let source = folder.path + "/source"
    _ = try DedupCommandTests.shards(400, in: source, seed: 35)
    let vectors = folder.path + "/vectors"
    let embedded = try Program.run(["embed", source, "--model", "scenes", "--out", vectors])
    #expect(embedded.status == 0, "\(embedded.error)")
    func command(_ out: String) -> [String] {
      [
        "dedup", "--semantic", "0.0001", vectors, "--clusters", "40", "--pairs", "90", "--out", out,
      ]
    }
    let calm = folder.path + "/calm"
    let start = Date.now
    let whole = try Program.run(command(calm) + ["--threads", "1"])
    #expect(whole.status == 0, "\(whole.error)")
    let seconds = Date.now.timeIntervalSince(start)
    let expected = try contents(of: calm, [""])
    let page = String(decoding: try DurableFile.read(calm + "/report.html"), as: UTF8.self)
    for words in [
      "The largest groups", "kept: row", "cosine 1.0000", "Dropped, just below the threshold",
      "Histogram: cosine", "audit: rows held against all others", "src=\"data:image/jpeg",
    ] { #expect(page.contains(words), "\(words)") }
    let seed = UInt64(Date.now.timeIntervalSince1970 * 1_000)
    var random = RandomStream(seed: seed)
    let out = folder.path + "/out"
    var kills = 0
    for _ in 0..<8 {
      if try Program.runAndKill(command(out), after: seconds * random.uniform()) { kills += 1 }
    }
    let last = try Program.run(command(out))
    #expect(last.status == 0, "\(last.error)")
    let found = try contents(of: out, [""])
    #expect(found.keys.sorted() == expected.keys.sorted(), "seed \(seed), \(kills) kills")
    for (name, bytes) in expected { #expect(found[name] == bytes, "\(name), seed \(seed)") }
    #expect(
      try DurableFile.names(in: folder.path).sorted() == ["calm", "out", "source", "vectors"])
    let other = try Program.run(command(out) + ["--keep", "easy"])
    #expect(other.status == 2 && other.error.contains("keep: was hard, now easy"), "\(other.error)")
  }

  @Test("semantic duplicates go, clusters are told, on any number of cores")
  func semantic() throws {
    let folder = try TemporaryFolder()
    let source = folder.path + "/source"
    _ = try DedupCommandTests.shards(250, in: source, seed: 33)
    let out = folder.path + "/out"
    let made = try Program.run([
      "dedup", "--semantic", "0.0001", source, "--model", "scenes", "--clusters", "4", "--out", out,
    ])
    #expect(made.status == 0, "\(made.error)")
    let table = try PairTable.read(out + "/semantic.parquet")
    #expect(table.count == 500)
    // Every scene stands there twice, and the copy is as near as can be.
    let dropped = table.filter { $0["kept"] == .bool(false) }
    #expect(dropped.count >= 250)
    #expect(dropped.allSatisfy { ($0["match_cosine"]?.double ?? 0) > 0.9999 })
    let manifest = try DatasetManifest.read(out + "/dataset.json")
    #expect(manifest.pairs == 500 - dropped.count)
    let again = folder.path + "/again"
    let second = try Program.run([
      "dedup", "--semantic", "0.0001", out + ".embeddings", "--clusters", "4", "--out", again,
      "--threads", "1",
    ])
    #expect(second.status == 0, "\(second.error)")
    #expect(try contents(of: again, [""]) == contents(of: out, [""]))
    let plan = try Program.run([
      "dedup", "--semantic", "0.0001", out + ".embeddings", "--clusters", "4", "--plan", "--json",
    ])
    let json = try JSONValue.parse(Array(try #require(plan.lines.first).utf8))
    #expect(json["duplicates"]?.integer == dropped.count)
    let clusters = folder.path + "/clusters.parquet"
    let clustered = try Program.run([
      "embed", "cluster", out + ".embeddings", "--clusters", "6", "--out", clusters,
    ])
    #expect(clustered.status == 0, "\(clustered.error)")
    let rows = try PairTable.read(clusters)
    #expect(rows.count == 500 && Set(rows.compactMap { $0["image_cluster"]?.integer }).count == 6)
    let centroids = try NumpyRows(path: clusters + ".centroids.npy")
    #expect(centroids.rows == 6 && centroids.type == .float32)
  }
}
