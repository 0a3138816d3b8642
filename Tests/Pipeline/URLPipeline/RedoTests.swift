import DurableFiles
import Foundation
import Glibc
import JobLedger
import PairDataset
import PipelineCore
import Testing
import URLPipeline

/// A scorer of another name that likes late rows less.
struct OtherScorer: PairScorer {
  let name = "other"
  let provenance = ["weights": "others"]

  func scores(of pairs: [Pair]) async throws -> [Float] {
    pairs.map { pair in 1 - Float(Int(pair.caption.split(separator: " ")[1]) ?? 0) / 50 }
  }
}

/// A run, another with other options, and the first one redone into the second.
struct RedoCase: Sendable, CustomTestStringConvertible {
  var stage: StageName
  var old: [String] = []
  var new: [String] = []
  var oldScorer: (any PairScorer)?
  var newScorer: (any PairScorer)?
  var testDescription: String { "\(stage.rawValue): \(old) → \(new)" }

  static let all: [RedoCase] = [
    .init(
      stage: .filter, old: ["filter.min_score=0.02"],
      new: ["filter.min_score=0.2", "shard_pairs=3"],
      oldScorer: ToyScorer(), newScorer: ToyScorer()),
    .init(
      stage: .filter, old: ["filter.min_score=0.02"], oldScorer: ToyScorer(),
      newScorer: ToyScorer()),
    .init(
      stage: .score, old: ["filter.top_fraction=0.9"], new: ["filter.top_fraction=0.5"],
      oldScorer: ToyScorer(), newScorer: OtherScorer()),
    .init(stage: .score, new: ["filter.min_score=0.1"], newScorer: ToyScorer()),
    .init(stage: .score, old: ["filter.min_score=0.1"], oldScorer: ToyScorer()),
    .init(stage: .shard, new: ["compression=none", "shard_pairs=4"]),
    .init(stage: .shard, old: ["compression=none"], new: ["key_scheme=img2dataset"]),
    .init(stage: .shard, new: ["layout=img2dataset"]),
    .init(stage: .shard, old: ["layout=img2dataset"], new: ["shard_bytes=20000"]),
    .init(
      stage: .shard, old: ["compression=none", "filter.min_score=0.02"],
      new: ["filter.min_score=0.3"], oldScorer: ToyScorer(), newScorer: OtherScorer()),
    .init(stage: .deduplicate, old: ["keep=decoded"], new: ["dedup=off"]),
    .init(stage: .decode, old: ["keep=fetched"], new: ["image_size=20", "min_image_size=0"]),
    .init(stage: .download, new: ["download.max_redirects=3", "image_size=20"]),
  ]
}

@Suite struct RedoTests {
  /// Some of one picture, one that is none, and one that is not there.
  static let paths: [String] =
    (0..<9).map { "/ok/\($0)" } + ["/never/9", "/page/10"] + (11..<20).map { "/ok/\($0)" }
    + ["/ok/same", "/ok/3", "/ok/twin"] + (23..<27).map { "/ok/\($0)" }

  static func requests(_ web: HealingWeb) -> Int {
    Set(paths).reduce(0) { $0 + web.server.requests(of: $1) }
  }

  /// Every file of a run that has neither clocks nor the crawl's manners in it.
  static func files(_ web: HealingWeb, _ name: String) throws -> [String: [UInt8]] {
    let root = "\(web.folder)/\(name)"
    var files: [String: [UInt8]] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: root) {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isFolder),
        !isFolder.boolValue, !path.hasPrefix("fetched/"),
        !["ledger", "run.json", "rates", "hosts", "origins", "duplicates/"].contains(
          where: path.hasPrefix)
      else { continue }
      // img2dataset's statistics tell how long the downloads took.
      files[path] = path.hasSuffix("_stats.json") ? [] : try DurableFile.read("\(root)/\(path)")
    }
    return files
  }

  static func compare(_ web: HealingWeb, _ name: String, _ fresh: String) throws {
    let (found, expected) = (try files(web, name), try files(web, fresh))
    #expect(found.keys.sorted() == expected.keys.sorted())
    for (file, bytes) in expected { #expect(found[file] == bytes, "\(file) differs") }
  }

  @Test(
    "a redo ends with the bytes of a new run, and leaves earlier stages alone",
    arguments: RedoCase.all)
  func redone(_ this: RedoCase) async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    _ = try await web.run(list, into: "run", this.old, scorer: this.oldScorer).run()
    let before = Self.requests(web)
    let run = try web.run(list, into: "run", this.new, scorer: this.newScorer)
    // Unless it is asked to, it takes no new option.
    let refused = await #expect(throws: ChangedOptionsError.self) { try await run.run() }
    #expect(refused?.differences.first?.stage == this.stage)
    let way = "pairloom run … --redo \(this.stage.rawValue): "
    #expect(refused?.choices.last?.hasPrefix(way) == true)
    let outcome = try await run.redo(this.stage)
    #expect(outcome.jobs ?? 0 > 0)
    #expect(outcome.differences == refused?.differences)
    #expect(try await run.run().isComplete)
    let asked = Self.requests(web) - before
    #expect(this.stage == .download ? asked == before : asked == 0)

    _ = try await web.run(list, into: "fresh", this.new, scorer: this.newScorer).run()
    if this.old.contains(where: { $0.hasPrefix("keep") }) {
      #expect(
        try DurableFile.names(in: web.folder + "/run/fetched").allSatisfy { !$0.hasSuffix("bytes") }
      )
    }
    try Self.compare(web, "run", "fresh")
    let ledger = try SQLiteLedger(path: web.folder + "/run/ledger.sqlite")
    for stage in StageName.allCases.prefix(5) {
      let history = try await ledger.history(of: JobName(stage: stage.rawValue, chunk: 0))
      #expect(history.count == (stage.rank < this.stage.rank ? 1 : 2), "\(stage)")
    }
    #expect(try await run.run().isComplete, "and is resumed with the new options")
  }

  @Test("without a change it is done again all the same, and not twice when it was interrupted")
  func unchanged() async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    let run = try web.run(list, into: "run")
    _ = try await run.run()
    let before = try Self.files(web, "run")
    let outcome = try await run.redo(.shard)
    #expect(outcome.jobs == 4)
    #expect(outcome.differences.isEmpty)
    // Begun and not ended: the same, or a later stage of it, goes on.
    #expect(try await run.redo(.shard).jobs == nil)
    #expect(try await run.redo(.filter).jobs == nil)
    _ = try await run.run()
    #expect(try Self.files(web, "run") == before)
    #expect(try await run.redo(.filter).jobs == 1)
    _ = try await run.run()
    #expect(try Self.files(web, "run") == before)
  }

  @Test("other options again before a redo has ended leave nothing of either behind")
  func twice() async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    _ = try await web.run(
      list, into: "run", ["shard_pairs=2"], scorer: OtherScorer()
    ).run()
    let new = ["compression=none", "filter.min_score=0.1"]
    try await web.run(list, into: "run", new, scorer: ToyScorer()).redo(.shard)
    let last = try web.run(list, into: "run", ["key_scheme=img2dataset"])
    try await last.redo(.shard)
    _ = try await last.run()
    _ = try await web.run(list, into: "fresh", ["key_scheme=img2dataset"]).run()
    try Self.compare(web, "run", "fresh")
  }

  @Test("the refusal names each option by stage, and what a redo costs")
  func words() async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    _ = try await web.run(list, into: "run").run()
    let folder = web.folder + "/run"
    let run = try web.run(
      list, into: "run", ["image_size=20", "compression=none", "dedup=off"])
    let error = await #expect(throws: ChangedOptionsError.self) { try await run.run() }
    #expect(
      error?.description == """
        \(folder): this folder holds a run with other options:
          decode
            image_size: was 16, now 20
          deduplicate
            dedup: was near, now off
          shard
            compression: was lz4, now none
        To go on, choose:
          the old options: they go on with this run
          pairloom run … --folder NEW: a new run with the new options
          pairloom run … --redo download: does download, decode, deduplicate, shard and filter again: the web is \
        asked for 26 pictures again, and what has changed there changes in the result (--redo decode \
        is not enough: the downloaded bytes of 3 chunks are gone; the recipe's `keep` keeps them)
        """)
    let late = await #expect(throws: ChangedOptionsError.self) { try await run.redo(.shard) }
    #expect(late?.description.contains("--redo shard comes too late for options that") == true)
    #expect(
      await #expect(throws: RedoError.self) { try await run.redo(.decode) }
        == .inputsGone(folder: folder, stage: .decode, chunks: 3, instead: .download))
    let list2 = try web.list(["/ok/1"], name: "other")
    let other = try web.run(list2, into: "run")
    #expect(
      await #expect(throws: RedoError.self) { try await other.redo(.ingest) }
        == .list(folder: folder))
    let words = await #expect(throws: ChangedOptionsError.self) { try await other.run() }
    #expect(
      words?.differences.allSatisfy { $0.stage == .ingest && $0.key.hasPrefix("input") } == true)
    #expect(
      words?.choices.last
        == "(no --redo: the list is taken in once, and all else goes by its chunks)")
  }

  @Test("rows that were retried forbid what may bring them twice, and nothing else")
  func retried() async throws {
    let web = try HealingWeb()
    let list = try web.list(["/ok/1", "/heal/2", "/ok/3", "/ok/same", "/ok/twin"])
    let options = ["keep=[fetched, decoded]", "compression=none"]
    _ = try await web.run(list, into: "run", ["keep=[fetched, decoded]"]).run()
    web.heal()
    _ = try await web.again("run").retry(where: "1")
    let run = try web.run(list, into: "run", options)
    #expect(
      await #expect(throws: RedoError.self) { try await run.redo(.download) }
        == .retried(folder: web.folder + "/run", stage: .download))
    let rows = try web.keptRows("run")
    for stage in [StageName.decode, .deduplicate, .shard, .filter] {
      #expect(try await run.redo(stage).jobs ?? 0 > 0)
      #expect(try await run.run().isComplete)
      #expect(try web.keptRows("run").sorted() == rows.sorted())
    }
  }

  @Test("a row that failed as a picture and was retried forbids decoding again")
  func retriedPicture() async throws {
    let web = try HealingWeb()
    let list = try web.list(["/ok/1", "/page/2", "/ok/3"])
    let options = ["keep=fetched"]
    _ = try await web.run(list, into: "run", options).run()
    web.heal()
    _ = try await web.again("run").retry(where: "1")
    let run = try web.run(list, into: "run", options)
    #expect(
      await #expect(throws: RedoError.self) { try await run.redo(.decode) }
        == .retried(folder: web.folder + "/run", stage: .decode))
    #expect(try await run.redo(.shard).jobs ?? 0 > 0)
  }

  @Test("kept bytes stay, and go when they are not asked for any more")
  func kept() async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    func bytes() throws -> [String] {
      try ["fetched", "decoded"].flatMap { try DurableFile.names(in: "\(web.folder)/run/\($0)") }
        .filter { $0.hasSuffix(".bytes") }
    }
    _ = try await web.run(list, into: "run", ["keep=[fetched, decoded]"]).run()
    #expect(try bytes().count == 6)
    let run = try web.run(list, into: "run", ["keep=decoded"])
    try await run.redo(.filter)
    _ = try await run.run()
    #expect(try bytes() == ["00000.bytes", "00001.bytes", "00002.bytes"])
    #expect(throws: RecipeError.self) { try web.run(list, into: "run", ["keep=shards"]) }
  }

  @Test("nothing is redone while another process works on the run, or holds a job")
  func busy() async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    let run = try web.run(list, into: "run")
    await #expect(throws: NoRunError.self) { try await run.redo(.filter) }
    _ = try await run.run()
    let other = open(web.folder + "/run", O_RDONLY | O_DIRECTORY)
    #expect(flock(other, LOCK_SH) == 0)
    #expect(try await run.run().isComplete, "any number may work")
    await #expect(throws: FolderInUseError.self) { try await run.redo(.filter) }
    #expect(flock(other, LOCK_EX) == 0)
    await #expect(throws: FolderInUseError.self) { try await run.run() }
    close(other)
    let ledger = try SQLiteLedger(path: web.folder + "/run/ledger.sqlite")
    let job = JobName(stage: "filter", chunk: 0)
    try await ledger.reopen([job])
    let owner = ProcessIdentity.owner(worker: "w")
    let lease = try await ledger.claim(
      stages: ["filter"], owner: owner, duration: 60_000, now: WorkerGroup.wallClock())
    await #expect(throws: LedgerError.busy(job)) { try await run.redo(.filter) }
    try await ledger.release(try #require(lease), now: 0)
    #expect(try await run.redo(.filter).jobs == 1)
  }

  @Test("each option belongs to the stage that goes by it first, and so does a ledger's key")
  func stages() throws {
    let recipe = try PipelineRecipe(yaml: "", path: "r", overrides: ["input=LIST"])
    for (key, stage) in [
      ("chunk_rows", StageName.ingest), ("limit", .ingest), ("input (sample SHA-256)", .ingest),
      ("hash_column", .ingest), ("policy", .download), ("hash_blocklist (SHA-256)", .download),
      ("download.headers", .download), ("image_size", .decode), ("bbox_column", .decode),
      ("decode_wall_seconds", .decode), ("dedup", .deduplicate), ("layout", .shard),
      ("compression", .shard), ("shard_pairs", .filter), ("shard_bytes", .filter),
      ("model", .score), ("scorer", .score), ("scorer.weights", .score),
      ("filter.min_score", .filter), ("an option of tomorrow", .ingest),
    ] { #expect(recipe.stage(of: key) == stage, "\(key)") }
  }
}
