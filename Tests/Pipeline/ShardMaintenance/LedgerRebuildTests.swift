import DurableFiles
import Foundation
import JobLedger
import PipelineCore
import SeededRandom
import ShardMaintenance
import Synchronization
import Testing
import URLPipeline

/// A ledger made again from a run's files is the one that there was, its history of attempts aside.
@Suite(.serialized) struct LedgerRebuildTests {
  /// All that a ledger says but who did it and when.
  struct Contents: Equatable {
    var counts: [String] = []
    var states: [String: [JobState: Int]] = [:]
    var pairs: [String] = []

    init(_ folder: RunFolder) async throws {
      let ledger = try SQLiteLedger(path: folder.ledger)
      for stage in StageName.allCases {
        for (chunk, text) in try await ledger.counts(stage: stage.rawValue) {
          counts.append("\(stage.rawValue) \(chunk): \(text)")
        }
      }
      states = try await ledger.tally()
      let (configuration, notes) = try await ledger.everything()
      pairs = (configuration + notes).map { "\($0.key)=\($0.value)" }
        .filter { !$0.hasPrefix("repair.") }
      try await ledger.close()
    }
  }

  /// Recipes whose ledgers differ in what must be found in the files.
  static let recipes: [[String]] = [
    [], ["layout=img2dataset"], ["shard_pairs=7"], ["compression=none", "key_scheme=img2dataset"],
    ["filter.min_score=0.05"], ["dedup=off", "filter.top_fraction=0.5", "chunk_rows=4"],
  ]

  private static let isLong = ProcessInfo.processInfo.environment["PAIRLOOM_LONG"] != nil

  static func scorer(_ options: [String]) -> ToyScorer? {
    options.contains { $0.hasPrefix("filter") } ? ToyScorer() : nil
  }

  static func rebuild(_ folder: RunFolder) async throws -> RepairOutcome {
    let report = try await RunVerifier.verify(folder, threads: 2)
    #expect(report.problems.map(\.file) == ["ledger.sqlite"])
    let all = report.problems.allSatisfy(\.canBeRepaired)
    #expect(all)
    return try await RunRepairer.repair(report, in: folder)
  }

  @Test("of a finished run, with retries, and with pairs that were forgotten", arguments: recipes)
  func finished(options: [String]) async throws {
    let web = try MaintenanceWeb()
    let scorer = Self.scorer(options)
    try await web.run("run", options, scorer: scorer)
    let folder = RunFolder(web.folder + "/run")
    func check(_ state: String) async throws {
      let before = try await Contents(folder)
      let files = try web.files("run")
      #expect(try await RunVerifier.verify(folder, threads: 2).problems == [], "\(state)")
      try DurableFile.remove(folder.ledger)
      let outcome = try await Self.rebuild(folder)
      #expect(outcome.left == [] && !outcome.mustResume, "\(state): \(outcome)")
      let after = try await Contents(folder)
      #expect(after.counts == before.counts, "\(state)")
      #expect(after.states == before.states, "\(state)")
      #expect(after.pairs == before.pairs, "\(state)")
      #expect(try await RunVerifier.verify(folder, threads: 2).problems == [], "\(state)")
      #expect(try web.files("run") == files, "\(state)")
    }
    try await check("finished")
    web.heal()
    let again = try PipelineRun(
      recipe: try await PipelineRun.recipe(of: folder.path), folder: folder.path, workers: 1,
      scorer: scorer)
    _ = try await again.retry(where: PipelineRun.usualRetry)
    try await check("retried")
    // A retry of nothing new has a generation without a kept pair.
    _ = try await again.retry(where: "status = 404")
    try await check("retried in vain")
    try await Forgetter.forget(
      ["/ok/12", "/late/18", "/ok/3"].map { try ForgetRequest(.url, web.server.url($0)) },
      in: folder, now: 5)
    try await check("forgotten")
  }

  /// Ways in which a ledger is lost.
  struct Loss: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var make: @Sendable (_ path: String, _ other: String) async throws -> Void

    static func cut(_ words: String, _ count: @escaping @Sendable (Int) -> Int) -> Loss {
      Loss(testDescription: words) { path, _ in
        let bytes = try DurableFile.read(path)
        try DurableFile.write(Array(bytes.prefix(count(bytes.count))), to: path)
      }
    }
  }

  static let losses: [Loss] = [
    .cut("cut to nothing") { _ in 0 }, .cut("cut to half") { $0 / 2 },
    .cut("cut to a page") { _ in 4_096 }, .cut("cut within a page") { $0 * 3 / 4 + 1_000 },
    Loss(testDescription: "garbage") { path, _ in
      var random = RandomStream(seed: 7)
      let count = try DurableFile.size(of: path)
      try DurableFile.write(
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }, to: path)
    },
    Loss(testDescription: "removed") { path, _ in try DurableFile.remove(path) },
    Loss(testDescription: "another run's") { path, other in
      try DurableFile.write(try DurableFile.read(other), to: path)
    },
    Loss(testDescription: "a new one") { path, _ in
      try DurableFile.remove(path)
      try await SQLiteLedger(path: path).close()
    },
    Loss(testDescription: "its schema gone") { path, _ in
      var bytes = try DurableFile.read(path)
      for place in 100..<4_096 { bytes[place] = 0 }
      try DurableFile.write(bytes, to: path)
    },
    Loss(testDescription: "a column that is no report") { path, _ in
      let text = Array("\"kept\":".utf8)
      var bytes = try DurableFile.read(path)
      for place in bytes.indices.dropLast(text.count)
      where Array(bytes[place..<place + text.count]) == text {
        bytes[place + 1] = UInt8(ascii: "x")
      }
      try DurableFile.write(bytes, to: path)
    },
  ]

  @Test("every command refuses a lost ledger and changes nothing; verify --repair brings it back")
  func losses() async throws {
    let web = try MaintenanceWeb()
    for name in ["run", "other"] {
      try await web.run(name)
      try await SQLiteLedger(path: "\(web.folder)/\(name)/ledger.sqlite").close()
    }
    let expected = try await Contents(RunFolder(web.folder + "/run"))
    for (number, loss) in Self.losses.enumerated() {
      let name = "lost-\(number)"
      try web.copy("run", to: name)
      let folder = RunFolder("\(web.folder)/\(name)")
      try await loss.make(folder.ledger, "\(web.folder)/other/ledger.sqlite")
      let bytes = DurableFile.exists(folder.ledger) ? try DurableFile.read(folder.ledger) : []
      let files = try web.files(name)
      let commands: [@Sendable () async throws -> Void] = [
        { _ = try await PipelineRun.status(folder: folder.path) },
        { _ = try await web.resume(name) },
        { _ = try await PipelineRun.retryable(in: folder.path, where: PipelineRun.usualRetry) },
        {
          try await Forgetter.forget(
            [try ForgetRequest(.host, "example.org")], in: folder, now: 5)
        },
        {
          _ = try await PipelineRun(
            recipe: PipelineRecipe(
              yaml: "", path: "test", overrides: ["input=\(web.folder)/run.csv"]),
            folder: folder.path, workers: 1
          ).run()
        },
      ]
      for (index, command) in commands.enumerated() {
        // What a look at the jobs' states alone does not meet is no harm to it.
        if loss.testDescription.contains("report") && [0, 1, 4].contains(index) { continue }
        do {
          try await command()
          Issue.record("\(loss.testDescription): command \(index) went on")
        } catch LedgerError.damaged(let path, _) {
          #expect(path == folder.ledger)
        } catch {
          Issue.record("\(loss.testDescription): command \(index): \(error)")
        }
      }
      #expect(try web.files(name) == files, "\(loss.testDescription)")
      let left = DurableFile.exists(folder.ledger) ? try DurableFile.read(folder.ledger) : []
      #expect(left == bytes, "\(loss.testDescription)")
      let report = try await RunVerifier.verify(folder, threads: 2)
      #expect(Set(report.problems.map(\.file)) == ["ledger.sqlite"], "\(loss.testDescription)")
      let outcome = try await RunRepairer.repair(report, in: folder)
      #expect(outcome.left == [] && !outcome.mustResume, "\(loss.testDescription): \(outcome)")
      #expect(try await Contents(folder) == expected, "\(loss.testDescription)")
      if !bytes.isEmpty {
        #expect(try DurableFile.read(folder.ledger + ".damaged-1") == bytes)
      }
      #expect(try web.files(name) == files, "\(loss.testDescription)")
    }
  }

  @Test("a ledger with any byte changed is as good as before, or is found out and made again")
  func flips() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run", ["filter.min_score=0.05"], scorer: ToyScorer())
    let folder = RunFolder(web.folder + "/run")
    try await SQLiteLedger(path: folder.ledger).close()
    let whole = try DurableFile.read(folder.ledger)
    let expected = try await Contents(folder)
    let seed = UInt64(Date.now.timeIntervalSince1970)
    var random = RandomStream(seed: seed)
    var found = 0
    for number in 0..<(Self.isLong ? 1_006 : 46) {
      var bytes = whole
      // The magic words, which are always found out, the header, the schema, and everywhere.
      let range =
        number < 6 ? 0..<16 : number < 16 ? 0..<100 : number < 26 ? 100..<4_096 : 0..<bytes.count
      let place = Int(random.next() % UInt64(range.count)) + range.lowerBound
      bytes[place] ^= 1 << UInt8(random.next() % 8)
      for ending in ["-wal", "-shm"] { try DurableFile.remove(folder.ledger + ending) }
      try DurableFile.write(bytes, to: folder.ledger)
      let report = try await RunVerifier.verify(folder, threads: 2)
      if !report.problems.isEmpty {
        found += 1
        #expect(
          Set(report.problems.map(\.file)) == ["ledger.sqlite"],
          "seed \(seed), byte \(place): \(report.problems)")
        let outcome = try await RunRepairer.repair(report, in: folder)
        #expect(!outcome.mustResume, "seed \(seed), byte \(place): \(outcome)")
      }
      #expect(try await Contents(folder) == expected, "seed \(seed), byte \(place)")
    }
    #expect(found > 5, "seed \(seed)")
  }

  @Test("a repair that is killed at any step is ended by the next")
  func killed() async throws {
    struct Kill: Error {}
    let web = try MaintenanceWeb()
    try await web.run("run")
    let expected = try await Contents(RunFolder(web.folder + "/run"))
    var step = 0
    while true {
      let name = "killed-\(step)"
      try web.copy("run", to: name)
      let folder = RunFolder("\(web.folder)/\(name)")
      for ending in ["", "-wal", "-shm"] {
        try DurableFile.write("damaged\(ending)", to: folder.ledger + ending)
      }
      let counter = StepCounter()
      let last = step
      do {
        _ = try await LedgerRebuilder.rebuild(folder, threads: 1, now: 7) {
          if counter.next() == last { throw Kill() }
        }
      } catch is Kill {}
      let isOver = counter.next() <= last
      let isDone =
        try DurableFile.exists(folder.ledger)
        && DurableFile.read(folder.ledger) != Array("damaged".utf8)
      if !isDone { _ = try await LedgerRebuilder.rebuild(folder, threads: 1, now: 8) }
      #expect(try await Contents(folder) == expected, "step \(step)")
      for ending in ["", "-wal", "-shm"] {
        #expect(
          try DurableFile.read(folder.ledger + ".damaged-1" + ending)
            == Array("damaged\(ending)".utf8), "step \(step)")
      }
      if isOver { break }
      step += 1
    }
    #expect(step == 5)
  }

  /// Runs or retries until `count` jobs have settled, and stops.
  static func stop(
    _ run: PipelineRun, after count: Int, where expression: String? = nil
  ) async throws {
    let (settled, report) = AsyncStream.makeStream(of: Int.self)
    let work = Task {
      defer { report.finish() }
      let onStatus: @Sendable (RunStatus) -> Void = { status in
        report.yield(
          status.jobs.values.reduce(0) { $0 + ($1[JobState.completed.rawValue] ?? 0) })
      }
      if let expression {
        _ = try await run.retry(
          where: expression, reportingEvery: .milliseconds(1), onStatus: onStatus)
      } else {
        _ = try await run.run(reportingEvery: .milliseconds(1), onStatus: onStatus)
      }
    }
    for await number in settled where number >= count {
      work.cancel()
      break
    }
    do { try await work.value } catch is CancellationError {}
  }

  @Test(
    "of a run and of a retry that were stopped midway: resumed, they end as undisturbed ones",
    arguments: [[], ["filter.top_fraction=0.7"], ["layout=img2dataset", "shard_pairs=6"]])
  func midway(options: [String]) async throws {
    let web = try MaintenanceWeb()
    let scorer = Self.scorer(options)
    let all = ["chunk_rows=5"] + options
    try await web.run("run", all, scorer: scorer)
    func make(_ name: String) async throws -> PipelineRun {
      let recipe = try await PipelineRun.recipe(of: web.folder + "/run")
      return try PipelineRun(
        recipe: recipe, folder: "\(web.folder)/\(name)", workers: 2, scorer: scorer)
    }
    func published(_ name: String) throws -> [String: [UInt8]] {
      // img2dataset's statistics tell how long it took.
      try web.files(name).filter { file, _ in
        !file.hasPrefix("fetched/") && !file.hasSuffix("_stats.json")
      }
    }
    func lose(_ name: String) async throws {
      let folder = RunFolder("\(web.folder)/\(name)")
      for ending in ["", "-wal", "-shm"] { try DurableFile.remove(folder.ledger + ending) }
      _ = try await Self.rebuild(folder)
    }
    let expected = try published("run")
    for count in Self.isLong ? Array(1...25) : [1, 8, 17] {
      let name = "half-\(count)"
      try await Self.stop(try await make(name), after: count)
      try await lose(name)
      try await web.resume(name, scorer: scorer)
      let found = try published(name)
      #expect(found.keys.sorted() == expected.keys.sorted(), "\(count) jobs")
      for (file, bytes) in expected { #expect(found[file] == bytes, "\(count) jobs: \(file)") }
      let folder = RunFolder("\(web.folder)/\(name)")
      #expect(try await RunVerifier.verify(folder, threads: 2).problems == [], "\(count) jobs")
    }
    let stops = Self.isLong ? Array(0...5) : [0, 3]
    // The same with a retry, of which only the first job has begun, or some.
    let done = try await PipelineRun.status(folder: web.folder + "/run").jobs.values
      .reduce(0) { $0 + $1.values.reduce(0, +) }
    for count in stops { try web.copy("run", to: "again-\(count)") }
    web.heal()
    _ = try await make("run").retry(where: PipelineRun.usualRetry)
    let retried = try published("run")
    #expect(retried != expected)
    for count in stops {
      let name = "again-\(count)"
      try await Self.stop(
        try await make(name), after: done + count, where: PipelineRun.usualRetry)
      try await lose(name)
      try await web.resume(name, scorer: scorer)
      let found = try published(name)
      #expect(found.keys.sorted() == retried.keys.sorted(), "\(count) jobs of the retry")
      for (file, bytes) in retried {
        #expect(found[file] == bytes, "\(count) jobs of the retry: \(file)")
      }
    }
  }

  @Test("a chunk that is not whole is done again under a higher attempt, and the others are not")
  func missing() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    let expected = try web.files("run").filter { !$0.key.hasPrefix("fetched/") }
    let asked = (web.server.requests(of: "/ok/1"), web.server.requests(of: "/ok/11"))
    try DurableFile.remove(folder.ledger)
    try DurableFile.remove(folder.shards + "/00001.tar.lz4")
    let outcome = try await Self.rebuild(folder)
    #expect(outcome.mustResume)
    try await web.resume("run")
    #expect(try web.files("run").filter { !$0.key.hasPrefix("fetched/") } == expected)
    #expect(DurableFile.exists(folder.fetchedTable(1, attempt: 2)))
    #expect(!DurableFile.exists(folder.fetchedTable(0, attempt: 2)))
    #expect(web.server.requests(of: "/ok/1") == asked.0)
    #expect(web.server.requests(of: "/ok/11") == asked.1 + 1)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
  }

  @Test("where the list's rows are lost with the ledger nothing is made up")
  func lostRows() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    for file in ["chunks/00001.jsonl", "chunks/files.json"] {
      let name = "lost-\(file.suffix(8))"
      try web.copy("run", to: name)
      let folder = RunFolder("\(web.folder)/\(name)")
      try DurableFile.remove("\(folder.path)/\(file)")
      try DurableFile.write("none", to: folder.ledger)
      let report = try await RunVerifier.verify(folder, threads: 1)
      await #expect(throws: RecoveryError.self) {
        _ = try await RunRepairer.repair(report, in: folder)
      }
      #expect(try DurableFile.read(folder.ledger) == Array("none".utf8))
    }
  }

  @Test("without run.json nothing is made up, and the next run of the folder writes it")
  func withoutRecord() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    let record = try DurableFile.read(folder.record)
    try DurableFile.remove(folder.record)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
    try await web.resume("run")
    #expect(try DurableFile.read(folder.record) == record)
    try web.copy("run", to: "bare")
    let bare = RunFolder(web.folder + "/bare")
    try DurableFile.remove(bare.record)
    try DurableFile.remove(bare.ledger)
    let report = try await RunVerifier.verify(bare, threads: 1)
    #expect(report.problems.map(\.file) == ["ledger.sqlite"])
    #expect(!report.problems[0].canBeRepaired)
    await #expect(throws: RecoveryError.withoutRecord(folder: bare.path)) {
      _ = try await LedgerRebuilder.rebuild(bare, threads: 1, now: 7)
    }
    #expect(!DurableFile.exists(bare.ledger))
  }
}

/// Counts calls of many threads from 0.
private final class StepCounter: Sendable {
  private let value = Atomic(0)
  func next() -> Int { value.add(1, ordering: .relaxed).oldValue }
}
