import DurableFiles
import JobLedger
import PairDataset
public import PipelineCore
import ShardStage
import URLPipeline
import WorkerThreads

/// Takes pairs out of a run for good: `pairloom forget`.
///
/// The request is written to `forgotten.jsonl` first, which no later run goes against. Then chunk after
/// chunk is made to agree with it: URL, caption, other columns, hashes and transfers of the rows go
/// from all tables, the pairs from the shards, the scores and the verdicts; the verdict of deduplicate
/// becomes a drop, `forgotten`, so that kept and dropped remain the input; the ledger counts anew.
/// Final shards and `dataset.json` follow. Each file is replaced as one, and every step looks at what
/// there is, so a killed request is ended by the next one: with the same arguments or with none.
///
/// A pair goes with every row of its uid. What was dropped as its duplicate stays dropped. The user's own
/// list, `logs/` and reports made before are not touched.
public struct Forgetter: Sendable {
  private let facts: RunFacts
  private let ledger: JobLedger
  private let forgotten: ForgottenPairs
  private let stage: ShardStage
  private var folder: RunFolder { facts.folder }

  /// Takes out what `requests` name, and ends what was interrupted before.
  ///
  /// - Parameters:
  ///   - requests: Any of which a row must meet.
  ///   - folder: Of a run that nobody works on; it need not be finished.
  ///   - isDryRun: Only tell.
  ///   - now: Milliseconds since 1970.
  ///   - afterStep: Called when a file or a count has been replaced; a test stops there.
  /// - Returns: What went, or would go.
  /// - Throws: ``ForgetError/atWork(folder:jobs:)``, `NoRunError`, damaged files (verify first).
  @discardableResult
  public static func forget(
    _ requests: [ForgetRequest], in folder: RunFolder, isDryRun: Bool = false, now: Int,
    afterStep: @escaping @Sendable () throws -> Void = {}
  ) async throws -> ForgetOutcome {
    let ledger = try RunFacts.ledger(of: folder)
    try await ledger.rescue(now: now)
    let leased = try await ledger.tally().values.reduce(0) { $0 + ($1[.leased] ?? 0) }
    if leased > 0 { throw ForgetError.atWork(folder: folder.path, jobs: leased) }
    var facts = try await RunFacts(folder, ledger)
    var forgotten = try ForgottenPairs.read(folder)
    var outcome = ForgetOutcome()
    outcome.hasResumed = forgotten.isInterrupted
    var wanted = ForgottenPairs()
    for request in requests { wanted.add(request, at: now, uids: []) }
    let search = ForgetSearch(facts: facts, wanted: wanted)
    let found = try await Parallel.detached { try search.run() }
    outcome.rows = found.rows
    outcome.uids = found.requests.keys.sorted()
    for request in requests {
      forgotten.add(
        request, at: now, uids: found.requests.filter { $0.value.contains(request) }.keys)
    }
    if isDryRun {
      let dry = Forgetter(
        facts: facts, ledger: ledger, forgotten: wanted.with(found), stage: try await stage(folder))
      outcome.shards = try await Parallel.detached { try dry.holding() }
      return outcome
    }
    guard forgotten.isInterrupted else { return outcome }
    try forgotten.write(to: folder)
    try afterStep()
    // A chunk that was fetched and not judged yet is fetched again, without them.
    try await reopenUnjudged(facts, forgotten, ledger)
    facts = try await RunFacts(folder, ledger)
    let forgetter = Forgetter(
      facts: facts, ledger: ledger, forgotten: forgotten, stage: try await stage(folder))
    outcome.shards = try await forgetter.run(afterStep)
    forgotten.finish()
    try forgotten.write(to: folder)
    return outcome
  }

  private static func stage(_ folder: RunFolder) async throws -> ShardStage {
    try await PipelineRun.recipe(of: folder.path).shardStage
  }

  private static func reopenUnjudged(
    _ facts: RunFacts, _ forgotten: ForgottenPairs, _ ledger: JobLedger
  ) async throws {
    for chunk in facts.chunks
    where facts.report(.download, chunk) != nil && facts.report(.deduplicate, chunk) == nil {
      let candidates = try JSONLines.read(
        facts.folder.chunkTable(chunk), as: PairCandidate.init)
      guard candidates.contains(where: { forgotten.contains(uid: $0.uid) && !$0.isForgotten })
      else { continue }
      try await ledger.reopen(
        [StageName.download, .decode].filter { facts.report($0, chunk) != nil }
          .map { facts.job($0, chunk) })
    }
  }

  private func run(_ afterStep: @escaping @Sendable () throws -> Void) async throws
    -> [ForgetOutcome.Shard]
  {
    var shards: [ForgetOutcome.Shard] = []
    var keys = ForgottenKeys()
    for chunk in facts.chunks {
      guard let rows = try forgottenRows(of: chunk) else { continue }
      let work = ChunkForgetting(
        chunk: chunk, rows: rows, facts: facts, stage: stage, afterStep: afterStep)
      let result = try await Parallel.detached { try work.run() }
      try await ledger.revise(result.counts)
      try afterStep()
      keys.formUnion(result.keys.keys)
      if let shard = result.shard { shards.append(shard) }
    }
    guard !keys.keys.isEmpty else { return shards }
    // What the ledger counts now.
    let final = DatasetForgetting(
      facts: try await RunFacts(folder, ledger), keys: keys, afterStep: afterStep)
    let result = try await Parallel.detached { try final.run() }
    try await ledger.revise(result.counts)
    try afterStep()
    return shards + result.shards
  }

  /// The rows of a chunk that go, or have gone; nil where there are none.
  private func forgottenRows(of chunk: Int) throws -> [PairCandidate]? {
    let candidates = try JSONLines.read(folder.chunkTable(chunk), as: PairCandidate.init)
    let isTouched = candidates.contains { $0.isForgotten || forgotten.contains(uid: $0.uid) }
    guard isTouched else { return nil }
    return candidates.map { candidate in
      guard candidate.isForgotten || forgotten.contains(uid: candidate.uid) else {
        return candidate
      }
      var blank = PairCandidate(
        row: candidate.row, uid: candidate.uid, url: "", caption: "",
        drop: candidate.drop.map { Drop($0.reason, survivor: $0.survivor) })
      blank.isForgotten = true
      return blank
    }
  }

  /// The shards that hold pairs which would go.
  private func holding() throws -> [ForgetOutcome.Shard] {
    var shards: [ForgetOutcome.Shard] = []
    var all = ForgottenKeys()
    func look(_ file: String, _ keys: ForgottenKeys) throws {
      let count = try ShardReader(path: "\(folder.path)/\(file)").keys.count { keys.contains($0) }
      if count > 0 { shards.append(.init(file: file, pairs: count)) }
    }
    for chunk in facts.chunks {
      guard let rows = try forgottenRows(of: chunk) else { continue }
      let keys = try ChunkForgetting(
        chunk: chunk, rows: rows, facts: facts, stage: stage, afterStep: {}
      ).keys()
      all.formUnion(keys.keys)
      if let file = facts.report(.shard, chunk)?.shard?.file { try look("shards/" + file, keys) }
    }
    guard !all.keys.isEmpty, !facts.filters.isEmpty else { return shards }
    for shard in try DatasetManifest.read(folder.dataset).shards
    where !shard.file.hasPrefix("shards/") {
      try look(shard.file, all)
    }
    return shards
  }
}

extension ForgottenPairs {
  /// The same requests with the pairs that they bear on.
  fileprivate func with(_ found: ForgetSearch.Found) -> ForgottenPairs {
    var result = self
    for entry in entries {
      result.add(
        entry.request, at: entry.at,
        uids: found.requests.filter { $0.value.contains(entry.request) }.keys)
    }
    return result
  }
}
