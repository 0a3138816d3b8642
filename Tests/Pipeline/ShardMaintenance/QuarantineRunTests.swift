import DurableFiles
import Foundation
import JobLedger
import PipelineCore
import ShardMaintenance
import Testing
import URLPipeline

/// A chunk that is given up for a fault, handed back once that is mended, and done.
@Suite(.serialized) struct QuarantineRunTests {
  /// Four chunks; rows 21 and 32 have the bytes of row 12, which is in the chunk that is given up, and
  /// row 33 has those of row 20, which is not.
  static let paths: [String] = (0..<40).map { row in
    switch row {
    case 21: "/target/12"
    case 32: "/ok/0012"
    case 33: "/target/20"
    case 35: "/gone/35"
    default: "/ok/\(row)"
    }
  }
  static let options = ["chunk_attempts=1"]

  /// A folder where the stage would publish a file of chunk 1, so that it cannot.
  static func block(_ file: String, in run: String) throws {
    try FileManager.default.createDirectory(
      atPath: "\(run)/\(file)/in the way", withIntermediateDirectories: true)
  }

  static func job(_ stage: StageName, _ chunk: Int = 1) -> JobName {
    JobName(stage: stage.rawValue, chunk: chunk)
  }

  /// Of which an undisturbed run says the same; `fetched/` tells times.
  static func published(_ web: MaintenanceWeb, _ name: String) throws -> [String: [UInt8]] {
    try web.files(name).filter {
      !$0.key.hasPrefix("fetched/") && !$0.key.hasSuffix("list.csv") && $0.key != "run.json"
    }
  }

  /// The files of an undisturbed run of the same list, which says its name in some of them.
  static func undisturbed(
    _ web: MaintenanceWeb, _ options: [String], scorer: (any PairScorer)? = nil
  ) async throws -> (files: [String: [UInt8]], rows: [Int]) {
    try await web.run("run", paths: paths, options, scorer: scorer)
    let found = (try published(web, "run"), try web.rows("run"))
    try FileManager.default.moveItem(
      atPath: web.folder + "/run", toPath: web.folder + "/undisturbed")
    return found
  }

  static func expectSame(_ web: MaintenanceWeb, _ name: String, as whole: [String: [UInt8]]) throws
  {
    let files = try published(web, name)
    #expect(files.keys.sorted() == whole.keys.sorted(), "\(name)")
    for (file, bytes) in whole where files[file] != bytes {
      Issue.record("\(name): \(file) differs")
    }
  }

  @Test(
    "once the fault is mended and the chunk released, the run ends with the bytes of an undisturbed one",
    arguments: [
      ("fetched/00001.1.parquet", StageName.download), ("decoded/00001.parquet", .decode),
      ("deduplicated/00001.parquet", .deduplicate), ("shards/00001.parquet", .shard),
      ("scores/toy/00001.parquet", .score),
    ])
  func released(file: String, stage: StageName) async throws {
    let web = try MaintenanceWeb()
    let filter = ["filter.min_score=0.05"] + Self.options
    let whole = try await Self.undisturbed(web, filter, scorer: ToyScorer())
    let folder = "\(web.folder)/run"
    try Self.block(file, in: folder)
    let broken = try await web.run("run", paths: Self.paths, filter, scorer: ToyScorer())
    #expect(broken.status.isFinished && !broken.isComplete)
    let view = try await QuarantineView(RunFolder(folder))
    // What is in the way of a chunk's verdicts is in the way of those who read them, too.
    #expect(view.causes.first?.name == Self.job(stage))
    #expect(view.causes.count == 1 || stage == .deduplicate)
    #expect(view.causes.first?.error?.contains(file) == true, "\(view.causes)")
    #expect(view.rows(of: Self.job(stage))?.range == 10...19)
    // The pictures of the chunk are not among the published; their later copies are.
    let rows = try web.rows("run")
    #expect(!rows.contains(13))
    if stage.rank < StageName.deduplicate.rank { #expect(rows.contains(21)) }

    // A run in between keeps the bytes of what was given up.
    try await web.run("run", paths: Self.paths, filter, scorer: ToyScorer())
    try FileManager.default.removeItem(atPath: "\(folder)/\(file)")
    let outcome = try await QuarantineRelease.release(nil, in: RunFolder(folder))
    #expect(outcome.released.first == Self.job(stage))
    #expect(outcome.reopened == [Self.job(.filter, 0)])
    #expect(outcome.refetched == [])
    let mended = try await web.resume("run", scorer: ToyScorer())
    #expect(mended.isComplete)
    try Self.expectSame(web, "run", as: whole.files)
    #expect(try web.rows("run") == whole.rows)
    #expect(try web.rows("run").filter { [12, 21, 32].contains($0) } == [12])
    let report = try await RunVerifier.verify(RunFolder(folder), threads: 2)
    #expect(report.problems == [])
    #expect(try await QuarantineView(RunFolder(folder)).jobs == [])
  }

  @Test("what a job reads and is gone is made again, back to the download")
  func gone() async throws {
    let web = try MaintenanceWeb()
    let options = Self.options
    let whole = try await Self.undisturbed(web, options)
    let folder = "\(web.folder)/run"
    try Self.block("shards/00001.parquet", in: folder)
    try await web.run("run", paths: Self.paths, options)
    // A cut file is told by the job's next attempt; removed, it is made again.
    try FileManager.default.removeItem(atPath: folder + "/shards/00001.parquet")
    let decoded = folder + "/decoded/00001.bytes"
    try DurableFile.write(Array(try DurableFile.read(decoded).dropLast(100)), to: decoded)
    try await QuarantineRelease.release([Self.job(.shard)], in: RunFolder(folder))
    #expect(try await !web.resume("run").isComplete)
    let cut = try await QuarantineView(RunFolder(folder)).causes
    #expect(cut.map(\.name) == [Self.job(.shard)])
    #expect(cut.first?.error?.contains("the decoded file is cut") == true)
    // The shard that was published before its table could be has the pictures; without both there is
    // nothing but the web.
    for file in ["decoded/00001.bytes", "shards/00001.tar.lz4", "shards/00001.idx"] {
      try DurableFile.remove("\(folder)/\(file)")
    }
    let outcome = try await QuarantineRelease.release(nil, in: RunFolder(folder))
    #expect(outcome.refetched == [1])
    #expect(outcome.reopened.map(\.stage) == ["download", "decode", "deduplicate", "filter"])
    #expect(try await web.resume("run").isComplete)
    try Self.expectSame(web, "run", as: whole.files)
  }

  @Test("while a job is in work nothing is released, and one that is not given up cannot be")
  func refused() async throws {
    let web = try MaintenanceWeb()
    let folder = "\(web.folder)/run"
    try Self.block("decoded/00001.parquet", in: folder)
    try await web.run("run", paths: Self.paths, Self.options)
    #expect(
      try await QuarantineRelease.release([Self.job(.shard, 2)], in: RunFolder(folder))
        == ReleaseOutcome())
    let ledger = try SQLiteLedger(path: folder + "/ledger.sqlite")
    try await ledger.add([NewJob(Self.job(.download, 9), rank: 1)], now: 0)
    let now = WorkerGroup.wallClock()
    let lease = try #require(
      try await ledger.claim(
        stages: ["download"], owner: ProcessIdentity.owner(worker: "w"), duration: 60_000, now: now)
    )
    await #expect(throws: LedgerError.busy(Self.job(.download, 9))) {
      try await QuarantineRelease.release(nil, in: RunFolder(folder))
    }
    try await ledger.release(lease, now: now)
    #expect(try await ledger.quarantine().count == 3)
  }
}
