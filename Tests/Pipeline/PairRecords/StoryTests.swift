import DurableFiles
import Foundation
import JobLedger
import PairDataset
import PairRecords
import PipelineCore
import ShardMaintenance
import Testing
import URLPipeline

@Suite(.serialized) struct StoryTests {
  static let filter = ["filter.min_score=0.05", "shard_pairs=4"]

  @Test("every fate there is in a finished run is told with its reason")
  func fates() async throws {
    let web = try StoryWeb()
    try await web.run("run", Self.filter, scorer: ToyScorer())
    let starts: [(row: Int, fate: String, words: String)] = [
      (3, "dropped", "dropped in filter: low_score: 0.03 is below filter.min_score 0.05; final"),
      (7, "kept", "kept: filtered/00000.tar.lz4, key "),
      (10, "dropped", "dropped in download: http_status 404; final"),
      (11, "dropped", "dropped in download: http_status 503; may heal"),
      (
        12, "dropped", "dropped in ingest: duplicate_url of row 5, which was kept; final"
      ),
      (
        13, "dropped", "dropped in deduplicate: duplicate_bytes of row 5, which was kept; final"
      ),
      (14, "dropped", "dropped in download: robots by x_robots_tag; final"),
      (15, "dropped", "dropped in decode: not_an_image (the bytes begin like no known format)"),
      (16, "rejected", "rejected as the list was taken in: "),
      (17, "dropped", "dropped in ingest: bad_url; final"),
      (19, "dropped", "dropped in download: timeout ("),
      (20, "kept", "kept: filtered/0000"),
    ]
    for (row, fate, words) in starts {
      let story = try await web.story("run", row: row)
      #expect(story.row == row)
      #expect(story.fate == fate, "row \(row)")
      #expect(story.conclusion.hasPrefix(words), "row \(row): \(story.conclusion)")
      #expect(story.lines[0] == story.conclusion)
    }
    let timeout = try await web.story("run", row: 19)
    #expect(timeout.conclusion.hasSuffix("; may heal"))
    #expect(
      timeout.advice == ["ask again: `pairloom retry \(web.path("run")) --where \"row = 19\"`"])
    #expect(timeout.failureClass == .transient)
    let refused = try await web.story("run", row: 14)
    #expect(refused.advice == [])
    #expect(refused.value("policy", "rule") == .string("x_robots_tag"))
    #expect(refused.value("policy", "source") == .string(web.server.url("/noai/14")))
    #expect(refused.value("policy", "text")?.text?.contains("noai") == true)
    let duplicate = try await web.story("run", row: 13)
    let survivor = try await web.story("run", row: 5)
    #expect(duplicate.value("deduplicate", "of") == .int(5))
    #expect(duplicate.value("deduplicate", "of_url") == .string(web.server.url("/ok/5")))
    #expect(duplicate.value("deduplicate", "of_fate") == .string(survivor.conclusion))
    let low = try await web.story("run", row: 3)
    #expect(low.value("score", "toy-1") == .number("0.03"))
    #expect(low.value("final", "file") == nil)
    #expect(low.value("shard", "file") == .string("shards/00000.tar.lz4"))
    let moved = try await web.story("run", row: 20)
    #expect(moved.value("download", "final_url") == .string(web.server.url("/ok/20")))
    #expect(moved.value("download", "redirects") == .int(1))
    #expect(moved.value("decode", "original_size") == .array([.int(24), .int(24)]))
  }

  @Test("a kept pair is where its story says, in the chunk's shard and in the final one")
  func places() async throws {
    let web = try StoryWeb()
    try await web.run("run", Self.filter, scorer: ToyScorer())
    web.heal()
    _ = try await web.retry("run", scorer: ToyScorer())
    let root = web.path("run")
    // What a reader of the shards finds, whatever their numbers.
    var homes: [Int: (file: String, key: String, number: Int)] = [:]
    for shard in try DatasetManifest.read(root + "/dataset.json").shards {
      var number = 0
      try ShardReader(path: "\(root)/\(shard.file)").forEach { pair in
        homes[Int(pair.caption.split(separator: " ")[1]) ?? -1] = (shard.file, pair.key, number)
        number += 1
      }
    }
    #expect(homes.keys.sorted() == [5, 6, 7, 8, 9, 11, 18, 19] + Array(20..<30))
    for (row, home) in homes {
      let story = try await web.story("run", row: row)
      #expect(story.conclusion == "kept: \(home.file), key \(home.key)")
      #expect(story.value("final", "file") == .string(home.file))
      #expect(story.value("final", "number") == .int(home.number))
      for chapter in ["shard", "final"] {
        let file = try #require(story.value(chapter, "file")?.text)
        let frame = try #require(story.value(chapter, "frame_offset")?.integer)
        let start = try #require(story.value(chapter, "tar_offset")?.integer)
        #expect(story.value(chapter, "members")?.members.map(\.key) == ["jpg", "json", "txt"])
        // A tar member's header begins with its name; `lz4` frames with their magic number.
        let bytes = try DurableFile.read("\(root)/\(file)", count: 4, at: frame)
        #expect(bytes == [0x04, 0x22, 0x4D, 0x18])
        #expect(start % 512 == 0)
      }
    }
  }

  @Test("what retries have done is told in order, and the newest counts")
  func healed() async throws {
    let web = try StoryWeb()
    try await web.run("run")
    web.heal()
    _ = try await web.retry("run")
    for row in [11, 19] {
      let story = try await web.story("run", row: row)
      #expect(story.fate == "kept")
      #expect(story.conclusion.hasPrefix("kept: shards/00003.tar.lz4, key "))
      #expect(story.parts.map(\.generation) == [0, 1])
      #expect(story.parts.map(\.expression) == [nil, PipelineRun.usualRetry])
      #expect(story.parts.map(\.chunk) == [1, 3])
      #expect(story.lines.contains("retry 1: WHERE class = 'transient'"))
      let results = story.parts.map { part in
        part.chapters.first { $0.title == "download" }?.facts.first { $0.name == "result" }?.value
      }
      #expect(
        results == [.string(row == 11 ? "http_status" : "timeout"), .string("fetched")])
    }
    #expect(try await web.story("run", row: 10).parts.count == 1)
  }

  @Test("URL, uid and key lead to the row, however the URL is spelled")
  func lookups() async throws {
    let web = try StoryWeb()
    try await web.run("run")
    let story = try await web.story("run", row: 7)
    let uid = try #require(story.uid)
    for text in [
      uid, uid.uppercased(), web.server.url("/ok/7"), " " + web.server.url("/ok/7#top"),
      "HTTP://127.0.0.1:\(web.server.port)/ok/7", uid + "-7",
    ] {
      #expect(try await web.stories("run", text) == [story], "\(text)")
    }
    #expect(try await web.stories("run", web.server.url("/ok/5")).map(\.row) == [5, 12])
    #expect(try await web.stories("run", "htp://x").map(\.row) == [17])
    #expect(
      try await web.help("run", "30") == "there is no row 30: the list has 30 rows, 0 to 29")
    #expect(
      try await web.help("run", web.server.url("/none"))?
        .contains("is in the list 28 times: rows 0, 1, 2 …") == true)
    #expect(
      try await web.help("run", "http://example.org/a")?
        .contains("example.org, is not in the list at all") == true)
    #expect(try await web.help("run", "00112233445566778899aabbccddeeff")?.contains("uid") == true)
    #expect(try await web.help("run", "what-is-this")?.contains("no pair has the key") == true)
  }

  @Test("img2dataset's keys name their rows, kept or not")
  func foreignKeys() async throws {
    let web = try StoryWeb()
    try await web.run("run", ["layout=img2dataset"])
    for (key, row) in [("000007", 7), ("000010", 10), ("000028", 28)] {
      let stories = try await web.stories("run", key)
      #expect(stories.map(\.row) == [row])
    }
    #expect(try await web.story("run", row: 7).conclusion == "kept: shards/00000.tar, key 000007")
    #expect(try await web.story("run", row: 7).value("shard", "frame_offset") == nil)
    #expect(try await web.stories("run", "7").map(\.row) == [7])
    #expect(try await web.help("run", "000999") != nil)
  }

  @Test("a pair of a chunk that is not done, or was given up, is told as such")
  func unfinished() async throws {
    let web = try StoryWeb()
    try await web.run("run")
    let ledger = try SQLiteLedger(path: RunFolder(web.path("run")).ledger)
    let names = ["decode", "deduplicate", "shard"].map { JobName(stage: $0, chunk: 2) }
    _ = try await ledger.reopen(names + [JobName(stage: "filter", chunk: 0)])
    let pending = try await web.story("run", row: 25)
    #expect(pending.fate == "pending")
    #expect(pending.conclusion == "not done yet: decode of chunk 2 is to come")
    #expect(pending.lines.contains { $0.contains("waits for a worker") })
    // What was dropped before is known already; other chunks wait for the filter.
    #expect(try await web.story("run", row: 10).fate == "dropped")
    #expect(
      try await web.story("run", row: 7).conclusion == "not done yet: filter of chunk 0 is to come")

    // What is in a table's place fails the chunk for good.
    let table = RunFolder(web.path("run")).decodedTable(2)
    try FileManager.default.removeItem(atPath: table)
    try DurableFile.makeFolder(table)
    let again = try await PipelineRun(
      recipe: try await PipelineRun.recipe(
        of: web.path("run"), overrides: ["chunk_attempts=1"]),
      folder: web.path("run"), workers: 1
    ).resume()
    #expect(!again.isComplete)
    let lost = try await web.story("run", row: 25)
    #expect(lost.fate == "quarantined")
    #expect(lost.conclusion == "given up with its chunk: decode of chunk 2 is quarantined")
    #expect(lost.advice[0].contains("pairloom quarantine"))
    let failed = try #require(
      lost.parts[0].jobs.first { $0.value["outcome"] == .string("failed") })
    #expect(failed.value["pid"]?.integer == Int(getpid()))
    #expect(failed.value["error"]?.text?.isEmpty == false)
    #expect(try await web.story("run", row: 7).fate == "kept")
  }

  @Test("of a pair that was taken out nothing is told but that")
  func forgotten() async throws {
    let web = try StoryWeb()
    try await web.run("run", Self.filter, scorer: ToyScorer())
    let folder = RunFolder(web.path("run"))
    let before = try await web.story("run", row: 18)
    let url = web.server.url("/ok/18")
    _ = try await Forgetter.forget([try ForgetRequest(.url, url)], in: folder, now: 1_000)
    for text in ["18", try #require(before.uid), url] {
      let stories = try await web.stories("run", text)
      #expect(stories.map(\.row) == [18], "\(text)")
      #expect(stories[0].fate == "forgotten")
      #expect(stories[0].conclusion.hasPrefix("forgotten: taken out by `pairloom forget`, "))
      let words = stories[0].lines.joined() + stories[0].json.serialized
      for secret in [url, "/ok/18", "caption 18", "c18", "127.0.0.1"] {
        #expect(!words.contains(secret), "\(secret)")
      }
    }
    // The others stand where they stood, one place further to the front.
    #expect(try await web.story("run", row: 20).conclusion.hasPrefix("kept: filtered/"))
  }
}
