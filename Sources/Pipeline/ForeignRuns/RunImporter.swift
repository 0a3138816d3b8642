import DurableFiles
import FilterStage
import JobLedger
import PairDataset
public import PipelineCore
import ShardStage
import URLPipeline
import WorkerThreads

/// Makes the output_folder of img2dataset a finished run of ours, whose failures can be retried.
///
/// Every row keeps its key, and its number follows from it; shards keep their number and their bytes.
/// The tables of all stages say what img2dataset's say, in our words. Pairs that img2dataset has more
/// than once stay, as its shards hold them; what heals later is dropped where its downloaded bytes are
/// those of a pair that a shard holds (`dedup: exact`), as far as the tables have a SHA-256.
///
/// Nothing in the imported folder is changed. The ledger comes last, so a folder is a run or none; an
/// import that was killed is repeated by the same call. Memory: the rows of a shard, a pair, and a few
/// counts for each shard.
public final class RunImporter {
  private let source: Img2datasetFolder
  private let options: ImportOptions
  private let folder: RunFolder
  private let flag: CancellationFlag
  private let onProgress: @Sendable (_ shards: Int, _ of: Int, _ pairs: Int) -> Void

  private var outcome = ImportOutcome()
  private var kinds = CarriedKinds()
  private var facts = TreatmentFacts()
  private var reports: [StageName: [Int: StageReport]] = [:]
  private var rejected: [DropReason: Int] = [:]
  private var hasCaptions = false

  private init(
    _ source: Img2datasetFolder, _ options: ImportOptions, _ folder: RunFolder,
    _ flag: CancellationFlag, _ onProgress: @escaping @Sendable (Int, Int, Int) -> Void
  ) {
    self.source = source
    self.options = options
    self.folder = folder
    self.flag = flag
    self.onProgress = onProgress
  }

  /// Imports a folder.
  ///
  /// - Parameters:
  ///   - source: The output_folder of img2dataset, output_format webdataset.
  ///   - folder: New or empty, or that of an import of `source` that was killed.
  ///   - options: What img2dataset has not noted.
  ///   - clock: Milliseconds since 1970.
  ///   - onProgress: Told how many of how many shards are done, and the pairs in them.
  /// - Returns: What was found.
  /// - Throws: ``ImportError``, `RecipeError`, `FileError`; `CancellationError` when the task was
  ///   cancelled: the same call then begins anew.
  public static func importImg2dataset(
    _ source: String, to folder: String, options: ImportOptions = ImportOptions(),
    clock: @escaping @Sendable () -> Int = WorkerGroup.wallClock,
    onProgress: @escaping @Sendable (_ shards: Int, _ of: Int, _ pairs: Int) -> Void = { _, _, _ in
    }
  ) async throws -> ImportOutcome {
    let run = RunFolder(folder)
    let found = try Img2datasetFolder(source)
    // Before anything is written: a mistake in an option leaves no folder behind.
    _ = try ImportRecipe(options, folder: found.path, rows: 1_000, facts: nil)
    let state = try ImportState(in: run, from: found.path)
    if try await state.isEntered() {
      try await RunRecord.update(run, from: try SQLiteLedger(path: run.ledger))
      try state.end()
      var outcome = ImportOutcome()
      outcome.wasEnded = true
      return outcome
    }
    try state.clear()
    let (imported, outcome, reports) = try await CancellationFlag.watch { flag in
      try await Parallel.detached {
        let importer = RunImporter(found, options, run, flag, onProgress)
        let imported = try importer.readAll()
        return (imported, importer.outcome, importer.reports)
      }
    }
    let all = try await publish(imported, reports, run)
    let ledger = try SQLiteLedger(path: run.ledger)
    try await imported.enter(
      all, chunks: reports[.shard]?.count ?? 0, in: ledger, of: run, now: clock())
    try state.end()
    return outcome
  }

  /// Writes `dataset.json` as the run's own stage does, and gives all reports.
  private static func publish(
    _ imported: ImportedRun, _ reports: [StageName: [Int: StageReport]], _ folder: RunFolder
  ) async throws -> [StageName: [Int: StageReport]] {
    var all = reports
    let context = StageContext(
      folder: folder, report: { stage, chunk in reports[stage]?[chunk] },
      reports: { stage in
        (reports[stage] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      })
    all[.filter] = [
      0: try await imported.filterStage.run(Chunk(number: 0, attempt: 1), in: context)
    ]
    return all
  }

  private func readAll() throws -> ImportedRun {
    try folder.make()
    var numbering = try ShardNumbering(of: source, flag)
    let draft = try ImportRecipe(
      options, folder: source.path, rows: numbering.rowsPerShard, facts: nil)
    if let rows = draft.rowsPerShard {
      guard numbering.allows(rowsPerShard: rows) else {
        throw ImportError.badSetting(
          key: "chunk_rows", value: String(rows),
          why: "the shards have up to \(numbering.fewestRows) rows, and keys of"
            + " \(numbering.placeDigits.map { String($0) } ?? "other") digits for a row's place")
      }
      numbering.rowsPerShard = rows
    }
    var next = 0
    for (index, shard) in source.shards.enumerated() {
      while next < shard.number {
        try flag.check()
        add(try ImportedChunk([], chunk: next, to: folder, shard: nil), next)
        outcome.gaps += 1
        next += 1
      }
      try read(shard, numbering)
      next = shard.number + 1
      onProgress(index + 1, source.shards.count, outcome.pairs)
    }
    if source.hasWorkList {
      outcome.findings.append(
        .init(
          shard: "_tmp",
          words:
            "img2dataset is at work in this folder, or was killed: shards that it has not begun"
            + " are in its list alone"))
    }
    try writeListFacts(chunks: next)
    let recipe = try ImportRecipe(
      options, folder: source.path, rows: numbering.rowsPerShard, facts: facts)
    outcome.assumed = recipe.assumed
    // The tables beside the shards are made of the others, as the run's own stage makes them.
    for chunk in 0..<next {
      try flag.check()
      try recipe.recipe.shardStage.rebuildTable(
        of: chunk, fetchedBy: ImportedPair.attempt, in: folder)
    }
    return try ImportedRun(recipe: recipe.recipe, from: "img2dataset")
  }

  private func read(_ shard: Img2datasetFolder.Shard, _ numbering: ShardNumbering) throws {
    let result = try ShardImport(
      shard: shard, numbering: numbering, options: options, folder: folder, flag: flag
    ).run(&kinds, &facts)
    add(result.chunk, shard.number)
    outcome.findings += result.findings.map { .init(shard: shard.name, words: $0) }
    if let summary = result.shard {
      outcome.shards += 1
      outcome.pairs += summary.pairs
      outcome.bytes += summary.bytes
      if result.isLinked { outcome.linked += 1 }
    }
    if result.isUnfinished { outcome.unfinished += 1 }
    if result.hasCaptions { hasCaptions = true }
    outcome.withoutSHA256 += result.withoutSHA256
  }

  private func add(_ chunk: ImportedChunk, _ number: Int) {
    for (stage, report) in chunk.reports { reports[stage, default: [:]][number] = report }
    rejected.merge(chunk.rejected, uniquingKeysWith: +)
    outcome.failures.merge(chunk.dropped, uniquingKeysWith: +)
    outcome.rows += chunk.rows
    outcome.transient += chunk.transient
    outcome.mayHeal += chunk.mayHeal
  }

  private func writeListFacts(chunks: Int) throws {
    let rows = outcome.rows
    reports[.ingest] = [
      0: StageReport(
        input: rows, kept: rows - rejected.values.reduce(0, +), dropped: rejected,
        facts: [
          "rows": rows, "rejected": 0, "chunks": chunks, "files": 1, RunGenerations.importedFact: 1,
        ])
    ]
    try DurableFile.write(kinds.json.serialized + "\n", to: folder.chunkColumns)
    let list = JSONValue.object([
      .init("file", .string(source.path)), .init("format", .string("img2dataset")),
      .init("first_row", .int(0)), .init("rows", .int(rows)), .init("rejected", .int(0)),
      .init("captions", .bool(hasCaptions)),
    ])
    try DurableFile.write(JSONValue.array([list]).serialized + "\n", to: folder.chunkFiles)
  }
}
