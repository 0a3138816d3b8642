import DurableFiles
import PairDataset
public import PipelineCore
import WorkerThreads

/// Scores the pairs of shards into tables beside each other, or into one.
///
/// Each shard has a table of its own, which names in its footer the shard's bytes and all that made the scores; a
/// table that is whole is not made again. Any number of processes may work on one folder: a shard is claimed by a
/// lock that ends with its process. Killed at any moment, the same command goes on and loses a shard at most. The
/// same shards and model give the same bytes, whoever made which table.
public struct ShardScorer: Sendable {
  private let shards: [String]
  /// The table to make of all; nil where each shard keeps its own.
  private let single: String?
  private let folderPath: String
  private let scorer: any PairScorer
  private let batch: Int

  /// - Parameters:
  ///   - shards: In order; Pairloom's own or any WebDataset's.
  ///   - out: A table where it ends in `.parquet`, else a folder of a table for each shard.
  ///   - scorer: Asked for one batch at a time.
  ///   - batch: Pairs in memory at a time.
  public init(_ shards: [String], to out: String, scorer: any PairScorer, batch: Int = 256) {
    self.shards = shards
    self.scorer = scorer
    self.batch = batch
    single = Self.isTable(out) ? out : nil
    folderPath = Self.isTable(out) ? out + ".part" : out
  }

  /// Whether an output is one table.
  public static func isTable(_ out: String) -> Bool { out.hasSuffix(".parquet") }

  /// - Parameter onProgress: Told after every batch.
  /// - Returns: What there is now. Shards that cannot be read are named in it, and the others scored.
  /// - Throws: ``ShardScoringError``, what the disk refuses, what the scorer throws.
  public func run(
    _ onProgress: @Sendable (ScoringProgress) -> Void = { _ in }
  ) async throws -> ShardScoringOutcome {
    guard !shards.isEmpty else { throw ShardScoringError.noShards }
    var work = try ScoringWork(shards)
    if let done = try await finished(work) { return done }
    let folder = try ScoringFolder(folderPath, shards: shards, isOwn: single != nil)
    while true {
      var isWaiting = false
      for shard in shards.indices where work.isOpen(shard) {
        try Task.checkCancellation()
        do {
          switch try await score(shard, in: folder, &work, onProgress) {
          case .done: break
          case .claimed: isWaiting = true
          case .merged: if let done = try await finished(work) { return done }
          }
        } catch let error as ShardError {
          work.unread[shard] = "\(error)"
        }
      }
      guard isWaiting else { break }
      // Others hold what is left; who dies gives it up.
      try await Task.sleep(for: .milliseconds(200))
    }
    guard let single else {
      if work.unread.isEmpty { try folder.removeLocks() }
      return work.outcome()
    }
    guard work.unread.isEmpty else { return work.outcome() }
    try await merge(folder, into: single, &work)
    try await Parallel.detached { try folder.remove() }
    return work.outcome()
  }

  /// How a shard stands.
  private enum Standing {
    case done
    /// Another process works on it.
    case claimed
    /// Another process has made one table of all.
    case merged
  }

  /// Sees to a shard.
  private func score(
    _ shard: Int, in folder: ScoringFolder, _ work: inout ScoringWork,
    _ onProgress: (ScoringProgress) -> Void
  ) async throws -> Standing {
    let table = folder.table(shard)
    let path = shards[shard]
    let identity = try await identity(of: shard, &work)
    if let rows = try await whole(table, identity) {
      work.found(shard, rows)
      return .done
    }
    guard let claim = try folder.claim(shard) else { return .claimed }
    defer { withExtendedLifetime(claim) {} }
    // Its maker may have finished in between.
    if let rows = try await whole(table, identity) {
      work.found(shard, rows)
      return .done
    }
    // It goes only after the table of all is there.
    if let single, DurableFile.exists(single) { return .merged }
    if DurableFile.exists(table) { work.redone += 1 }
    let pass = ShardPass(path: path, identity: identity, scorer: scorer, batch: batch)
    let before = work.pairsHere
    var times = work.times
    let count = try await pass.run(to: table, &times) { done, all in
      work.pairsHere = before + done
      onProgress(work.progress(in: shard, share: Double(done) / Double(max(1, all))))
    }
    work.times = times
    work.pairsHere = before + count
    guard let rows = try await whole(table, identity) else { throw ShardScoringError.lost(table) }
    work.made(shard, rows)
    return .done
  }

  private func identity(of shard: Int, _ work: inout ScoringWork) async throws -> ShardIdentity {
    if let known = work.identities[shard] { return known }
    let path = shards[shard]
    let identity = try await work.times.measure(\.reading) {
      try await Parallel.detached {
        do { return try ShardIdentity(of: path) } catch let error as FileError {
          throw ShardError(.file(error), shard: path)
        }
      }
    }
    work.identities[shard] = identity
    return identity
  }

  /// What a table tells; nil where it is not there, damaged, or of a shard as it was before.
  private func whole(_ table: String, _ identity: ShardIdentity) async throws -> ScoreRows? {
    let mine = ScoreProvenance(scorer)
    return try await Parallel.detached {
      guard let rows = try ScoreRows.ifReadable(table) else { return nil }
      let differences = ScoreProvenance(rows.footer).differences(from: mine)
      guard differences.isEmpty else {
        throw ShardScoringError.otherModel(path: table, differences: differences)
      }
      return rows.isWhole && identity.isNamed(by: rows.footer) ? rows : nil
    }
  }

  /// What an earlier call has made of the same shards.
  private func finished(_ known: ScoringWork) async throws -> ShardScoringOutcome? {
    guard let table = single, DurableFile.exists(table) else { return nil }
    var work = try known.withoutTables()
    let mine = ScoreProvenance(scorer)
    let rows = try await Parallel.detached { try ScoreRows(table) }
    let differences = ScoreProvenance(rows.footer).differences(from: mine)
    guard differences.isEmpty else {
      throw ShardScoringError.otherModel(path: table, differences: differences)
    }
    guard rows.isWhole else {
      throw ShardScoringError.foreignTable(path: table, problem: "its rows are damaged")
    }
    for shard in shards.indices { _ = try await identity(of: shard, &work) }
    guard rows.footer["shards_sha256"] == work.digest else {
      throw ShardScoringError.otherShards(table)
    }
    if DurableFile.exists(folderPath) {
      // A kill in between, or a look whether there is work, has left what it was made from.
      try ScoringFolder(folderPath, shards: shards, isOwn: true).remove()
    }
    for shard in shards.indices { work.found(shard, nil) }
    work.add(rows)
    return work.outcome()
  }

  /// Makes one table of all.
  private func merge(
    _ folder: ScoringFolder, into table: String, _ work: inout ScoringWork
  ) async throws {
    while true {
      if DurableFile.exists(table) { return }
      guard let claim = try folder.claimMerge() else {
        try await Task.sleep(for: .milliseconds(200))
        continue
      }
      defer { withExtendedLifetime(claim) {} }
      if DurableFile.exists(table) { return }
      let merger = ScoreMerger(
        tables: shards.indices.map { folder.table($0) },
        columns: ScoreTable.columns(hasFaults: true, hasKinds: work.hasKinds),
        facts: ScoreTable.metadata(of: scorer) + [
          (key: "shards", value: "\(shards.count)"), (key: "shards_sha256", value: work.digest),
          (key: "pairs", value: "\(work.pairs)"),
        ])
      try await work.times.measure(\.writing) {
        try await Parallel.detached {
          try merger.write(to: table)
        }
      }
      return
    }
  }
}
