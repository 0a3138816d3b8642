import DurableFiles
import PairDataset
import PipelineCore
import URLPipeline

/// What `dataset.json` and the verdicts say of the filter jobs.
///
/// The manifest is that of a generation when its funnel and its shards are what that generation's job
/// would write; then that job is done, and all before it.
struct DatasetSurvey {
  /// The footer of a final shard's table names the retry that has packed it.
  private static let generationKey = "generation"
  private static let shardsFact = "shards"

  let folder: RunFolder
  let recipe: RecordedRecipe
  let generations: RunGenerations
  /// Of the jobs before.
  let reports: [StageName: [Int: StageReport]]

  /// The reports of the filter jobs that are done.
  ///
  /// - Parameters:
  ///   - manifest: As it was found.
  ///   - last: The generation up to which all chunks have settled; nil where those of the list have not.
  /// - Returns: By generation; none where the manifest is none of this run.
  /// - Throws: `FileError`.
  func filters(_ manifest: DatasetManifest, upTo last: Int?) throws -> [Int: StageReport] {
    guard let last, manifest.recipeSHA256 == recipe.sha256 else { return [:] }
    for number in generations.all.map(\.number).reversed() where number <= last {
      if let filters = try filters(manifest, of: number) { return filters }
    }
    return [:]
  }

  private func filters(_ manifest: DatasetManifest, of last: Int) throws -> [Int: StageReport]? {
    let known = generations.all.filter { $0.number <= last }
    var totals: [Int: (input: Int, kept: Int, reason: DropReason)] = [:]
    for generation in known {
      guard let total = try total(of: generation) else { return nil }
      totals[generation.number] = total
    }
    let kept = totals.values.reduce(0) { $0 + $1.kept }
    guard manifest.pairs == kept, manifest.funnel == funnel(known, kept: kept) else { return nil }
    var counts: [Int: Int] = [:]
    if recipe.hasRule || recipe.isPacked {
      guard
        let packed = try packed(manifest, known.map { ($0.number, totals[$0.number]?.kept ?? 0) })
      else { return nil }
      counts = packed
    } else if manifest.shards != known.flatMap(\.chunks).compactMap(listed) {
      return nil
    }
    return totals.reduce(into: [:]) { filters, entry in
      let (number, (input, kept, reason)) = entry
      filters[number] = StageReport(
        input: input, kept: kept, dropped: [reason: input - kept],
        facts: [Self.shardsFact: counts[number] ?? 0])
    }
  }

  /// The pairs that a generation's job judges and keeps; nil where its verdicts are not all there.
  private func total(
    of generation: RunGenerations.Generation
  ) throws -> (input: Int, kept: Int, reason: DropReason)? {
    var total = (input: 0, kept: 0, reason: DropReason.lowScore)
    for chunk in generation.chunks {
      guard let pairs = judged(chunk)?.pairs else { continue }
      total.input += pairs
      guard recipe.hasRule else {
        total.kept += pairs
        continue
      }
      let drops = try unlessDamaged { try PairTable.read(folder.filterTable(chunk)).map(Drop.init) }
      guard let drops, drops.count == pairs else { return nil }
      total.kept += drops.count { $0 == nil }
      // All of a run's verdicts are by one rule, or by one plan.
      if let drop = drops.lazy.compactMap({ $0 }).first { total.reason = drop.reason }
    }
    return total
  }

  /// The shard of a chunk where a filter job looks at it; nil where there is none.
  private func judged(_ chunk: Int) -> ShardSummary? {
    guard recipe.scorer == nil || reports[.score]?[chunk] != nil else { return nil }
    return reports[.shard]?[chunk]?.shard
  }

  /// A chunk's shard as the manifest lists it where nothing is packed.
  private func listed(_ chunk: Int) -> ShardSummary? {
    judged(chunk).map { summary in
      var summary = summary
      summary.file = "shards/" + summary.file
      summary.table = "shards/" + RunFolder.digits(chunk) + ".parquet"
      return summary
    }
  }

  /// How many final shards each generation has packed; nil where they do not add up.
  private func packed(
    _ manifest: DatasetManifest, _ kept: [(number: Int, pairs: Int)]
  ) throws -> [Int: Int]? {
    var counts: [Int: Int] = [:]
    var rest = manifest.shards[...]
    for (number, pairs) in kept {
      var left = pairs
      var count = 0
      // A shard that `forget` has emptied stays, and its table tells whose it is.
      while let shard = rest.first, try left > 0 || shard.pairs == 0 && packer(of: shard) == number
      {
        left -= shard.pairs
        count += 1
        rest = rest.dropFirst()
      }
      guard left == 0 else { return nil }
      counts[number] = count
    }
    return rest.isEmpty ? counts : nil
  }

  private func packer(of shard: ShardSummary) throws -> Int {
    guard let table = shard.table else { return 0 }
    let facts = try unlessDamaged { try PairTable.metadata(of: "\(folder.path)/\(table)") }
    return facts?[Self.generationKey].flatMap { Int($0) } ?? 0
  }

  /// The funnel as the last job of `known` writes it.
  private func funnel(
    _ known: [RunGenerations.Generation], kept: Int
  ) -> [DatasetManifest.FunnelStep] {
    let chunks = Set(known.flatMap(\.chunks))
    let retried = Set(known.filter { $0.number > 0 }.flatMap(\.chunks))
    // A retry's chunk that was given up counts nowhere.
    let givenUp = retried.filter { reports[.shard]?[$0] == nil }
    func sum(_ stage: StageName) -> Int {
      (reports[stage] ?? [:]).reduce(0) { sum, entry in
        chunks.contains(entry.key) && !givenUp.contains(entry.key) ? sum + entry.value.kept : sum
      }
    }
    let ingest = (reports[.ingest] ?? [:]).filter { number, _ in
      known.contains { $0.number == number }
    }
    let fetchedTwice = RunGenerations(ingest: ingest.map { ($0.key, $0.value) })
      .fetchedTwice(without: givenUp)
    return [
      .init(stage: "rows", pairs: ingest.values.reduce(0) { $0 + ($1.facts["rows"] ?? 0) }),
      .init(stage: "fetched", pairs: sum(.download) - fetchedTwice),
      .init(stage: "decoded", pairs: sum(.decode)),
      .init(stage: "unique", pairs: sum(.deduplicate)),
      .init(stage: "sharded", pairs: sum(.shard)), .init(stage: "kept", pairs: kept),
    ]
  }
}
