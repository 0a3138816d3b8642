import DurableFiles
import FilterPlans
import PairDataset
public import PipelineCore
import WorkerThreads

/// The last job of a run, and of each retry: keeps the pairs with good scores, writes `dataset.json`.
///
/// The job's number is its generation (``RunGenerations``). A retry's job adds to what is published
/// and changes none of it: it judges the shards of its own chunks, numbers what it keeps after the
/// filtered shards that there are, and publishes a manifest of all. A share of the best pairs is then
/// the retry's pairs that are among the best of all, so the share of the whole may come out larger.
///
/// With a rule, reads every score table and shard, writes what is kept to `filtered/`, dense again,
/// with a table for each shard, and a verdict for every scored pair to
/// `filtered/verdicts/NNNNN.parquet`; the manifest lists `filtered/`. Without one the manifest lists
/// `shards/` as they are, or `filtered/` where the packing has bounds: all pairs then, dense. Beside
/// the shards that are listed stand their sizes for open_clip. The same scores give the same bytes.
/// Memory: key and score of every scored pair, and a frame of a shard.
public struct FilterStage: Stage {
  public let name = StageName.filter
  public let lane = Lane.compute
  private let rule: FilterRule
  private let scorer: String?
  private let packing: ShardPacking
  private let isImg2dataset: Bool
  private let recipeSHA256: String
  /// Why a pair that is not kept is dropped.
  private var reason: DropReason {
    if case .plan = rule { return .filterRule }
    return .lowScore
  }

  /// - Parameters:
  ///   - rule: What is kept; a bound to scores needs a scorer.
  ///   - scorer: The scorer's name; nil when there is none.
  ///   - packing: How the filtered shards are cut; with a rule it must have a bound.
  ///   - isImg2dataset: Whether `shards/` has img2dataset's layout.
  ///   - recipeSHA256: Goes into the manifest.
  public init(
    rule: FilterRule, scorer: String?, packing: ShardPacking, isImg2dataset: Bool = false,
    recipeSHA256: String
  ) {
    precondition(!rule.needsScores || scorer != nil, "a filter by score needs a scorer")
    precondition(rule == .none || packing.isAsked, "filtered shards need a bound")
    self.rule = rule
    self.scorer = scorer
    self.packing = packing
    self.isImg2dataset = isImg2dataset
    self.recipeSHA256 = recipeSHA256
  }

  /// The fact by which a job counts the final shards that it has packed.
  package static let shardsFact = "shards"
  /// Names the job in the footers of the tables that it packs, the list's excepted.
  package static let generationKey = "generation"

  /// The columns of `filtered/verdicts/`.
  private static let verdictColumns =
    [TableColumn("key", .text, isOptional: false), TableColumn("score", .double)] + Drop.columns

  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    let generations = RunGenerations(ingest: try await run.reports(.ingest))
    // A retry's chunk that was given up counts nowhere: its pairs are as they were before.
    let ended = Set(try await run.reports(.shard).map(\.chunk))
    let givenUp = generations.retries(in: 0..<generations.chunkCount).subtracting(ended)
    var funnel: [DatasetManifest.FunnelStep] = []
    for (step, stage) in [
      ("rows", StageName.ingest), ("fetched", .download), ("decoded", .decode),
      ("unique", .deduplicate), ("sharded", .shard),
    ] {
      let reports = try await run.reports(stage).filter { entry in
        stage == .ingest || !givenUp.contains(entry.chunk)
      }.map(\.report)
      funnel.append(
        .init(
          stage: step,
          pairs: reports.reduce(0) { $0 + (step == "rows" ? $1.facts["rows"] ?? 0 : $1.kept) }
            - (stage == .download ? generations.fetchedTwice(without: givenUp) : 0)))
    }
    let shards = try await run.reports(.shard).compactMap { entry in
      entry.report.shard.map { (chunk: entry.chunk, summary: $0) }
    }
    // A shard that could not be scored is left out, like every other quarantined chunk.
    let scored: Set<Int>? =
      scorer == nil ? nil : Set(try await run.reports(.score).map(\.chunk))
    let usable = shards.filter {
      // A job that is done again knows nothing of the generations after it, as at first.
      (scored?.contains($0.chunk) ?? true) && generations.number(ofChunk: $0.chunk) <= chunk.number
    }
    // What earlier generations have published; one whose filter was given up has left its to us.
    var earlier: [Int: StageReport] = [:]
    if chunk.number > 0 {
      for (number, report) in try await run.reports(.filter) where number < chunk.number {
        earlier[number] = report
      }
    }
    let job = Work(
      shards: usable.map {
        let isOwn = earlier[generations.number(ofChunk: $0.chunk)] == nil
        return Work.Shard(chunk: $0.chunk, summary: $0.summary, isOwn: isOwn)
      },
      generation: chunk.number,
      published: earlier.values.reduce(0) { $0 + ($1.facts[Self.shardsFact] ?? 0) },
      funnel: funnel)
    let packed = try await CancellationFlag.watch { flag in
      try await Parallel.detached { try pack(job, in: run.folder, flag) }
    }
    // A retry may have been added to the manifest while this attempt was stopped.
    try await run.requireLease()
    return try await Parallel.detached { try publish(packed, of: job, in: run.folder) }
  }

  /// What one generation's job has to do.
  private struct Work: Sendable {
    struct Shard: Sendable {
      var chunk: Int
      var summary: ShardSummary
      /// Judged by this job, and not by that of an earlier generation.
      var isOwn: Bool
    }
    var shards: [Shard]
    var generation: Int
    /// Filtered shards of earlier generations.
    var published: Int
    var funnel: [DatasetManifest.FunnelStep]
    /// The pairs of the job's own shards.
    var input: Int { shards.filter(\.isOwn).reduce(0) { $0 + $1.summary.pairs } }
  }

  /// The shards to list, and those among them that this job has filled.
  private struct Packed: Sendable {
    var shards: [ShardSummary]
    /// The job's own pairs that are kept.
    var kept: Int
    /// The job's own final shards.
    var count: Int
  }

  private func pack(_ work: Work, in folder: RunFolder, _ flag: CancellationFlag) throws -> Packed {
    // Shards may still hold what was asked back; whoever ended the request has cleared them.
    try ForgottenPairs.requireEnded(in: folder)
    if packing.isAsked {
      let earlier = try published(work.published, in: folder)
      let own = try fill(work, in: folder, flag)
      return Packed(
        shards: earlier + own, kept: own.reduce(0) { $0 + $1.pairs }, count: own.count)
    }
    let summaries = work.shards.map { shard in
      var summary = shard.summary
      summary.file = "shards/" + summary.file
      summary.table = "shards/" + RunFolder.digits(shard.chunk) + ".parquet"
      return summary
    }
    return Packed(shards: summaries, kept: work.input, count: 0)
  }

  /// Replaces the manifest and what stands beside the shards that it lists.
  private func publish(_ packed: Packed, of work: Work, in folder: RunFolder) throws -> StageReport
  {
    try TrainingSizes.write(packed.shards, in: folder, isImg2dataset: isImg2dataset)
    let all = packed.shards.reduce(0) { $0 + $1.pairs }
    try DatasetManifest(
      shards: packed.shards, recipeSHA256: recipeSHA256,
      funnel: work.funnel + [.init(stage: "kept", pairs: all)]
    ).write(to: folder.dataset)
    return StageReport(
      input: work.input, kept: packed.kept, dropped: [reason: work.input - packed.kept],
      facts: [Self.shardsFact: packed.count])
  }

  /// The filtered shards of earlier generations, as the manifest lists them first.
  ///
  /// An attempt of this job may have published its own behind them.
  private func published(_ count: Int, in folder: RunFolder) throws -> [ShardSummary] {
    guard count > 0 else { return [] }
    let known = try DatasetManifest.read(folder.dataset).shards
    guard known.count >= count, known.prefix(count).allSatisfy({ $0.file.hasPrefix("filtered/") })
    else {
      throw StageError(
        .filter, chunk: 0, "\(folder.dataset) lists \(known.count) shards, the ledger \(count)")
    }
    return Array(known.prefix(count))
  }

  private func fill(
    _ work: Work, in folder: RunFolder, _ flag: CancellationFlag
  ) throws -> [ShardSummary] {
    try DurableFile.makeFolder(folder.filtered)
    let output = PackedShards(
      in: folder, first: work.published, packing: packing,
      facts: work.generation > 0 ? [(Self.generationKey, String(work.generation))] : [])
    if rule == .none {
      for shard in work.shards where shard.isOwn {
        try flag.check()
        try output.copy(shard.chunk, keeping: nil, keys: nil)
      }
    } else if case .plan(let plan) = rule {
      try filter(work.shards, by: plan, into: output, in: folder, flag)
    } else {
      try filter(work.shards, into: output, in: folder, flag)
    }
    return try output.finish()
  }

  /// Judges by a plan: the columns are those of the shards' tables, and `score`, the scorer's.
  private func filter(
    _ shards: [Work.Shard], by plan: FilterPlan, into output: PackedShards, in folder: RunFolder,
    _ flag: CancellationFlag
  ) throws {
    try DurableFile.makeFolder("\(folder.filtered)/verdicts")
    let rows = try ShardRows(shards.map(\.chunk), in: folder, scorer: scorer)
    let outcome = try FilterEvaluator.evaluate(plan, over: rows) { _ in try flag.check() }
    var begin = 0
    for shard in shards {
      try flag.check()
      let pairs = try rows.pairs(of: shard.chunk)
      let range = begin..<begin + pairs.count
      begin += pairs.count
      guard shard.isOwn else { continue }
      try output.copy(
        shard.chunk, keeping: range.map { outcome.kept[$0] }, keys: pairs.map(\.key))
      let verdicts = zip(range, pairs).map { index, pair in
        JSONValue.object(
          [.init("key", .string(pair.key))]
            + (pair.score.map { [.init("score", .number("\($0)"))] } ?? [])
            + (outcome.dropping(index).map {
              Drop(.filterRule, detail: outcome.yields[$0].name).members
            } ?? []))
      }
      try PairTable.write(
        verdicts, columns: Self.verdictColumns, to: folder.filterTable(shard.chunk))
    }
  }

  private func filter(
    _ shards: [Work.Shard], into output: PackedShards, in folder: RunFolder,
    _ flag: CancellationFlag
  ) throws {
    try DurableFile.makeFolder("\(folder.filtered)/verdicts")
    var scored: [(key: String, score: Double)] = []
    var counts: [Int] = []
    for shard in shards {
      let rows = try PairTable.read(folder.scoreTable(shard.chunk, scorer: scorer ?? "")) { row in
        // What could not be scored is the last of all, and below any bound.
        row["key"]?.text.map { (key: $0, score: row["score"]?.double ?? -.infinity) }
      }
      counts.append(rows.count)
      scored += rows
    }
    let kept = rule.kept(scored)
    var begin = 0
    for (shard, count) in zip(shards, counts) {
      try flag.check()
      let range = begin..<begin + count
      begin += count
      guard shard.isOwn else { continue }
      try output.copy(shard.chunk, keeping: Array(kept[range]), keys: scored[range].map(\.key))
      let verdicts = range.map { index in
        JSONValue.object(
          [.init("key", .string(scored[index].key))]
            + (scored[index].score.isFinite
              ? [.init("score", .number("\(scored[index].score)"))] : [])
            + (kept[index] ? [] : Drop(.lowScore).members))
      }
      try PairTable.write(
        verdicts, columns: Self.verdictColumns, to: folder.filterTable(shard.chunk))
    }
  }
}
