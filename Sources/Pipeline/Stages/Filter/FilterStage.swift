public import AuditedScores
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
///
/// Scores of bytes decide with an audit (``AuditedCut``): what lies near the cut is scored again out of
/// the shards. The verdicts then say of each score what it was computed in, and in their footers what the
/// audit found.
public struct FilterStage: Stage {
  public let name = StageName.filter
  public let lane = Lane.compute
  private let rule: FilterRule
  private let scorer: String?
  private let rescorer: (any RescoringPairScorer)?
  private let audit: ScoreAudit
  private let packing: ShardPacking
  private let isImg2dataset: Bool
  private let recipeSHA256: String
  private let columns: FilterColumns
  /// Why a pair that is not kept is dropped.
  private var reason: DropReason {
    if case .plan = rule { return .filterRule }
    return .lowScore
  }

  /// - Parameters:
  ///   - rule: What is kept; a bound to scores needs a scorer.
  ///   - scorer: The scorer's name; nil when there is none.
  ///   - rescorer: The scorer itself where its scores are of bytes; nil where they are exact.
  ///   - audit: How far scores of bytes are trusted.
  ///   - packing: How the filtered shards are cut; with a rule it must have a bound.
  ///   - isImg2dataset: Whether `shards/` has img2dataset's layout.
  ///   - recipeSHA256: Goes into the manifest.
  ///   - columns: What a plan's names mean.
  public init(
    rule: FilterRule, scorer: String?, rescorer: (any RescoringPairScorer)? = nil,
    audit: ScoreAudit = ScoreAudit(), packing: ShardPacking, isImg2dataset: Bool = false,
    recipeSHA256: String, columns: FilterColumns = FilterColumns()
  ) {
    precondition(!rule.needsScores || scorer != nil, "a filter by score needs a scorer")
    precondition(rule == .none || packing.isAsked, "filtered shards need a bound")
    self.rule = rule
    precondition(rescorer == nil || rescorer?.name == scorer, "two scorers")
    self.scorer = scorer
    self.rescorer = rescorer
    self.audit = audit
    self.packing = packing
    self.isImg2dataset = isImg2dataset
    self.recipeSHA256 = recipeSHA256
    self.columns = columns
  }

  /// The fact by which a job counts the final shards that it has packed.
  package static let shardsFact = "shards"
  /// Names the job in the footers of the tables that it packs, the list's excepted.
  package static let generationKey = "generation"

  /// The columns of `filtered/verdicts/`.
  private static func verdictColumns(hasKinds: Bool = false) -> [TableColumn] {
    [TableColumn("key", .text, isOptional: false), TableColumn("score", .double)]
      + (hasKinds ? [TableColumn("kind", .text)] : []) + Drop.columns
  }

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
    let attempts = try await run.reports(.download).map {
      ($0.chunk, $0.report.facts[StageReport.attemptFact])
    }
    let job = Work(
      shards: usable.map {
        let isOwn = earlier[generations.number(ofChunk: $0.chunk)] == nil
        return Work.Shard(chunk: $0.chunk, summary: $0.summary, isOwn: isOwn)
      },
      // That layout's tables do not tell the rows of transfers.
      attempts: isImg2dataset
        ? [:] : Dictionary(attempts, uniquingKeysWith: { $1 }).compactMapValues { $0 },
      generation: chunk.number,
      published: earlier.values.reduce(0) { $0 + ($1.facts[Self.shardsFact] ?? 0) },
      funnel: funnel)
    // Shards may still hold what was asked back; whoever ended the request has cleared them.
    try ForgottenPairs.requireEnded(in: run.folder)
    let judgement = try await judge(job, in: run.folder)
    let packed = try await CancellationFlag.watch { flag in
      try await Parallel.detached { try pack(job, by: judgement, in: run.folder, flag) }
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
      var judged: JudgedShard { JudgedShard(chunk: chunk, sha256: summary.sha256) }
    }
    var shards: [Shard]
    /// By chunk, the attempt that completed its download.
    var attempts: [Int: Int]
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

  /// What the rule says by scores of all that there are; nil where it does not go by them.
  private func judge(_ work: Work, in folder: RunFolder) async throws -> ScoreJudgement? {
    guard let cut = rule.cut, let scorer else { return nil }
    return try await ScoreJudge(
      cut: cut, scorer: scorer, rescorer: rescorer, audit: audit, folder: folder
    ).judge(work.shards.map(\.judged))
  }

  private func pack(
    _ work: Work, by judgement: ScoreJudgement?, in folder: RunFolder, _ flag: CancellationFlag
  ) throws -> Packed {
    if packing.isAsked {
      let earlier = try published(work.published, in: folder)
      let own = try fill(work, by: judgement, in: folder, flag)
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
    try folder.removeRescored()
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
    _ work: Work, by judgement: ScoreJudgement?, in folder: RunFolder, _ flag: CancellationFlag
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
      try filter(work, by: plan, into: output, in: folder, flag)
    } else if let judgement {
      try filter(work.shards, by: judgement, into: output, in: folder, flag)
    }
    return try output.finish()
  }

  /// Judges by a plan: the columns are those of the shards' tables, and `score`, the scorer's.
  private func filter(
    _ work: Work, by plan: FilterPlan, into output: PackedShards, in folder: RunFolder,
    _ flag: CancellationFlag
  ) throws {
    try DurableFile.makeFolder("\(folder.filtered)/verdicts")
    let shards = work.shards
    let rows = try ShardRows(
      shards.map(\.chunk), in: folder, scorer: scorer, names: columns, attempts: work.attempts)
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
        verdicts, columns: Self.verdictColumns(), to: folder.filterTable(shard.chunk))
    }
  }

  /// Judges by scores, as was decided before.
  private func filter(
    _ shards: [Work.Shard], by judgement: ScoreJudgement, into output: PackedShards,
    in folder: RunFolder, _ flag: CancellationFlag
  ) throws {
    try DurableFile.makeFolder("\(folder.filtered)/verdicts")
    let pairs = judgement.pairs
    for (shard, range) in zip(shards, pairs.ranges) where shard.isOwn {
      try flag.check()
      try output.copy(
        shard.chunk, keeping: Array(judgement.kept[range]), keys: Array(pairs.keys[range]))
      let verdicts = range.map { index in
        JSONValue.object(
          [.init("key", .string(pairs.keys[index]))]
            + (pairs.scores[index].isFinite
              ? [.init("score", .number("\(pairs.scores[index])"))] : [])
            + (judgement.kinds?[index].map { [.init("kind", .string($0.rawValue))] } ?? [])
            + (judgement.kept[index] ? [] : Drop(.lowScore).members))
      }
      try PairTable.write(
        verdicts, columns: Self.verdictColumns(hasKinds: judgement.kinds != nil),
        to: folder.filterTable(shard.chunk),
        metadata: rescorer.map {
          RescoredPairs.identity(of: shard.judged, by: $0) + judgement.facts
        }
          ?? [])
    }
  }
}
