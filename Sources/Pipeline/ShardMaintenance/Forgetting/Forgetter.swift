import Deduplication
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
/// A pair goes with every row of its uid. What was dropped as its duplicate stays dropped, for which the
/// digest of its picture is noted. While a request is not ended no run begins, goes on to publish, or
/// counts as whole; where one has gone on nevertheless, the folder is gone over again. The user's own list, `logs/` and
/// pages elsewhere are not touched.
public struct Forgetter: Sendable {
  private let facts: RunFacts
  private let ledger: any Ledger
  private let forgotten: ForgottenPairs
  private let recipe: PipelineRecipe
  private var folder: RunFolder { facts.folder }

  /// Takes out what `requests` name, and ends what was interrupted before.
  ///
  /// - Parameters:
  ///   - requests: Any of which a row must meet.
  ///   - folder: Of a run that nobody works on; it need not be finished.
  ///   - isDryRun: Only tell, and write nothing, not to the ledger either.
  ///   - now: Milliseconds since 1970.
  ///   - afterStep: Called when a file or a count has been replaced; a test stops there.
  /// - Returns: What went, or would go.
  /// - Throws: ``ForgetError/atWork(folder:jobs:)``, ``ForgetRaceError``, `NoRunError`,
  ///   damaged files (verify first).
  @discardableResult
  public static func forget(
    _ requests: [ForgetRequest], in folder: RunFolder, isDryRun: Bool = false, now: Int,
    afterStep: @escaping @Sendable () throws -> Void = {}
  ) async throws -> ForgetOutcome {
    let ledger = try await RunFacts.ledger(of: folder, checks: true)
    if !isDryRun {
      try await ledger.rescue(now: now)
      let leased = try await leases(ledger)
      if leased > 0 { throw ForgetError.atWork(folder: folder.path, jobs: leased) }
    }
    let lock = isDryRun ? nil : try RunLock.alone(folder)
    defer { withExtendedLifetime(lock) {} }
    let begun = try await ledger.history()
    let facts = try await RunFacts(folder, ledger)
    if !isDryRun { try requireNothingHandedBack(facts) }
    var forgotten = try ForgottenPairs.read(folder)
    var outcome = ForgetOutcome()
    outcome.hasResumed = forgotten.isInterrupted
    var wanted = ForgottenPairs()
    for request in requests { wanted.add(request, at: now, uids: []) }
    let found = try await search(facts, wanted)
    outcome.rows = found.rows
    outcome.uids = found.requests.keys.sorted()
    for request in requests {
      wanted.add(request, at: now, found)
      forgotten.add(request, at: now, found)
    }
    if isDryRun {
      let dry = Forgetter(
        facts: facts, ledger: ledger, forgotten: wanted,
        recipe: try await PipelineRun.recipe(of: folder.path))
      outcome.shards = try await Parallel.detached { try dry.holding() }
      return outcome
    }
    guard forgotten.isInterrupted else { return outcome }
    // From now on no run begins or publishes.
    try forgotten.write(to: folder)
    try afterStep()
    try await work(&forgotten, folder, ledger, since: begun, &outcome, afterStep)
    forgotten.finish()
    try forgotten.write(to: folder)
    return outcome
  }

  /// Goes over the run until nobody has worked on it meanwhile.
  ///
  /// A run that began before the request was noted knows nothing of it.
  ///
  /// - Throws: ``ForgetRaceError`` while it is at work.
  private static func work(
    _ forgotten: inout ForgottenPairs, _ folder: RunFolder, _ ledger: any Ledger,
    since begun: [JobAttempt], _ outcome: inout ForgetOutcome,
    _ afterStep: @escaping @Sendable () throws -> Void
  ) async throws {
    let recipe = try await PipelineRun.recipe(of: folder.path)
    var before = begun
    while true {
      do {
        // A chunk that was fetched and not judged yet is fetched again, without them.
        try await reopenUnjudged(try await RunFacts(folder, ledger), forgotten, ledger)
        let forgetter = Forgetter(
          facts: try await RunFacts(folder, ledger), ledger: ledger, forgotten: forgotten,
          recipe: recipe)
        outcome.add(try await forgetter.run(afterStep))
      } catch LedgerError.busy { throw ForgetRaceError(folder: folder.path) }
      guard try await leases(ledger) == 0 else { throw ForgetRaceError(folder: folder.path) }
      let after = try await ledger.history()
      if after == before { return }
      before = after
      let found = try await search(try await RunFacts(folder, ledger), forgotten)
      outcome.uids = Set(outcome.uids).union(found.requests.keys).sorted()
      for entry in forgotten.entries { forgotten.add(entry.request, at: entry.at, found) }
      try forgotten.write(to: folder)
    }
  }

  private static func leases(_ ledger: any Ledger) async throws -> Int {
    try await ledger.tally().values.reduce(0) { $0 + ($1[.leased] ?? 0) }
  }

  /// Pictures of a chunk that is sharded again may be in its old shard alone, which this would remove.
  private static func requireNothingHandedBack(_ facts: RunFacts) throws {
    let folder = facts.folder
    let chunk = facts.chunks.first { chunk in
      facts.report(.decode, chunk) != nil && facts.report(.shard, chunk) == nil
        && !DurableFile.exists(folder.decodedBytes(chunk))
        && ShardFiles.shard(chunk, in: folder.shards) != nil
    }
    if chunk != nil { throw ForgetError.handedBack(folder: folder.path) }
  }

  private static func search(
    _ facts: RunFacts, _ wanted: ForgottenPairs
  ) async throws -> ForgetSearch.Found {
    let search = ForgetSearch(facts: facts, wanted: wanted)
    return try await Parallel.detached { try search.run() }
  }

  private static func reopenUnjudged(
    _ facts: RunFacts, _ forgotten: ForgottenPairs, _ ledger: any Ledger
  ) async throws {
    for chunk in facts.chunks
    where facts.report(.download, chunk) != nil && facts.report(.deduplicate, chunk) == nil {
      let candidates = try JSONLines.read(
        facts.folder.chunkTable(chunk), as: PairCandidate.init)
      let rows = Set(
        candidates.filter { $0.isForgotten || forgotten.contains(uid: $0.uid) }.map(\.row))
      if rows.isEmpty { continue }
      let table = facts.attempt(chunk).map { facts.folder.fetchedTable(chunk, attempt: $0) }
      if let table, DurableFile.exists(table) {
        let fetched = try PairTable.read(table, as: FetchedRow.init)
        guard fetched.contains(where: { $0.drop == nil && rows.contains($0.row) }) else { continue }
      }
      try await ledger.reopen(
        [StageName.download, .decode].filter { facts.report($0, chunk) != nil }
          .map { facts.job($0, chunk) })
    }
  }

  private func run(_ afterStep: @escaping @Sendable () throws -> Void) async throws
    -> [ForgetOutcome.Shard]
  {
    var shards: [ForgetOutcome.Shard] = []
    var (keys, uids): ([Int: ChunkKeys], Set<String>) = ([:], [])
    for chunk in facts.chunks {
      guard let rows = try forgottenRows(of: chunk) else { continue }
      let work = work(on: chunk, rows, afterStep)
      let result = try await Parallel.detached { try work.run() }
      try await ledger.revise(result.counts)
      try afterStep()
      keys[chunk] = result.keys
      uids.formUnion(rows.filter(\.isForgotten).map(\.uid))
      if let shard = result.shard { shards.append(shard) }
    }
    guard !keys.isEmpty else { return shards }
    // The next run makes them again from tables without the pairs.
    try folder.removeDuplicateIndexes()
    try folder.removeRescored()
    try removeShown(uids)
    // What the ledger counts now.
    let final = DatasetForgetting(
      facts: try await RunFacts(folder, ledger), keys: finalKeys(uids, keys), afterStep: afterStep)
    let result = try await Parallel.detached { try final.run() }
    try await ledger.revise(result.counts)
    try afterStep()
    return shards + result.shards
  }

  /// Removes what a person would see of the pairs: samples of duplicates, and the page that shows them,
  /// which the next run writes again.
  private func removeShown(_ uids: Set<String>) throws {
    let rows = forgotten.entries.flatMap { $0.pictures.map(\.row) }
    try DuplicateSamples(of: folder).remove(uids: uids, rows: Set(rows))
    try DurableFile.remove(folder.report)
  }

  private func work(
    on chunk: Int, _ rows: [PairCandidate], _ afterStep: @escaping @Sendable () throws -> Void
  ) -> ChunkForgetting {
    ChunkForgetting(
      chunk: chunk, rows: rows, facts: facts, stage: recipe.shardStage, afterStep: afterStep)
  }

  private func finalKeys(_ uids: Set<String>, _ keys: [Int: ChunkKeys]) -> FinalKeys {
    FinalKeys(
      folder: folder, uids: uids, keys: keys, hasUIDs: recipe.shard.layout == .pairloom)
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
      return candidate.withoutContent
    }
  }

  /// The shards that hold pairs which would go.
  private func holding() throws -> [ForgetOutcome.Shard] {
    var shards: [ForgetOutcome.Shard] = []
    var (all, uids): ([Int: ChunkKeys], Set<String>) = ([:], [])
    for chunk in facts.chunks {
      guard let rows = try forgottenRows(of: chunk) else { continue }
      let keys = try work(on: chunk, rows, {}).keys()
      all[chunk] = keys
      uids.formUnion(rows.filter(\.isForgotten).map(\.uid))
      guard let file = facts.report(.shard, chunk)?.shard?.file else { continue }
      let count = try ShardReader(path: "\(folder.shards)/\(file)").keys
        .count { keys.shipped.contains($0) }
      if count > 0 { shards.append(.init(file: "shards/" + file, pairs: count)) }
    }
    guard !all.isEmpty, !facts.filters.isEmpty else { return shards }
    let final = finalKeys(uids, all)
    for shard in try DatasetManifest.read(folder.dataset).shards
    where !shard.file.hasPrefix("shards/") {
      let keys = try final.going(of: shard)
      let count = try ShardReader(path: "\(folder.path)/\(shard.file)").keys
        .count { keys.contains($0) }
      if count > 0 { shards.append(.init(file: shard.file, pairs: count)) }
    }
    return shards
  }
}

extension ForgottenPairs {
  /// Adds the pairs that a search has found for a request.
  fileprivate mutating func add(_ request: ForgetRequest, at: Int, _ found: ForgetSearch.Found) {
    add(
      request, at: at, uids: found.requests.filter { $0.value.contains(request) }.keys,
      pictures: found.pictures[request] ?? [])
  }
}
