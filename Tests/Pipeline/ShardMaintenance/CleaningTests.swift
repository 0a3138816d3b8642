import DurableFiles
import Foundation
import Glibc
import JobLedger
import PipelineCore
import ShardMaintenance
import Testing
import URLPipeline

@Suite(.serialized) struct CleaningTests {
  static let filter = ["filter.min_score=0.05", "chunk_attempts=1"]

  /// The number of a process that has ended.
  static func deadProcess() throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/true")
    try process.run()
    process.waitUntilExit()
    return process.processIdentifier
  }

  static func files(_ report: CleaningReport, _ kind: Litter) -> [String] {
    report.items.filter { $0.kind == kind }.map(\.file)
  }

  @Test(
    "what no job reads goes, each kind told with its bytes; all else stays, and verify is clean")
  func cleans() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run", Self.filter, scorer: ToyScorer())
    let folder = RunFolder("\(web.folder)/run")
    let ledger = try SQLiteLedger(path: folder.ledger)
    // Chunk 0 once more, by a second attempt at its download.
    try await ledger.reopen(
      [StageName.download, .decode, .deduplicate, .shard, .score, .filter].map {
        JobName(stage: $0.rawValue, chunk: 0)
      })
    try await web.resume("run", scorer: ToyScorer())
    try DurableFile.removeFolder(folder.path + "/logs")
    #expect(try await RunCleaner.clean(folder).items.map(\.file) == ["fetched/00000.1.parquet"])
    let before = try web.files("run")
    #expect(try await RunCleaner.clean(folder).items == [])
    #expect(try web.files("run") == before)

    let dead = try Self.deadProcess()
    let litter: [(Litter, String)] = [
      (.temporaries, "filtered/00000.tar.lz4.\(dead).7.tmp"), (.temporaries, "spill.\(dead).1.tmp"),
      (.temporaries, "chunks/00001.jsonl.\(dead).i3.tmp"),
      (.supersededAttempts, "fetched/00000.1.bytes"),
      (.supersededAttempts, "fetched/00000.1.parquet"), (.intermediates, "decoded/00001.bytes"),
      (.intermediates, "fetched/00001.1.bytes"),
    ]
    let foreign = [
      "chunks/notes.txt", "decoded/1.bytes", "fetched/00000.x.bytes", "filtered/00098.tar",
      "filtered/mine.tmp", "shards/00099.tar", "shards/00000.txt", "todo.txt",
    ]
    let alive = ["decoded/00001.parquet.\(getpid()).9.tmp"]
    for file in litter.map(\.1) + foreign + alive {
      try DurableFile.write("0123456789", to: "\(folder.path)/\(file)")
    }
    // A shard that a filter has written when more was kept.
    for ending in ["tar.lz4", "idx", "parquet"] {
      try DurableFile.write(
        DurableFile.read("\(folder.filtered)/00000.\(ending)"),
        to: "\(folder.filtered)/00097.\(ending)")
    }
    try DurableFile.write("old", to: folder.ledger + ".damaged-1")
    try DurableFile.makeFolder(folder.path + "/logs")

    var dry = CleaningOptions()
    dry.isDryRun = true
    let promised = try await RunCleaner.clean(folder, dry)
    #expect(DurableFile.exists(folder.path + "/decoded/00001.bytes"))
    let report = try await RunCleaner.clean(folder)
    #expect(promised.items == report.items)
    for kind in [Litter.temporaries, .supersededAttempts, .intermediates] {
      let expected = litter.filter { $0.0 == kind }.map(\.1).sorted()
      #expect(Self.files(report, kind) == expected)
      #expect(report.sum(kind).bytes == 10 * expected.count)
    }
    #expect(
      Self.files(report, .leftovers)
        == ["filtered/00097.idx", "filtered/00097.parquet", "filtered/00097.tar.lz4"])
    #expect(report.left.map(\.file) == ["ledger.sqlite.damaged-1"])
    #expect(report.foreign.sorted() == foreign.sorted())
    #expect(!DurableFile.exists(folder.path + "/logs"))
    for file in foreign + alive + ["ledger.sqlite.damaged-1"] {
      #expect(DurableFile.exists("\(folder.path)/\(file)"), "\(file)")
    }
    for file in foreign + alive { try DurableFile.remove("\(folder.path)/\(file)") }
    var all = CleaningOptions()
    all.removesDamagedLedgers = true
    #expect(try await RunCleaner.clean(folder, all).items.map(\.kind) == [.damagedLedgers])
    #expect(try web.files("run") == before)
    let verified = try await RunVerifier.verify(folder, threads: 2)
    #expect(verified.problems == [])
  }

  @Test("the bytes of a chunk that was given up stay, unless they are asked for")
  func quarantined() async throws {
    let web = try MaintenanceWeb()
    let folder = RunFolder("\(web.folder)/run")
    try QuarantineRunTests.block("decoded/00001.parquet", in: folder.path)
    try await web.run("run", Self.filter, scorer: ToyScorer())
    try FileManager.default.removeItem(atPath: folder.decodedTable(1))
    let kept = try await RunCleaner.clean(folder)
    #expect(kept.items == [])
    // The stage had published its bytes before the table that counts them.
    #expect(kept.left.map(\.file) == ["decoded/00001.bytes", "fetched/00001.1.bytes"])
    var options = CleaningOptions()
    options.removesQuarantined = true
    let report = try await RunCleaner.clean(folder, options)
    #expect(report.items.map(\.kind) == [.quarantinedBytes, .quarantinedBytes])
    let outcome = try await QuarantineRelease.release(nil, in: folder)
    #expect(outcome.refetched == [1])
    #expect(try await web.resume("run", scorer: ToyScorer()).isComplete)
  }

  @Test("beside jobs that are yet to be done, what they read and the shards of the run stay")
  func unfinished() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run", Self.filter, scorer: ToyScorer())
    let folder = RunFolder("\(web.folder)/run")
    let ledger = try SQLiteLedger(path: folder.ledger)
    try await ledger.reopen(
      [StageName.download, .decode, .deduplicate, .shard, .score].map {
        JobName(stage: $0.rawValue, chunk: 1)
      } + [JobName(stage: StageName.filter.rawValue, chunk: 0)])
    let now = WorkerGroup.wallClock()
    let lease = try #require(
      try await ledger.claim(
        stages: ["download"], owner: ProcessIdentity.owner(worker: "w"), duration: 60_000, now: now)
    )
    #expect(lease.attempt == 2)
    for file in ["fetched/00001.2.bytes", "fetched/00001.2.parquet", "decoded/00001.bytes"] {
      try DurableFile.write("0123456789", to: "\(folder.path)/\(file)")
    }
    for ending in ["tar.lz4", "idx", "parquet"] {
      try DurableFile.write(
        DurableFile.read("\(folder.filtered)/00000.\(ending)"),
        to: "\(folder.filtered)/00097.\(ending)")
    }
    let report = try await RunCleaner.clean(folder)
    #expect(report.items.map(\.file) == ["fetched/00001.1.parquet"])
    #expect(report.unfinishedJobs == 6)
    #expect(report.foreign == [])
    // Given back, the attempt will not be completed: the next has another number.
    try await ledger.release(lease, now: now)
    let later = try await RunCleaner.clean(folder)
    #expect(later.items.map(\.file) == ["fetched/00001.2.bytes", "fetched/00001.2.parquet"])
  }

  @Test("a folder without a run is refused")
  func none() async throws {
    let web = try MaintenanceWeb()
    await #expect(throws: NoRunError.self) {
      try await RunCleaner.clean(RunFolder(web.folder))
    }
  }
}
