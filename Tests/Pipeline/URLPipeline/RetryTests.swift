import DurableFiles
import FaultServer
import Foundation
import JobLedger
import PairDataset
import PipelineCore
import TableQuery
import Testing
import URLPipeline

@Suite(.serialized) struct RetryTests {
  /// Thirty rows in three chunks: what may heal, what may not, and what is kept.
  static let paths: [String] =
    (0..<10).map { "/ok/\($0)" }
    + (10..<16).map { "/heal/\($0)" } + (16..<18).map { "/once/\($0)" }
    + (18..<20).map { "/page/\($0)" }
    // Duplicates of a row that heals, of one that is kept, and, by bytes, of row 3.
    + ["/heal/10", "/ok/0", "/heal/3"]
    + (23..<25).map { "/refused/\($0)" } + (25..<28).map { "/never/\($0)" }
    + ["no url", "/ok/29"]

  /// Kept and dropped make up the rows, each counted once.
  static func balances(_ status: RunStatus, rows: Int, dropped: [String: Int]) -> Bool {
    status.failures == dropped && status.pairs("rows") == rows
      && status.pairs("kept") + status.failures.values.reduce(0, +) == rows
      && status.isFinished
  }

  @Test("what may heal is asked for again, and nothing else, and healed pairs go into new shards")
  func heals() async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    let first = try await web.run(list, into: "run").run()
    #expect(
      Self.balances(
        first.status, rows: 30,
        dropped: [
          "http_status": 12, "not_an_image": 2, "duplicate_url": 2, "robots": 2, "bad_url": 1,
        ]))
    #expect(first.status.transient == 10)
    let published = try web.published("run")
    let folder = web.folder + "/run"

    // Matched: six that heal, three that never do and the bytes of row 3.
    let selection = try await PipelineRun.retryable(in: folder, where: PipelineRun.usualRetry)
    #expect(selection.matched == 10)
    #expect(selection.mayHeal == [.httpStatus: 10])
    #expect(selection.leftOut.isEmpty)
    let all = try await PipelineRun.retryable(in: folder, where: "1")
    #expect(all.matched == 30)
    #expect(all.mayHeal == [.httpStatus: 12, .notAnImage: 2])
    #expect(
      all.leftOut == ["kept": 11, "duplicates": 2, "refused by policy": 2, "no URLs": 1])

    web.heal()
    let outcome = try await web.again("run").retry(where: PipelineRun.usualRetry)
    #expect(outcome.isComplete)
    #expect(outcome.status.retried == 10)
    #expect(outcome.status.transient == 3)
    #expect(
      Self.balances(
        outcome.status, rows: 30,
        dropped: [
          // 404 twice and never thrice remain; row 22 has the bytes of row 3.
          "http_status": 5, "not_an_image": 2, "duplicate_url": 2, "robots": 2, "bad_url": 1,
          "duplicate_bytes": 1,
        ]))
    // Words are told from pictures by the download, where it looks, or else by decoding.
    let words = try await PipelineRun.retryable(in: folder, where: "stage = 'decode'").matched
    #expect(outcome.status.pairs("fetched") == 11 + 7 + words)
    let after = try web.published("run")
    for (name, bytes) in published { #expect(after[name] == bytes, "\(name) was changed") }
    #expect(Set(after.keys).subtracting(published.keys).contains("shards/00003.tar.lz4"))
    #expect(try web.keptRows("run") == Array(0..<10) + [29] + Array(10..<16))
    let manifest = try DatasetManifest.read(outcome.dataset)
    #expect(manifest.funnel.map(\.pairs) == [30, 18 + words, 18, 17, 17, 17])
    // Same row and uid as in the list.
    let old = try JSONLines.read(folder + "/chunks/00001.jsonl", as: PairCandidate.init)
    let new = try JSONLines.read(folder + "/chunks/00003.jsonl", as: PairCandidate.init)
    #expect(new.map(\.row) == [10, 11, 12, 13, 14, 15, 22, 25, 26, 27])
    #expect(new.first == old.first)
    // Refused, kept and duplicate rows were never asked for again.
    for path in ["/refused/23", "/ok/0", "/page/18", "/once/16"] {
      #expect(web.server.requests(of: path) == 1, "\(path)")
    }
  }

  @Test("a second retry works on the result, and a row counts by its newest fate")
  func twice() async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    _ = try await web.run(list, into: "run").run()
    // Nothing has healed yet: the same rows fail once more.
    let vain = try await web.again("run").retry(where: PipelineRun.usualRetry)
    #expect(vain.status.pairs("kept") == 11)
    #expect(vain.status.failures["http_status"] == 12)
    #expect(vain.status.pairs("kept") + vain.status.failures.values.reduce(0, +) == 30)
    let folder = web.folder + "/run"
    let selection = try await PipelineRun.retryable(in: folder, where: "1")
    #expect(selection.matched == 30)
    #expect(selection.mayHeal == [.httpStatus: 12, .notAnImage: 2])
    #expect(try await PipelineRun.retryable(in: folder, where: "chunk = 3").matched == 10)

    web.heal()
    let second = try await web.again("run", workers: 2).retry(where: "1")
    #expect(second.isComplete)
    #expect(second.status.retried == 10 + 14)
    #expect(
      Self.balances(
        second.status, rows: 30,
        dropped: [
          "http_status": 3, "duplicate_url": 2, "robots": 2, "bad_url": 1, "duplicate_bytes": 1,
        ]))
    // Pictures that came as pages at first were fetched twice, and count once.
    #expect(second.status.pairs("fetched") == 30 - 3 - 2 - 2 - 1)
    #expect(try Set(web.keptRows("run")) == Set(Array(0..<20) + [29]))
    #expect(try web.keptRows("run").count == 21)
    // Whoever runs the first command again finds nothing to do.
    let again = try await web.run(list, into: "run").run()
    #expect(again.status == second.status)
    let third = try await PipelineRun.retryable(in: folder, where: "1")
    #expect(third.mayHeal == [.httpStatus: 3])
  }

  @Test(
    "filtered shards are added to, never changed",
    arguments: [["filter.min_score=0.12"], ["filter.top_fraction=0.5"]])
  func filtered(options: [String]) async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    let first = try await web.run(list, into: "run", options, scorer: ToyScorer()).run()
    let kept = try web.keptRows("run")
    let published = try web.published("run")
    web.heal()
    let outcome = try await web.again("run", scorer: ToyScorer()).retry(where: "1")
    #expect(outcome.isComplete)
    let after = try web.published("run")
    for (name, bytes) in published { #expect(after[name] == bytes, "\(name) was changed") }
    // Rows 10 to 19 heal; rows 0 to 9 and 29 were scored before. Score is the row.
    // Half of 21 is 11: rows 10 to 19 and row 29; the six of before stay, though five are no longer.
    let healed = options[0].hasPrefix("filter.min") ? 12..<20 : 10..<20
    #expect(try web.keptRows("run") == kept + Array(healed))
    let status = outcome.status
    #expect(status.pairs("kept") == first.status.pairs("kept") + healed.count)
    #expect(status.pairs("kept") + status.failures.values.reduce(0, +) == 30)
    let manifest = try DatasetManifest.read(outcome.dataset)
    #expect(manifest.shards.map(\.file) == ["filtered/00000.tar.lz4", "filtered/00001.tar.lz4"])
    #expect(manifest.pairs == status.pairs("kept"))
  }

  @Test("a retry that is stopped is ended by the next one, to the same bytes", arguments: [1, 2])
  func stopped(workers: Int) async throws {
    let web = try HealingWeb()
    let paths = (0..<80).map { $0 % 2 == 0 ? "/ok/\($0)" : "/heal/\($0)" }
    let list = try web.list(paths)
    for name in ["whole", "stopped"] { _ = try await web.run(list, into: name).run() }
    web.heal()
    _ = try await web.again("whole").retry(where: PipelineRun.usualRetry)
    let run = try await web.again("stopped", workers: workers)
    for step in ["fetched", "decoded", "sharded"] {
      let before = try await PipelineRun.status(folder: web.folder + "/stopped").pairs(step)
      let (stops, stop) = AsyncStream.makeStream(of: Void.self)
      let task = Task {
        defer { stop.finish() }
        return try await run.retry(
          where: PipelineRun.usualRetry, reportingEvery: .milliseconds(2)
        ) { if $0.pairs(step) > before { stop.yield() } }
      }
      for await _ in stops { break }
      task.cancel()
      _ = await task.result
    }
    let unfinished = try await PipelineRun.unfinishedRetry(in: web.folder + "/stopped")
    // A fast machine may have ended it before it was stopped; then there is nothing to resume.
    if unfinished != nil { _ = try await run.retry(where: PipelineRun.usualRetry) }
    let (whole, again) = try (web.published("whole"), web.published("stopped"))
    #expect(again.keys.sorted() == whole.keys.sorted())
    for (name, bytes) in whole { #expect(again[name] == bytes, "\(name)") }
    #expect(
      try DurableFile.read(web.folder + "/whole/dataset.json")
        == DurableFile.read(web.folder + "/stopped/dataset.json"))
    #expect(try web.keptRows("stopped").sorted() == Array(0..<80))
  }

  @Test("a retry that was given up does not stand in the way of the next")
  func givenUp() async throws {
    let web = try HealingWeb()
    let list = try web.list(["/ok/1", "/heal/2"])
    _ = try await web.run(list, into: "run", ["chunk_attempts=1"]).run()
    let folder = web.folder + "/run"
    let ledger = try SQLiteLedger(path: RunFolder(folder).ledger)
    // A question that no version of the program would have asked: the job fails for good.
    #expect(
      try await ledger.addWhenIdle(
        [NewJob(JobName(stage: "ingest", chunk: 1), rank: 0)], note: ("retry.1", "no(sense"),
        now: WorkerGroup.wallClock()))
    let failed = try await web.again("run").run()
    #expect(failed.status.quarantined.map(\.job) == ["ingest 1"])
    web.heal()
    let outcome = try await web.again("run").retry(where: PipelineRun.usualRetry)
    #expect(outcome.status.isFinished)
    #expect(outcome.status.pairs("kept") == 2)
    #expect(outcome.status.failures.isEmpty)
    #expect(try web.keptRows("run") == [0, 1])
    #expect(try await PipelineRun.retryable(in: folder, where: "1").leftOut == ["kept": 2])
  }

  @Test(
    "a retry whose chunk was given up leaves its rows as they were, for the next one to ask for")
  func chunkGivenUp() async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    let first = try await web.run(list, into: "run", ["chunk_attempts=1"]).run().status
    let folder = web.folder + "/run"
    let selection = try await PipelineRun.retryable(in: folder, where: "1")
    web.heal()
    // What is in a table's place fails the chunk when its pictures are here.
    let obstacle = RunFolder(folder).decodedTable(3)
    try DurableFile.makeFolder(obstacle)
    let vain = try await web.again("run").retry(where: "row < 20")
    #expect(vain.status.quarantined.map(\.job) == ["decode 3", "deduplicate 3", "shard 3"])
    #expect(vain.status.isFinished)
    #expect(vain.status.retried == 10)
    #expect(vain.status.failures == first.failures)
    #expect(vain.status.funnel == first.funnel)
    #expect(vain.status.transient == first.transient)
    #expect(
      try DatasetManifest.read(vain.dataset).funnel.map(\.pairs) == first.funnel.map(\.pairs))
    #expect(try await PipelineRun.retryable(in: folder, where: "1") == selection)

    try FileManager.default.removeItem(atPath: obstacle)
    let outcome = try await web.again("run").retry(where: "1")
    #expect(outcome.status.retried == 24)
    #expect(
      Self.balances(
        outcome.status, rows: 30,
        dropped: [
          "http_status": 3, "duplicate_url": 2, "robots": 2, "bad_url": 1, "duplicate_bytes": 1,
        ]))
    let funnel = [30, 22, 22, 21, 21, 21]
    #expect(outcome.status.funnel.map(\.pairs) == funnel)
    #expect(try DatasetManifest.read(outcome.dataset).funnel.map(\.pairs) == funnel)
    #expect(try Set(web.keptRows("run")) == Set(Array(0..<20) + [29]))
  }

  @Test("what cannot be retried says why: no run, an unfinished one, another retry, a bad question")
  func refusals() async throws {
    let web = try HealingWeb()
    let folder = web.folder + "/run"
    await #expect(throws: NoRunError.self) {
      try await PipelineRun.retryable(in: folder, where: "1")
    }
    let list = try web.list(Self.paths)
    let run = try web.run(list, into: "run")
    try RunFolder(folder).make()
    let ledger = try SQLiteLedger(path: RunFolder(folder).ledger)
    try await ledger.add(
      [NewJob(JobName(stage: "ingest", chunk: 0), rank: 0)], now: WorkerGroup.wallClock())
    await #expect(throws: RetryError.unfinished(folder: folder)) {
      try await PipelineRun.unfinishedRetry(in: folder)
    }
    await #expect(throws: RetryError.withoutNotes(folder: folder)) {
      try await PipelineRun.recipe(of: folder)
    }
    _ = try await run.run()
    #expect(try await PipelineRun.unfinishedRetry(in: folder) == nil)
    await #expect(throws: TableQueryError.self) {
      try await web.again("run").retry(where: "1); DROP TABLE jobs; --")
    }
    // Options that make other pictures are refused as on any resumed run.
    let other = try await PipelineRun.recipe(of: folder, overrides: ["image_size=20"])
    await #expect(throws: ChangedOptionsError.self) {
      try await PipelineRun(recipe: other, folder: folder, workers: 1).retry(where: "1")
    }
    #expect(try await PipelineRun.status(folder: folder).retried == 0)
  }

  @Test("the columns tell what was asked for and what came of it")
  func columns() async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    _ = try await web.run(list, into: "run").run()
    let folder = web.folder + "/run"
    for (expression, count) in [
      ("host = '127.0.0.1'", 29), ("host IS NULL", 1), ("status = 503", 10), ("status = 404", 2),
      ("reason IS NULL", 11), ("class = 'permanent'", 2 + 2 + 2 + 1 + 2),
      ("stage = 'ingest'", 3), ("stage IN ('download', 'decode')", 12 + 2 + 2),
      ("chunk = 2", 10), ("row BETWEEN 25 AND 27", 3), ("caption LIKE 'caption 1_'", 10),
      ("tries = 1", 27), ("final_url LIKE '%/heal/%'", 7), ("seconds >= 0", 27),
      ("started_at > 1700000000000", 27), ("content_type = 'image/jpeg'", 13),
      ("redirects = 0", 27), ("address = '127.0.0.1'", 27), ("protocol = 'http/1.1'", 27),
      ("received_bytes > 0 AND reason IS NULL", 11), ("length(uid) = 32", 30),
      ("detail LIKE '%noai%'", 2), ("policy_rule = 'x_robots_tag'", 2), ("policy_rule IS NULL", 28),
      ("policy_source LIKE '%/refused/%'", 2), ("etag = '\"e\"'", 11 + 2),
      ("last_modified LIKE '%2026 07:28:00 GMT'", 11 + 2),
    ] {
      let found = try await PipelineRun.retryable(in: folder, where: expression).matched
      #expect(found == count, "\(expression)")
    }
  }
}
