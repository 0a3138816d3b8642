import DurableFiles
public import PairDataset
public import PipelineCore
import WorkerThreads

/// The last job of a run: keeps the pairs with good scores and writes `dataset.json`.
///
/// With a rule, reads every score table and shard, writes what is kept to `filtered/`, dense again,
/// and a verdict for every scored pair to `filtered/verdicts/NNNNN.parquet`; the manifest lists
/// `filtered/`. Without one the manifest lists `shards/` as they are. The same scores give the same
/// bytes. Memory: key and score of every pair, and one shard.
public struct FilterStage: Stage {
  public let name = StageName.filter
  public let lane = Lane.compute
  private let rule: FilterRule
  private let scorer: String?
  private let pairsPerShard: Int
  private let compression: ShardCompression
  private let recipeSHA256: String

  /// - Parameters:
  ///   - rule: What is kept; anything but `none` needs a scorer.
  ///   - scorer: The scorer's name; nil when there is none.
  ///   - pairsPerShard: Of the filtered shards, the last one aside.
  ///   - compression: Of the filtered shards.
  ///   - recipeSHA256: Goes into the manifest.
  public init(
    rule: FilterRule, scorer: String?, pairsPerShard: Int, compression: ShardCompression,
    recipeSHA256: String
  ) {
    precondition(rule == .none || scorer != nil, "a filter by score needs a scorer")
    self.rule = rule
    self.scorer = scorer
    self.pairsPerShard = pairsPerShard
    self.compression = compression
    self.recipeSHA256 = recipeSHA256
  }

  /// The columns of `filtered/verdicts/`.
  private static let verdictColumns =
    [TableColumn("key", .text, isOptional: false), TableColumn("score", .double)] + Drop.columns

  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    var funnel: [DatasetManifest.FunnelStep] = []
    for (step, stage) in [
      ("rows", StageName.ingest), ("fetched", .download), ("decoded", .decode),
      ("unique", .deduplicate), ("sharded", .shard),
    ] {
      let reports = try await run.reports(stage).map(\.report)
      funnel.append(
        .init(
          stage: step,
          pairs: reports.reduce(0) { $0 + (step == "rows" ? $1.facts["rows"] ?? 0 : $1.kept) }))
    }
    let shards = try await run.reports(.shard).compactMap { entry in
      entry.report.shard.map { (chunk: entry.chunk, summary: $0) }
    }
    // A shard that could not be scored is left out, like every other quarantined chunk.
    let scored: Set<Int>? =
      scorer == nil ? nil : Set(try await run.reports(.score).map(\.chunk))
    let usable = shards.filter { scored?.contains($0.chunk) ?? true }
    let steps = funnel
    return try await CancellationFlag.watch { flag in
      try await Parallel.detached { try write(usable, funnel: steps, in: run.folder, flag) }
    }
  }

  private func write(
    _ shards: [(chunk: Int, summary: ShardSummary)], funnel: [DatasetManifest.FunnelStep],
    in folder: RunFolder, _ flag: CancellationFlag
  ) throws -> StageReport {
    let input = shards.reduce(0) { $0 + $1.summary.pairs }
    var summaries: [ShardSummary]
    if rule == .none {
      summaries = shards.map(\.summary)
      for index in summaries.indices {
        summaries[index].file = "shards/" + summaries[index].file
      }
    } else {
      summaries = try filter(shards.map(\.chunk), in: folder, flag)
    }
    let kept = summaries.reduce(0) { $0 + $1.pairs }
    try DatasetManifest(
      shards: summaries, recipeSHA256: recipeSHA256,
      funnel: funnel + [.init(stage: "kept", pairs: kept)]
    ).write(to: folder.dataset)
    return StageReport(input: input, kept: kept, dropped: [.lowScore: input - kept])
  }

  private func filter(_ chunks: [Int], in folder: RunFolder, _ flag: CancellationFlag) throws
    -> [ShardSummary]
  {
    try DurableFile.makeFolder("\(folder.filtered)/verdicts")
    var scored: [(key: String, score: Double)] = []
    var counts: [Int] = []
    for chunk in chunks {
      let rows = try PairTable.read(folder.scoreTable(chunk, scorer: scorer ?? "")) { row in
        row["key"]?.text.flatMap { key in row["score"]?.double.map { (key: key, score: $0) } }
      }
      counts.append(rows.count)
      scored += rows
    }
    let kept = rule.kept(scored)
    let output = FilteredShards(
      folder: folder.filtered, pairsPerShard: pairsPerShard, compression: compression)
    var first = 0
    for (chunk, count) in zip(chunks, counts) {
      try flag.check()
      let range = first..<first + count
      first += count
      try output.copy(
        chunk, keeping: Array(kept[range]), keys: scored[range].map(\.key), in: folder)
      let verdicts = range.map { index in
        JSONValue.object(
          [
            .init("key", .string(scored[index].key)),
            .init("score", .number("\(scored[index].score)")),
          ]
            + (kept[index] ? [] : Drop(.lowScore).members))
      }
      try PairTable.write(
        verdicts, columns: Self.verdictColumns, to: folder.filterTable(chunk))
    }
    return try output.finish()
  }
}
