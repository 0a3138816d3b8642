import DurableFiles
import JobLedger
import PairDataset
import PipelineCore
import ShardStage

/// Makes the files of one chunk agree with what was forgotten.
struct ChunkForgetting: Sendable {
  let chunk: Int
  /// The chunk's rows as they are to be.
  let rows: [PairCandidate]
  let facts: RunFacts
  let stage: ShardStage
  let afterStep: @Sendable () throws -> Void

  private var folder: RunFolder { facts.folder }

  struct Result: Sendable {
    var keys: ChunkKeys
    /// What went of the chunk's shard.
    var shard: ForgetOutcome.Shard?
    var counts: [(name: JobName, counts: String)]
  }

  /// The keys of the pairs that go.
  func keys() throws -> ChunkKeys {
    let path = folder.shardTable(chunk)
    guard facts.report(.shard, chunk) != nil, DurableFile.exists(path) else { return ChunkKeys() }
    return try ChunkKeys(of: rows, in: path)
  }

  func run() throws -> Result {
    let keys = try keys()
    var result = Result(keys: keys, counts: [])
    try JSONLines.write(rows.map(\.json), to: folder.chunkTable(chunk))
    try afterStep()
    let blank = BlankRows(
      chunk: chunk, folder: folder, rows: Set(rows.filter(\.isForgotten).map(\.row)))
    try blank.writeTransfers()
    try afterStep()
    try blank.writeBytes()
    try removeUnfinished()
    try afterStep()
    if let counted = try blank.writeVerdicts(), let old = facts.report(.deduplicate, chunk) {
      var report = counted
      report.facts = old.facts
      result.counts.append((facts.job(.deduplicate, chunk), try report.encoded()))
    }
    try afterStep()
    guard let old = facts.report(.shard, chunk) else { return result }
    var report = StageReport(input: 0, kept: 0, facts: old.facts)
    if let summary = try shard(old.shard, without: keys.shipped, &result) {
      report.input = summary.pairs
      report.kept = summary.pairs
      report.shard = summary
    }
    try afterStep()
    result.counts.append((facts.job(.shard, chunk), try report.encoded()))
    for scorer in try DurableFile.names(in: folder.path + "/scores") {
      let path = folder.scoreTable(chunk, scorer: scorer)
      guard DurableFile.exists(path) else { continue }
      let left = try TableRows.keep(path, where: "key") { !keys.shipped.contains($0) }
      try afterStep()
      guard scorer == facts.scorer, let old = facts.report(.score, chunk) else { continue }
      let report = StageReport(input: left, kept: left, facts: old.facts)
      result.counts.append((facts.job(.score, chunk), try report.encoded()))
    }
    let verdicts = folder.filterTable(chunk)
    if DurableFile.exists(verdicts) {
      try TableRows.keep(verdicts, where: "key") { !keys.shipped.contains($0) }
      try afterStep()
    }
    // Last, for the keys are read off it.
    if let attempt = facts.attempt(chunk) {
      try stage.rebuildTable(of: chunk, fetchedBy: attempt, in: folder)
      try afterStep()
    }
    return result
  }

  /// Removes what jobs have left that are not completed: it may hold the pairs, and is made again.
  private func removeUnfinished() throws {
    if facts.report(.download, chunk) == nil {
      try folder.removeIntermediates(of: chunk, after: .deduplicate)
    }
    if facts.report(.decode, chunk) == nil { try DurableFile.remove(folder.decodedBytes(chunk)) }
    guard facts.report(.shard, chunk) == nil else { return }
    for compression in ShardCompression.allCases {
      let path = "\(folder.shards)/\(RunFolder.digits(chunk)).\(compression.fileExtension)"
      try DurableFile.remove(path)
      try DurableFile.remove(ShardIndexFile.path(ofShard: path))
    }
    try DurableFile.remove(folder.shardTable(chunk))
    for scorer in try DurableFile.names(in: folder.path + "/scores") {
      try DurableFile.remove(folder.scoreTable(chunk, scorer: scorer))
    }
    try DurableFile.remove(folder.filterTable(chunk))
  }

  /// The chunk's shard without the pairs; nil where it holds none any more and is gone.
  private func shard(
    _ old: ShardSummary?, without keys: Set<String>, _ result: inout Result
  ) throws -> ShardSummary? {
    guard let file = old?.file else { return nil }
    let path = "\(folder.shards)/\(file)"
    // An interrupted request may have removed it, and not have counted yet.
    guard DurableFile.exists(path) else { return nil }
    let changed = try ShardRewriting.remove(keys, from: file, in: folder.shards)
    if let gone = changed?.gone { result.shard = .init(file: "shards/" + file, pairs: gone) }
    let summary = try changed?.summary ?? ShardRewriting.summary(of: file, in: folder.shards)
    if summary.pairs > 0 { return summary }
    // A chunk that kept nothing has no shard.
    try DurableFile.remove(path)
    try DurableFile.remove(ShardIndexFile.path(ofShard: path))
    return nil
  }
}
