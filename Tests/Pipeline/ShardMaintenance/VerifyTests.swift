import DurableFiles
import Foundation
import PairDataset
import PipelineCore
import ShardMaintenance
import Testing
import URLPipeline

@Suite(.serialized) struct VerifyTests {
  static let filter = ["filter.min_score=0.05"]

  /// One file damaged in one way; `names` are those that the report must name.
  struct Damage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var names: [String]
    /// Whether the run's files are the same as before once it is repaired.
    var restores = true
    var make: @Sendable (_ run: String) throws -> Void

    static func flip(_ file: String, restores: Bool = true) -> Damage {
      Damage(testDescription: "a byte of \(file) flipped", names: [file], restores: restores) {
        run in
        var bytes = try DurableFile.read("\(run)/\(file)")
        bytes[bytes.count / 2] ^= 0x40
        try DurableFile.write(bytes, to: "\(run)/\(file)")
      }
    }
    static func cut(_ file: String) -> Damage {
      Damage(testDescription: "\(file) cut", names: [file]) { run in
        let bytes = try DurableFile.read("\(run)/\(file)")
        try DurableFile.write(Array(bytes.prefix(bytes.count * 2 / 3)), to: "\(run)/\(file)")
      }
    }
    static func cutLines(_ file: String, to count: Int) -> Damage {
      Damage(testDescription: "\(file) cut to \(count) lines", names: [file]) { run in
        let lines = try DurableFile.read("\(run)/\(file)").split(separator: UInt8(ascii: "\n"))
        let left = lines.prefix(count).flatMap { Array($0) + [UInt8(ascii: "\n")] }
        try DurableFile.write(left, to: "\(run)/\(file)")
      }
    }
    static func remove(_ file: String) -> Damage {
      Damage(testDescription: "\(file) removed", names: [file]) { run in
        try DurableFile.remove("\(run)/\(file)")
      }
    }
    static func swap(_ one: String, _ other: String) -> Damage {
      Damage(testDescription: "\(one) and \(other) swapped", names: [one, other]) { run in
        let (a, b) = (
          try DurableFile.read("\(run)/\(one)"), try DurableFile.read("\(run)/\(other)")
        )
        try DurableFile.write(b, to: "\(run)/\(one)")
        try DurableFile.write(a, to: "\(run)/\(other)")
      }
    }
  }

  static let damages: [Damage] = [
    .flip("shards/00001.tar.lz4"), .cut("shards/00000.tar.lz4"), .remove("shards/00002.tar.lz4"),
    .swap("shards/00000.tar.lz4", "shards/00001.tar.lz4"), .remove("shards/00001.idx"),
    .flip("shards/00001.idx"), .swap("shards/00000.idx", "shards/00001.idx"),
    .cut("shards/00000.parquet"), .remove("shards/00002.parquet"),
    .swap("shards/00000.parquet", "shards/00001.parquet"),
    .remove("deduplicated/00001.parquet"), .cut("deduplicated/00000.parquet"),
    .remove("decoded/00001.parquet"), .cut("decoded/00002.parquet"),
    .remove("scores/toy/00001.parquet"),
    .swap("scores/toy/00000.parquet", "scores/toy/00001.parquet"),
    .flip("filtered/00000.tar.lz4"), .remove("filtered/00001.tar.lz4"),
    .remove("filtered/00000.idx"), .remove("filtered/verdicts/00001.parquet"),
    .remove("dataset.json"), .cut("dataset.json"), .remove("filtered/sizes.json"),
    .swap("decoded/00000.parquet", "decoded/00001.parquet"),
    .swap("deduplicated/00000.parquet", "deduplicated/00001.parquet"),
    .remove("fetched/00000.1.parquet"), .cut("fetched/00001.1.parquet"),
    .swap("fetched/00000.1.parquet", "fetched/00001.1.parquet"),
    Damage(testDescription: "dataset.json with another digest", names: ["filtered/00000.tar.lz4"]) {
      run in
      var manifest = try DatasetManifest.read(run + "/dataset.json")
      manifest.shards[0].sha256 = String(repeating: "0", count: 64)
      try manifest.write(to: run + "/dataset.json")
    },
  ]

  @Test("a run is clean; every damage is named, and mended to the bytes that were published")
  func damaged() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run", Self.filter, scorer: ToyScorer())
    let whole = try web.files("run")
    let clean = try await RunVerifier.verify(RunFolder(web.folder + "/run"), threads: 2)
    #expect(clean.problems == [])
    #expect(clean.shards >= 5)
    for (number, damage) in Self.damages.enumerated() {
      let name = "damaged-\(number)"
      try web.copy("run", to: name)
      let folder = RunFolder("\(web.folder)/\(name)")
      try damage.make(folder.path)
      let report = try await RunVerifier.verify(folder, threads: 2)
      for file in damage.names {
        #expect(
          report.problems.contains { $0.file == file },
          "\(damage.testDescription): \(report.problems)")
      }
      let all = report.problems.allSatisfy(\.canBeRepaired)
      #expect(all, "\(damage.testDescription): \(report.problems)")
      let outcome = try await RunRepairer.repair(report, in: folder)
      #expect(outcome.left == [])
      if !outcome.reopened.isEmpty { try await web.resume(name, scorer: ToyScorer()) }
      let after = try await RunVerifier.verify(folder, threads: 2)
      #expect(after.problems == [], "\(damage.testDescription): \(outcome)")
      // `fetched/` tells times and attempts; all else has the bytes of before.
      let files = try web.files(name).filter { !$0.key.hasPrefix("fetched/") }
      let expected = whole.filter { !$0.key.hasPrefix("fetched/") }
      #expect(files.keys.sorted() == expected.keys.sorted(), "\(damage.testDescription)")
      for (file, bytes) in expected {
        #expect(files[file] == bytes, "\(damage.testDescription): \(file) differs")
      }
    }
  }

  /// Damages of what nothing can be made from again.
  static let losses: [Damage] = [
    .remove("chunks/00001.jsonl"), .flip("chunks/00001.jsonl"),
    .swap("chunks/00000.jsonl", "chunks/00001.jsonl"),
    Damage(testDescription: "chunks/00000.jsonl emptied", names: ["chunks/00000.jsonl"]) { run in
      try DurableFile.write([], to: run + "/chunks/00000.jsonl")
    },
    // The last row, and one that ingest has dropped: row 17 repeats a URL.
    .cutLines("chunks/00002.jsonl", to: 4), .cutLines("chunks/00001.jsonl", to: 7),
    Damage(testDescription: "another URL", names: ["chunks/00001.jsonl"]) { run in
      let path = run + "/chunks/00001.jsonl"
      let text = String(decoding: try DurableFile.read(path), as: UTF8.self)
      try DurableFile.write(
        text.replacingOccurrences(of: "/ok/12", with: "/ok/99"), to: path)
    },
    .remove("chunks/columns.json"), .cut("chunks/columns.json"),
    Damage(testDescription: "columns emptied", names: ["chunks/columns.json"]) { run in
      try DurableFile.write("[]\n", to: run + "/chunks/columns.json")
    },
  ]

  @Test(
    "where the list's rows or columns are damaged they are blamed, and nothing is made of them")
  func lost() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run", Self.filter, scorer: ToyScorer())
    for (number, damage) in Self.losses.enumerated() {
      for more in [nil, "shards/00001.parquet", "shards/00001.tar.lz4"] {
        let name = "lost-\(number)" + (more.map { "-" + $0.suffix(3) } ?? "")
        try web.copy("run", to: name)
        let folder = RunFolder("\(web.folder)/\(name)")
        try damage.make(folder.path)
        if let more { try DurableFile.remove("\(folder.path)/\(more)") }
        let before = try web.files(name)
        let report = try await RunVerifier.verify(folder, threads: 2)
        let files = Set(report.problems.map(\.file))
        #expect(
          files.isSuperset(of: damage.names), "\(damage.testDescription): \(report.problems)")
        guard more == nil || damage.names.contains(where: { $0.contains("00001") }) else {
          continue
        }
        if more == nil {
          #expect(files == Set(damage.names), "\(damage.testDescription): \(report.problems)")
        }
        let mendable = report.problems.filter(\.canBeRepaired)
        #expect(mendable == [])
        let outcome = try await RunRepairer.repair(report, in: folder)
        #expect(outcome.done == [] && outcome.reopened == [] && !outcome.mustResume)
        #expect(try web.files(name) == before, "\(damage.testDescription)")
      }
    }
  }

  @Test("in img2dataset's layout its statistics, sizes and the number of pairs are missed too")
  func companions() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run", ["layout=img2dataset"])
    let folder = RunFolder(web.folder + "/run")
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
    for file in ["shards/00001_stats.json", "shards/__len__", "sizes.json"] {
      let path = "\(folder.path)/\(file)"
      let whole = try DurableFile.read(path)
      for isRemoved in [true, false] {
        if isRemoved {
          try DurableFile.remove(path)
        } else {
          var bytes = whole
          bytes[bytes.count / 2] ^= 1
          try DurableFile.write(bytes, to: path)
        }
        let report = try await RunVerifier.verify(folder, threads: 1)
        #expect(report.problems.map(\.file) == [file])
        if try await RunRepairer.repair(report, in: folder).mustResume {
          try await web.resume("run")
        }
        #expect(try DurableFile.read(path) == whole)
      }
    }
    try await Forgetter.forget(
      [try ForgetRequest(.url, web.server.url("/ok/12"))], in: folder, now: 5)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
  }

  @Test("one repair that fails leaves the others to be done")
  func failing() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    for file in ["shards/00000.idx", "shards/00002.idx", "shards/00001.parquet"] {
      try DurableFile.remove("\(folder.path)/\(file)")
    }
    let report = try await RunVerifier.verify(folder, threads: 1)
    #expect(report.problems.count == 3)
    // The shard goes while the report is read.
    try DurableFile.remove(folder.shards + "/00000.tar.lz4")
    let outcome = try await RunRepairer.repair(report, in: folder)
    #expect(outcome.left.count == 1)
    #expect(outcome.left.first?.hasPrefix("shards/00000.idx: ") == true, "\(outcome.left)")
    #expect(outcome.done.count == 2)
    #expect(DurableFile.exists(folder.shards + "/00002.idx"))
    #expect(DurableFile.exists(folder.shards + "/00001.parquet"))
  }

  @Test("without a filter the manifest lists the chunks' shards, and is made again from the ledger")
  func unfiltered() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run", ["layout=img2dataset"])
    let folder = RunFolder(web.folder + "/run")
    let before = try DurableFile.read(folder.dataset)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
    try DurableFile.remove(folder.dataset)
    try DurableFile.remove(folder.shardTable(0))
    let report = try await RunVerifier.verify(folder, threads: 1)
    #expect(report.problems.map(\.file) == ["dataset.json", "shards/00000.parquet"])
    _ = try await RunRepairer.repair(report, in: folder)
    try await web.resume("run")
    #expect(try DurableFile.read(folder.dataset) == before)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
  }

  @Test("a shard whose decoded pictures are still there is written again without the web")
  func decoded() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    // What the disk holds when a run was killed before it cleared up.
    try await web.run("other")
    let ledger = try await RunFacts.ledger(of: folder)
    let facts = try await RunFacts(folder, ledger)
    let report = VerificationReport.Problem(
      "shards/00001.tar.lz4", "it is missing",
      .redo([facts.job(.shard, 1)], refetches: false))
    #expect(report.canBeRepaired)
    // The decoded bytes of the chunk, from the shard itself.
    let rows = try PairTable.read(folder.decodedTable(1), as: DecodedRow.init)
    var bytes: [UInt8] = []
    var pictures: [String: [UInt8]] = [:]
    try ShardReader(path: folder.shards + "/00001.tar.lz4").forEach { pictures[$0.key] = $0.image }
    let candidates = try JSONLines.read(folder.chunkTable(1), as: PairCandidate.init)
    for row in rows.sorted(by: { ($0.bytes?.offset ?? 0) < ($1.bytes?.offset ?? 0) }) {
      guard let range = row.bytes, let uid = candidates.first(where: { $0.row == row.row })?.uid
      else { continue }
      bytes += pictures[uid] ?? [UInt8](repeating: 0, count: range.length)
    }
    try DurableFile.write(bytes, to: folder.decodedBytes(1))
    let before = try DurableFile.read(folder.shards + "/00001.tar.lz4")
    try DurableFile.remove(folder.shards + "/00001.tar.lz4")
    let asked = web.server.requests(of: "/ok/10")
    let outcome = try await RunRepairer.repair(
      try await RunVerifier.verify(folder, threads: 1), in: folder)
    #expect(outcome.reopened == ["shard 1"])
    #expect(!outcome.refetches)
    try await web.resume("run")
    #expect(web.server.requests(of: "/ok/10") == asked)
    #expect(try DurableFile.read(folder.shards + "/00001.tar.lz4") == before)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
  }

  @Test("where shards are packed by a bound, packed shards, their tables and sizes are checked too")
  func packed() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run", ["shard_pairs=4"])
    let folder = RunFolder(web.folder + "/run")
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
    let whole = try web.files("run")
    for file in [
      "filtered/00001.parquet", "filtered/00002.tar.lz4", "filtered/sizes.json",
      "filtered/00000.idx",
    ] {
      var bytes = try DurableFile.read("\(folder.path)/\(file)")
      // A flipped bit of a table's statistics is seen by nobody; its pages have checksums.
      if file.hasSuffix(".parquet") {
        bytes.removeLast(bytes.count / 3)
      } else {
        bytes[bytes.count / 2] ^= 1
      }
      try DurableFile.write(bytes, to: "\(folder.path)/\(file)")
      let report = try await RunVerifier.verify(folder, threads: 1)
      #expect(report.problems.map(\.file) == [file])
      let outcome = try await RunRepairer.repair(report, in: folder)
      if !outcome.reopened.isEmpty { try await web.resume("run") }
      #expect(try web.files("run") == whole, "\(file)")
    }
    try await Forgetter.forget(
      [try ForgetRequest(.url, web.server.url("/ok/12"))], in: folder, now: 5)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
  }

  @Test("what nobody has made is named and left; what killed processes left is removed")
  func orphans() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    let stray = folder.shards + "/00007.tar.lz4"
    try DurableFile.write([1], to: stray)
    // No process has this number (Linux: at most 2²²).
    let temporary = folder.shards + "/00000.tar.lz4.4194305.1.tmp"
    try Data([1]).write(to: URL(fileURLWithPath: temporary))
    let report = try await RunVerifier.verify(folder, threads: 1)
    #expect(
      report.problems.map(\.file).sorted() == [
        "shards/00000.tar.lz4.4194305.1.tmp", "shards/00007.tar.lz4",
      ])
    let outcome = try await RunRepairer.repair(report, in: folder)
    #expect(outcome.left.count == 1)
    #expect(DurableFile.exists(stray))
    #expect(!DurableFile.exists(temporary))
  }

  @Test(
    "a chunk that the web no longer gives leaves no shard of its own, nor a final one too many",
    arguments: [false, true])
  func vanished(isInterrupted: Bool) async throws {
    let web = try MaintenanceWeb()
    try await web.run("run", paths: (0..<3).map { "/once/\($0)" }, ["shard_pairs=2"])
    let folder = RunFolder(web.folder + "/run")
    #expect(try web.rows("run") == [0, 1, 2])
    try DurableFile.remove(folder.shards + "/00000.tar.lz4")
    // A second one, in the way of nobody, that no job has made.
    let stray = folder.filtered + "/00009.tar.lz4"
    try DurableFile.write([1], to: stray)
    let first = try await RunRepairer.repair(
      try await RunVerifier.verify(folder, threads: 1), in: folder)
    #expect(first.mustResume)
    web.heal()
    if isInterrupted {
      // Nothing is told of jobs that wait, but that they do.
      let waiting = try await RunVerifier.verify(folder, threads: 1)
      #expect(waiting.isClean && !waiting.isWhole && waiting.unfinishedJobs == 5)
      let again = try await RunRepairer.repair(waiting, in: folder)
      #expect(again.reopened == [] && again.mustResume)
    }
    // Before the jobs are done nothing may go.
    try await RunRepairer.clear(in: folder)
    #expect(DurableFile.exists(folder.filtered + "/00001.tar.lz4"))
    try await web.resume("run")
    if isInterrupted {
      // A plain run has ended them, and knows nothing of a repair.
      let report = try await RunVerifier.verify(folder, threads: 1)
      let left = Set(report.problems.filter(\.canBeRepaired).map(\.file))
      #expect(
        left.isSuperset(of: [
          "filtered/00000.tar.lz4", "filtered/00001.idx", "filtered/00001.parquet",
        ]), "\(report.problems)")
      #expect(!left.contains("filtered/00009.tar.lz4"))
      let cleared = try await RunRepairer.repair(report, in: folder)
      #expect(!cleared.mustResume)
    } else {
      try await RunRepairer.clear(in: folder)
    }
    #expect(try web.rows("run") == [])
    #expect(
      try await RunVerifier.verify(folder, threads: 1).problems.map(\.file) == [
        "filtered/00009.tar.lz4"
      ])
    try DurableFile.remove(stray)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
  }

  @Test("a folder without a run is refused")
  func noRun() async throws {
    let web = try MaintenanceWeb()
    await #expect(throws: NoRunError.self) {
      try await RunVerifier.verify(RunFolder(web.folder), threads: 1)
    }
  }

  @Test("rows that a chunk's table has lost are told before anything is made of it")
  func lostRows() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run", ["chunk_attempts=1"])
    let folder = RunFolder(web.folder + "/run")
    let ledger = try await RunFacts.ledger(of: folder)
    let facts = try await RunFacts(folder, ledger)
    try await ledger.reopen(
      [StageName.download, .decode, .deduplicate, .shard].map { facts.job($0, 1) }
        + facts.publishing)
    let whole = try DurableFile.read(folder.chunkTable(1))
    try Damage.cutLines("chunks/00001.jsonl", to: 4).make(folder.path)
    let report = try await RunVerifier.verify(folder, threads: 1)
    #expect(report.problems.map(\.file) == ["chunks"], "\(report.problems)")
    // The run does not go on as if they had never been.
    let outcome = try await web.resume("run")
    #expect(!outcome.isComplete)
    let error = try await ledger.quarantined().first { $0.name == facts.job(.download, 1) }?.error
    #expect(error?.contains("chunks/00001.jsonl has 4 of the chunk's 10 rows") == true)
    try DurableFile.write(whole, to: folder.chunkTable(1))
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
  }
}
