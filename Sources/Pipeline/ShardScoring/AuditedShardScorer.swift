public import AuditedScores
import DurableFiles
import PairDataset
public import PipelineCore
import WorkerThreads

/// Scores the pairs of shards by bytes, cuts them, and decides as scores in Float would.
///
/// Three steps, each of which any number of processes share and go on with after a kill: tables of bytes of all
/// shards (``ShardScorer``); exact scores of a sample and of what lies near the cut, round by round, a table for
/// each shard and round; final tables, each pair with its score, what that was computed in, and whether it is
/// kept. Every process decides by itself, from the same tables to the same end. The cut is over all pairs, so
/// shards that cannot be read leave all undecided.
public struct AuditedShardScorer: Sendable {
  let shards: [String]
  let out: String
  private let scorer: any RescoringPairScorer
  let cut: ScoreCut
  private let audit: ScoreAudit
  private let batch: Int
  var isTable: Bool { ShardScorer.isTable(out) }
  var tables: AuditedTables { AuditedTables(scorer: scorer, cut: cut, audit: audit) }

  /// - Parameters:
  ///   - shards: In order; Pairloom's own or any WebDataset's.
  ///   - out: A table where it ends in `.parquet`, else a folder of a table for each shard.
  ///   - scorer: Asked for one batch at a time.
  ///   - cut: What is kept.
  ///   - audit: How far scores of bytes are trusted.
  ///   - batch: Pairs in memory at a time.
  public init(
    _ shards: [String], to out: String, scorer: any RescoringPairScorer, cut: ScoreCut,
    audit: ScoreAudit = ScoreAudit(), batch: Int = 256
  ) {
    self.shards = shards
    self.out = out.count > 1 && out.hasSuffix("/") ? String(out.dropLast()) : out
    self.scorer = scorer
    self.cut = cut
    self.audit = audit
    self.batch = batch
  }

  /// - Parameter onProgress: Told after every batch of the first step, and every shard of a round.
  /// - Returns: What there is now. Shards that cannot be read are named in it; then nothing is decided.
  /// - Throws: ``ShardScoringError``, what the disk refuses, what the scorer throws.
  public func run(
    _ onProgress: @Sendable (AuditedScoringProgress) -> Void = { _ in }
  ) async throws -> AuditedScoringOutcome {
    guard !shards.isEmpty else { throw ShardScoringError.noShards }
    let place = out + ".audit"
    // Before a folder is made that a refusal would leave behind.
    if let done = try await finished(), !DurableFile.exists(place) { return done }
    let folder = try await AuditFolder(place, shards: shards)
    if let done = try await finished() {
      try await Parallel.detached { try folder.removeIfAlone() }
      return done
    }
    let first = try await ShardScorer(shards, to: folder.int8, scorer: scorer, batch: batch)
      .run { onProgress(.scoring($0)) }
    var outcome = AuditedScoringOutcome(scoring: first, cut: cut)
    guard first.unread.isEmpty else { return outcome }
    let int8 = try folder.int8Tables()
    let (pairs, open) = try await Parallel.detached {
      let pairs = try AuditedRows(shards.indices.map(int8.table), audit: audit)
      let open = AuditedCut(
        pairs.scores, ranks: pairs.ranks, keys: pairs.keys, cut: cut, audit: audit)
      return (pairs, open)
    }
    let result = try await open.decide { round, places in
      try await rescore(places, round, of: pairs, in: folder, &outcome, onProgress)
    }
    let finals = try await publish(result, of: pairs, int8, in: folder)
    if isTable { try await merge(finals, result.report, pairs.identities, in: folder) }
    outcome.audit = result.report
    outcome.kept = result.kept.count { $0 }
    outcome.scoring.scores = ScoreSpread(result.scores.filter(\.isFinite))
    try await Parallel.detached { try folder.removeIfAlone() }
    return outcome
  }

  /// The exact scores of a round, of which this process makes those that nobody else has or works on.
  private func rescore(
    _ places: [Int], _ round: Int, of pairs: AuditedRows, in folder: AuditFolder,
    _ outcome: inout AuditedScoringOutcome,
    _ onProgress: @Sendable (AuditedScoringProgress) -> Void
  ) async throws -> [Float] {
    let round = (number: round, folder: try folder.round(round))
    var passes = pairs.split(places).map { shard, inside in
      (
        shard: shard,
        pass: RescoringPass(
          path: shards[shard], identity: pairs.identities[shard], scorer: scorer, places: inside,
          batch: batch)
      )
    }
    var found: [Int: [Float]] = [:]
    var done = 0
    while !passes.isEmpty {
      var claimed: [(shard: Int, pass: RescoringPass)] = []
      for (shard, pass) in passes {
        try Task.checkCancellation()
        let table = round.folder.table(shard)
        var scores = try await Parallel.detached { try pass.known(table) }
        if scores == nil {
          guard let claim = try round.folder.claim(shard) else {
            claimed.append((shard, pass))
            continue
          }
          defer { withExtendedLifetime(claim) {} }
          // Its maker may have finished in between.
          scores = try await Parallel.detached { try pass.known(table) }
          if scores == nil {
            scores = try await pass.run(to: table, &outcome.scoring.seconds)
            outcome.rescoredHere += pass.places.count
          }
        }
        found[shard] = scores
        done += pass.places.count
        onProgress(.rescoring(round: round.number, done: done, pairs: places.count))
      }
      passes = claimed
      // Others hold what is left; who dies gives it up.
      if !passes.isEmpty { try await Task.sleep(for: .milliseconds(200)) }
    }
    return shards.indices.flatMap { found[$0] ?? [] }
  }

  private func finalTable(_ shard: Int, _ claims: ScoringFolder) -> String {
    isTable
      ? claims.table(shard) : "\(out)/\(ScoringFolder.names(of: shards)[shard]).parquet"
  }

  /// Writes the final tables that nobody has written yet.
  ///
  /// - Returns: Their paths.
  private func publish(
    _ result: AuditedCut.Result, of pairs: AuditedRows, _ int8: ScoringFolder,
    in folder: AuditFolder
  ) async throws -> [String] {
    let claims = try folder.finals()
    if !isTable { try DurableFile.makeFolder(out) }
    let digest = AuditedTables.digest(pairs.identities)
    let facts = tables.facts(result.report, shards: shards.count, digest: digest)
    var left = Array(shards.indices)
    while !left.isEmpty {
      var claimed: [Int] = []
      for shard in left {
        let (table, identity) = (finalTable(shard, claims), pairs.identities[shard])
        if try await isWhole(table, identity, digest) { continue }
        guard let claim = try claims.claim(shard) else {
          claimed.append(shard)
          continue
        }
        defer { withExtendedLifetime(claim) {} }
        if try await isWhole(table, identity, digest) { continue }
        let tables = tables
        try await Parallel.detached {
          try tables.write(
            int8.table(shard), pairs.ranges[shard], result, facts: facts, of: identity, to: table)
        }
      }
      left = claimed
      if !left.isEmpty { try await Task.sleep(for: .milliseconds(200)) }
    }
    return shards.indices.map { finalTable($0, claims) }
  }

  /// Whether a final table is there and as it should be.
  private func isWhole(
    _ table: String, _ identity: ShardIdentity, _ digest: String
  ) async throws -> Bool {
    let mine = tables.provenance
    return try await Parallel.detached {
      guard let rows = try ScoreRows.ifReadable(table) else { return false }
      return rows.isWhole && ScoreProvenance(rows.footer) == mine
        && identity.isNamed(by: rows.footer)
        && rows.footer[AuditedTables.digestFact] == digest
    }
  }

  /// Makes one table of all.
  private func merge(
    _ finals: [String], _ report: ScoreAuditReport, _ identities: [ShardIdentity],
    in folder: AuditFolder
  ) async throws {
    let claims = try folder.finals()
    let digest = AuditedTables.digest(identities)
    while !DurableFile.exists(out) {
      guard let claim = try claims.claimMerge() else {
        try await Task.sleep(for: .milliseconds(200))
        continue
      }
      defer { withExtendedLifetime(claim) {} }
      if DurableFile.exists(out) { return }
      let merger = ScoreMerger(
        tables: finals, columns: AuditedTables.columns,
        facts: tables.facts(report, shards: shards.count, digest: digest)
          + [(key: "pairs", value: "\(report.pairs)")])
      try await Parallel.detached { try merger.write(to: out) }
    }
  }
}
