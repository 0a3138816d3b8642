import ContentHashing
import DurableFiles
import FilterPlans
import PairDataset
import PipelineCore
import ShardDeduplication
import ShardMaintenance
import ShardScoring

/// Keeps the pairs of shards that a plan keeps.
///
/// Three passes: what the plan needs to know of each pair is read off the shards, a table for each, durable
/// before the next; all are judged; what stays is copied byte for byte, with the rows of tables beside the
/// shards. Everything grows in `OUT.part`, from which `OUT` comes in one step. Killed at any moment, the same
/// command goes on; the same shards, scores and plan give the same bytes on any number of cores.
public enum ShardFilter {
  /// - Parameters:
  ///   - shards: In order; Pairloom's or any WebDataset's.
  ///   - out: A folder that is new or empty, or that the same command has made.
  ///   - options: The plan and how the new shards are cut.
  ///   - report: Writes pages about it into the folder before it appears.
  ///   - onProgress: Told of every pair in every pass.
  /// - Returns: What was written, or is there already.
  /// - Throws: `ShardDeduplicationError` of the folder; ``FilterPlanError``; what is wrong with a shard or
  ///   table, what the disk refuses.
  public static func filter(
    _ shards: [String], to out: String, options: ShardFilterOptions,
    report: (ShardFilterOutcome, FilterReview, _ folder: String) throws -> Void = { _, _, _ in },
    onProgress: (ShardFilterProgress) throws -> Void = { _ in }
  ) throws -> ShardFilterOutcome {
    let out = Resharder.trimmed(out)
    let inputs = try inputs(shards, options)
    let settings = try settings(options)
    if var done: ShardFilterOutcome = try OutputRecord.finished(
      record, in: out, inputs + settings, reading: shards)
    {
      done.wasComplete = true
      return done
    }
    let folder = try WorkFolder(out + ".part", reading: shards)
    // Another plan goes by what was read before, as far as it names the same columns.
    try folder.rebind(inputs: inputs, command: "filter")
    let rows = try extract(shards, folder, options) { try onProgress(.read($0)) }
    var judged = 0
    let decision = try FilterEvaluator.evaluate(
      options.plan, over: rows, threads: options.threads
    ) { count in
      judged += count
      try onProgress(.judged(judged))
    }
    guard decision.keptCount > 0 else {
      throw FilterPlanError(
        path: options.plan.path, line: 0,
        "no pair of \(decision.pairs) is left, so nothing is written. --dry-run says what each rule takes."
      )
    }
    var review = try FilterReview(options.plan, decision, rows)
    let part = try folder.clearedOutput()
    let recipe = (["filter"] + (inputs + settings).map { "\($0.key) \($0.value)" })
      .joined(separator: "\n")
    let selection = FilterSelection(
      shards: shards, folder: folder, rows: rows, decision: decision, options: options)
    let outcome = try selection.write(
      to: part, recipeSHA256: ContentHash.sha256Hex(Array(recipe.utf8)), &review
    ) { try onProgress(.copied($0, kept: $1, of: decision.pairs)) }
    try report(outcome, review, part)
    try OutputRecord.write(outcome, inputs + settings, to: "\(part)/\(record)")
    try folder.publish(as: out)
    return outcome
  }

  /// Judges pairs and writes no shards.
  ///
  /// - Parameters:
  ///   - inputs: Shards, or Parquet tables of metadata.
  ///   - options: The plan.
  ///   - out: Where new shards would go: what is read off shards stays in `OUT.part` for the command that
  ///     writes them; nil leaves nothing behind.
  ///   - subset: A file for DataComp's subset, `.npy`.
  ///   - list: A file for a list of uids, one a line.
  ///   - report: Writes a page about it.
  ///   - onProgress: Told of every pair in every pass.
  /// - Returns: What would be kept.
  /// - Throws: As ``filter(_:to:options:report:onProgress:)``.
  public static func judge(
    _ inputs: [String], options: ShardFilterOptions, out: String? = nil, subset: String? = nil,
    list: String? = nil, report: (ShardFilterOutcome, FilterReview) throws -> Void = { _, _ in },
    onProgress: (ShardFilterProgress) throws -> Void = { _ in }
  ) throws -> ShardFilterOutcome {
    if inputs.allSatisfy({ $0.hasSuffix(".parquet") }) {
      let scores = try self.scores(options)
      let rows = try MetadataRows(inputs, aliases: options.aliases, scores: scores)
      return try judge(rows, options, subset, list, report, onProgress)
    }
    let path = out.map { Resharder.trimmed($0) + ".part" } ?? TemporaryPath.new()
    let folder = try WorkFolder(path, reading: inputs)
    do {
      try folder.rebind(inputs: try self.inputs(inputs, options), command: "filter")
      let rows = try extract(inputs, folder, options) { try onProgress(.read($0)) }
      let outcome = try judge(rows, options, subset, list, report, onProgress)
      if out == nil { try folder.remove() }
      return outcome
    } catch {
      // What was not asked for must not stay; what it cannot remove the system's cleaning does.
      if out == nil { try? folder.remove() }
      throw error
    }
  }

  private static func judge(
    _ rows: any JudgedRows, _ options: ShardFilterOptions, _ subset: String?, _ list: String?,
    _ report: (ShardFilterOutcome, FilterReview) throws -> Void,
    _ onProgress: (ShardFilterProgress) throws -> Void
  ) throws -> ShardFilterOutcome {
    var judged = 0
    let decision = try FilterEvaluator.evaluate(
      options.plan, over: rows, threads: options.threads
    ) { count in
      judged += count
      try onProgress(.judged(judged))
    }
    var outcome = ShardFilterOutcome(decision, of: options.plan)
    outcome.warnings = rows.sources.scores?.warnings ?? []
    if let subset { outcome.kept = try SubsetFiles.writeNumpy(rows, decision, to: subset) }
    if let list { outcome.kept = try SubsetFiles.writeList(rows, decision, to: list) }
    try report(outcome, try FilterReview(options.plan, decision, rows))
    return outcome
  }

  /// Reads off the shards what was not read before.
  private static func extract(
    _ shards: [String], _ folder: WorkFolder, _ options: ShardFilterOptions,
    _ onProgress: (Int) throws -> Void
  ) throws -> ExtractedRows {
    let scores = try self.scores(options)
    let wanted = wantedColumns(options)
    var tables: [String] = []
    var count = 0
    for (number, shard) in shards.enumerated() {
      let table = folder.examinedTable(number)
      if !DurableFile.exists(table) {
        try ShardFacts.extract(shard, to: table, wanted: wanted) {
          count += 1
          try onProgress(count)
        }
      }
      tables.append(table)
    }
    return try ExtractedRows(tables: tables, aliases: options.aliases, scores: scores)
  }

  /// The columns to read off shards, the caption first among them.
  private static func wantedColumns(_ options: ShardFilterOptions) -> [String] {
    let named = options.plan.namedColumns.map { options.aliases[$0] ?? $0 }
    // Scores may go by it.
    let joined = options.scores.isEmpty ? [] : ["url"]
    return Set(named + joined + ["caption"]).sorted()
  }

  /// The tables to join; nil where none are named.
  private static func scores(_ options: ShardFilterOptions) throws -> ScoreSources? {
    guard !options.scores.isEmpty else { return nil }
    let sources = try ScoreSources(options.scores, openEmbeddings: options.openEmbeddings)
    let named = options.plan.namedColumns.map { options.aliases[$0] ?? $0 }
    if let cut = sources.cut, named.contains(where: { ["score", "clip_score"].contains($0) }) {
      throw ScoreSourceError.decided(cut: cut)
    }
    return sources
  }

  /// What is known of the shards, and what is read off them.
  private static func inputs(
    _ shards: [String], _ options: ShardFilterOptions
  ) throws -> [(key: String, value: String)] {
    [
      ("command", "filter"),
      ("shards", try OutputSettings.digests(of: shards).joined(separator: ", ")),
      ("columns", wantedColumns(options).joined(separator: ", ")),
    ]
  }

  private static func settings(
    _ options: ShardFilterOptions
  ) throws -> [(key: String, value: String)] {
    [
      ("plan", options.plan.identity),
      (
        "scores",
        try OutputSettings.digests(of: options.scores.flatMap(ScoreSources.files))
          .joined(separator: ", ")
      ),
      (
        "renamed columns",
        options.aliases.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
          .joined(separator: ", ")
      ), ("pairs", "\(options.cut.maxPairs ?? 0)"), ("bytes", "\(options.cut.maxBytes ?? 0)"),
      ("compression", options.cut.compression.rawValue),
    ]
  }

  private static let record = "filter.json"
}
