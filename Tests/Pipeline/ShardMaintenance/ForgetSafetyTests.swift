import ContentHashing
import Dispatch
import DurableFiles
import Foundation
import JobLedger
import PairDataset
import PipelineCore
import ShardMaintenance
import Testing
import URLPipeline

/// What must not come back, and what must not go with it.
@Suite(.serialized) struct ForgetSafetyTests {
  struct Stop: Error {}

  @Test("a lost shard that is made again brings no duplicate of what was forgotten")
  func duplicates() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    let before = try web.rows("run")
    try await Forgetter.forget(
      [try ForgetRequest(.url, web.server.url("/ok/0"))], in: folder, now: 5)
    let after = before.filter { $0 != 0 }
    #expect(try web.rows("run") == after)
    // Row 16 has the bytes of row 0.
    try DurableFile.remove(folder.shards + "/00001.tar.lz4")
    let report = try await RunVerifier.verify(folder, threads: 1)
    #expect(try await RunRepairer.repair(report, in: folder).refetches)
    try await web.resume("run")
    #expect(try web.rows("run") == after)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
  }

  @Test("a lost table of deduplicate that is made again keeps the row out")
  func verdicts() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    try await Forgetter.forget(
      [try ForgetRequest(.url, web.server.url("/ok/12"))], in: folder, now: 5)
    let rows = try web.rows("run")
    let table = try DurableFile.read(folder.verdictTable(1))
    try DurableFile.remove(folder.verdictTable(1))
    let report = try await RunVerifier.verify(folder, threads: 1)
    _ = try await RunRepairer.repair(report, in: folder)
    try await web.resume("run")
    #expect(try DurableFile.read(folder.verdictTable(1)) == table)
    #expect(try web.rows("run") == rows)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
  }

  @Test("while a request is interrupted no run begins, resumes or retries")
  func refusal() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    await #expect(throws: Stop.self) {
      try await Forgetter.forget(
        [try ForgetRequest(.url, web.server.url("/ok/12"))], in: folder, now: 5
      ) { throw Stop() }
    }
    let files = try web.files("run")
    let error = ForgetInterruptedError(folder: folder.path)
    await #expect(throws: error) { try await web.run("run") }
    await #expect(throws: error) { try await web.resume("run") }
    await #expect(throws: error) {
      _ = try await PipelineRun(
        recipe: try await PipelineRun.recipe(of: folder.path), folder: folder.path, workers: 1
      ).retry(where: PipelineRun.usualRetry)
    }
    #expect(try web.files("run") == files)
    try await Forgetter.forget([], in: folder, now: 6)
    try await web.run("run")
    try await web.resume("run")
  }

  /// Does `work` to its end, from where nobody can wait for it.
  static func wait(_ work: @escaping @Sendable () async throws -> Void) {
    let isDone = DispatchSemaphore(value: 0)
    Task.detached {
      do { try await work() } catch { Issue.record("\(error)") }
      isDone.signal()
    }
    isDone.wait()
  }

  @Test(
    "a run that works meanwhile is found out: its work is gone over, or the request stays open",
    arguments: [true, false])
  func race(isEnded: Bool) async throws {
    let web = try MaintenanceWeb()
    // What the shard is made of again: without it nothing is taken out before the shard is there.
    try await web.run("run", ["keep=[decoded]"])
    let folder = RunFolder(web.folder + "/run")
    let rows = try web.rows("run")
    let ledger = try await RunFacts.ledger(of: folder)
    let facts = try await RunFacts(folder, ledger)
    let counts = try #require(try await ledger.counts(of: facts.job(.shard, 1)))
    let shard = folder.shards + "/00001.tar.lz4"
    let table = try DurableFile.read(folder.shardTable(1))
    let bytes = try DurableFile.read(shard)
    try await ledger.reopen([facts.job(.shard, 1)] + facts.publishing)
    let request = try ForgetRequest(.url, web.server.url("/ok/12"))
    let steps = Counter()
    // A shard job that began before the request was noted, and ends after its chunk was gone over.
    func forget() async throws -> ForgetOutcome {
      try await Forgetter.forget([request], in: folder, now: 5) {
        guard steps.add() == 8 else { return }
        try DurableFile.write(bytes, to: shard)
        try DurableFile.write(table, to: folder.shardTable(1))
        Self.wait {
          let lease = try #require(
            try await ledger.claim(
              stages: ["shard"],
              owner: LeaseOwner(host: "h", processID: 1, processStart: 1, worker: "w"),
              duration: 1 << 40, now: 5))
          if isEnded { try await ledger.complete(lease, counts: counts, now: 6) }
        }
      }
    }
    if isEnded {
      #expect(try await forget().pairs == 1)
      #expect(try ShardReader(path: shard).keys.count == rows.count { (10..<20).contains($0) } - 1)
      #expect(try !ForgottenPairs.read(folder).isInterrupted)
      try await web.resume("run")
      #expect(try web.rows("run") == rows.filter { $0 != 12 })
      #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
    } else {
      await #expect(throws: ForgetRaceError.self) { _ = try await forget() }
      #expect(try ForgottenPairs.read(folder).isInterrupted)
    }
  }

  @Test("what jobs have left that are not completed goes too")
  func unfinished() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run", ForgetTests.filter, scorer: ToyScorer())
    let folder = RunFolder(web.folder + "/run")
    let ledger = try await RunFacts.ledger(of: folder)
    let facts = try await RunFacts(folder, ledger)
    // As a run that was killed after it had written them, and before the ledger knew.
    let names = ["00001.tar.lz4", "00001.idx", "00001.parquet"]
    try await ledger.reopen([facts.job(.shard, 1), facts.job(.score, 1)] + facts.publishing)
    let picture = MaintenanceWeb.picture(12)
    let decoded = try PairTable.read(folder.decodedTable(1), as: DecodedRow.init)
    let size = decoded.compactMap(\.bytes).map { $0.offset + $0.length }.max() ?? 0
    try DurableFile.write([UInt8](repeating: 7, count: size), to: folder.decodedBytes(1))
    try DurableFile.write(picture, to: folder.fetchedBytes(1, attempt: 9))
    try await Forgetter.forget(
      [try ForgetRequest(.url, web.server.url("/ok/12"))], in: folder, now: 5)
    for name in names { #expect(!DurableFile.exists("\(folder.shards)/\(name)"), "\(name)") }
    #expect(try DurableFile.names(in: folder.filtered).filter { $0.contains(".tar") } == [])
    #expect(!DurableFile.exists(folder.filterTable(1)))
    #expect(
      try ForgetTests.mentions("caption 12", in: web, "run") == [])
    // In the decoded bytes, which the shard is yet to be made of, only its place is left.
    let bytes = try DurableFile.read(folder.decodedBytes(1))
    for row in decoded {
      guard let range = row.bytes else { continue }
      let expected: UInt8 = row.row == 12 ? 0 : 7
      #expect(
        bytes[range.offset..<range.offset + range.length].allSatisfy { $0 == expected },
        "row \(row.row)")
    }
    #expect(bytes.count == size)
  }

  @Test(
    "a uid takes its own pairs, and none whose key only looks like it",
    arguments: [[], ["shard_pairs=4"], ["shard_pairs=4", "layout=img2dataset"]])
  func keys(options: [String]) async throws {
    let web = try MaintenanceWeb()
    // The second cat has the key cat-1 in its shard, and cat-1 another, cat-1-3; of the second chunk's
    // the last shard is packed with some of the first: cat is cat-1 there, and cat-1 cat-1-1.
    let uids = ["cat", "cat", "cat-2", "cat-1", "cat", "cat-1", "cat-2-1", "dog"]
    let writer = try ShardWriter(folder: web.folder, name: "cats", compression: .none)
    for (row, uid) in uids.enumerated() {
      try writer.append(
        Pair(
          key: "k\(row)", caption: "caption \(row)", image: MaintenanceWeb.picture(row),
          imageExtension: "png", metadata: Array("{\"uid\":\"\(uid)\"}".utf8)))
    }
    let list = web.folder + "/" + (try writer.finish().file)
    let recipe = try PipelineRecipe(
      yaml: "", path: "test",
      overrides: ["input=\(list)", "dedup=off", "chunk_rows=4", "image_size=16"] + options)
    let folder = RunFolder(web.folder + "/run")
    _ = try await PipelineRun(recipe: recipe, folder: folder.path, workers: 1).run()
    #expect(try web.rows("run") == Array(0..<8))
    for stop in [3, 9, 12, 100] {
      let name = "stopped\(stop)"
      try web.copy("run", to: name)
      let copy = RunFolder("\(web.folder)/\(name)")
      let steps = Counter()
      do {
        try await Forgetter.forget([try ForgetRequest(.uid, "cat")], in: copy, now: 5) {
          if steps.add() == stop { throw Stop() }
        }
      } catch is Stop {}
      try await Forgetter.forget([], in: copy, now: 6)
      #expect(try web.rows(name) == [2, 3, 5, 6, 7], "stopped after \(stop)")
      #expect(try await RunVerifier.verify(copy, threads: 1).problems == [])
    }
  }

  @Test("a dry run writes nothing, not to the ledger either")
  func dryRun() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    let ledger = try await RunFacts.ledger(of: folder)
    let facts = try await RunFacts(folder, ledger)
    // The lease of a process that is gone.
    try await ledger.reopen(facts.publishing)
    _ = try await ledger.claim(
      stages: ["filter"],
      owner: LeaseOwner(host: "h", processID: 1, processStart: 1, worker: "w"), duration: 1, now: 1)
    let history = try await ledger.history()
    _ = try await Forgetter.forget(
      [try ForgetRequest(.url, web.server.url("/ok/12"))], in: folder, isDryRun: true, now: 9)
    #expect(try await ledger.history() == history)
    #expect(try await ledger.state(of: facts.publishing[0]) == .leased)
    #expect(!DurableFile.exists(folder.forgotten))
  }
}
