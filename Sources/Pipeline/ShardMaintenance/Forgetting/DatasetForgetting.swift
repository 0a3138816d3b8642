import DurableFiles
import JobLedger
import PairDataset
import PipelineCore

/// Makes the final shards and `dataset.json` agree with what was forgotten.
struct DatasetForgetting: Sendable {
  /// As they are when all chunks have been done.
  let facts: RunFacts
  let keys: FinalKeys
  let afterStep: @Sendable () throws -> Void

  private var folder: RunFolder { facts.folder }

  struct Result: Sendable {
    var shards: [ForgetOutcome.Shard] = []
    var counts: [(name: JobName, counts: String)] = []
  }

  func run() throws -> Result {
    var result = Result()
    guard !facts.filters.isEmpty else {
      try removeUnlisted([])
      return result
    }
    let manifest = try DatasetManifest.read(folder.dataset)
    try removeUnlisted(manifest.shards.map(\.file))
    var shards: [ShardSummary] = []
    let isFiltered = manifest.shards.contains { !$0.file.hasPrefix("shards/") }
    for listed in manifest.shards {
      if isFiltered {
        shards.append(try final(listed, &result))
      } else if let now = chunkShard(listed) {
        shards.append(now)
      }
    }
    for filter in facts.filters {
      guard let old = facts.report(.filter, filter) else { continue }
      result.counts.append((facts.job(.filter, filter), try recount(filter, old).encoded()))
    }
    let funnel = manifest.funnel.map { step in
      DatasetManifest.FunnelStep(
        stage: step.stage, pairs: pairs(step, kept: shards.reduce(0) { $0 + $1.pairs }))
    }
    try DatasetManifest(shards: shards, recipeSHA256: manifest.recipeSHA256, funnel: funnel)
      .write(to: folder.dataset)
    try afterStep()
    try SizesFiles(shards: shards, root: folder.path, before: manifest.shards).update()
    try afterStep()
    return result
  }

  /// Removes final shards that no manifest lists, of a job that is not completed.
  private func removeUnlisted(_ listed: [String]) throws {
    let numbers = Set(
      listed.filter { $0.hasPrefix("filtered/") }
        .map { $0.dropFirst("filtered/".count).prefix { $0 != "." } })
    for name in try DurableFile.names(in: folder.filtered) {
      let number = name.prefix { $0 != "." }
      guard number.count >= 5, number.allSatisfy({ $0.isASCII && $0.isNumber }),
        !numbers.contains(number)
      else { continue }
      try DurableFile.remove("\(folder.filtered)/\(name)")
    }
    try afterStep()
  }

  /// A chunk's shard as the ledger knows it now; nil where it is gone.
  private func chunkShard(_ listed: ShardSummary) -> ShardSummary? {
    let shards = (facts.reports[.shard] ?? [:]).values.compactMap(\.shard)
    return shards.first { "shards/" + $0.file == listed.file }.map { listed.with($0) }
  }

  /// A final shard without the pairs; one that holds none any more stays, for the numbers are dense.
  private func final(_ listed: ShardSummary, _ result: inout Result) throws -> ShardSummary {
    let parts = listed.file.split(separator: "/").map(String.init)
    let name = parts.last ?? listed.file
    let place = folder.path + "/" + parts.dropLast().joined(separator: "/")
    let keys = try keys.going(of: listed)
    let changed = try ShardRewriting.remove(keys, from: name, in: place)
    if let gone = changed?.gone { result.shards.append(.init(file: listed.file, pairs: gone)) }
    let now = try changed?.summary ?? ShardRewriting.summary(of: name, in: place)
    try afterStep()
    if let table = listed.table, DurableFile.exists("\(folder.path)/\(table)") {
      try TableRows.keep("\(folder.path)/\(table)", where: "key") { !keys.contains($0) }
      try afterStep()
    }
    return listed.with(now)
  }

  /// What a filter job counts now, from its chunks.
  private func recount(_ filter: Int, _ old: StageReport) throws -> StageReport {
    var (input, kept) = (0, 0)
    var reason = DropReason.lowScore
    for chunk in facts.chunks where facts.filter(ofChunk: chunk) == filter {
      guard facts.reports[.score] == nil || facts.report(.score, chunk) != nil,
        let pairs = facts.report(.shard, chunk)?.kept
      else { continue }
      input += pairs
      let verdicts = folder.filterTable(chunk)
      guard DurableFile.exists(verdicts) else {
        kept += pairs
        continue
      }
      let drops = try PairTable.read(verdicts).map(Drop.init)
      kept += drops.count { $0 == nil }
      // All of a run's verdicts are by one rule, or by one plan.
      if let drop = drops.lazy.compactMap({ $0 }).first { reason = drop.reason }
    }
    return StageReport(
      input: input, kept: kept, dropped: [reason: input - kept], facts: old.facts)
  }

  /// A step of the funnel; what comes before deduplication is what it was.
  private func pairs(_ step: DatasetManifest.FunnelStep, kept: Int) -> Int {
    func sum(_ stage: StageName) -> Int {
      (facts.reports[stage] ?? [:]).filter { chunk, _ in
        // A retry's chunk that was given up counts nowhere.
        facts.generations.number(ofChunk: chunk) == 0 || facts.report(.shard, chunk) != nil
      }.values.reduce(0) { $0 + $1.kept }
    }
    return switch step.stage {
    case "unique": sum(.deduplicate)
    case "sharded": sum(.shard)
    case "kept": kept
    default: step.pairs
    }
  }
}

extension ShardSummary {
  /// The same entry for what the file is now.
  fileprivate func with(_ now: ShardSummary) -> ShardSummary {
    var result = self
    result.pairs = now.pairs
    result.bytes = now.bytes
    result.sha256 = now.sha256
    return result
  }
}
