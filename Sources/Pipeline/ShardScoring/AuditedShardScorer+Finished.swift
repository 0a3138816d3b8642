import AuditedScores
import DurableFiles
import WorkerThreads

extension AuditedShardScorer {
  /// What an earlier call has made of the same shards; nil where not all of it is there.
  func finished() async throws -> AuditedScoringOutcome? {
    let paths =
      isTable ? [out] : ScoringFolder.names(of: shards).map { "\(out)/\($0).parquet" }
    let mine = tables.provenance
    return try await Parallel.detached {
      var outcome = AuditedScoringOutcome(scoring: ShardScoringOutcome(), cut: cut)
      var (scores, footers): ([Float], [[String: String]]) = ([], [])
      var isWhole = true
      for path in paths where DurableFile.exists(path) {
        guard let rows = try ScoreRows.ifReadable(path) else {
          isWhole = false
          continue
        }
        let differences = ScoreProvenance(rows.footer).differences(from: mine)
        guard differences.isEmpty else {
          throw ShardScoringError.otherModel(path: path, differences: differences)
        }
        isWhole = isWhole && rows.isWhole
        outcome.scoring.add(rows)
        outcome.kept += rows.kept
        scores += rows.scores
        footers.append(rows.footer)
      }
      guard isWhole, footers.count == paths.count else { return nil }
      let identities = try shards.map { try ShardIdentity(of: $0) }
      let digest = AuditedTables.digest(identities)
      for (path, footer) in zip(paths, footers) where footer[AuditedTables.digestFact] != digest {
        throw ShardScoringError.otherShards(path)
      }
      if !isTable {
        for (identity, footer) in zip(identities, footers) where !identity.isNamed(by: footer) {
          return nil
        }
      }
      outcome.audit = ScoreAuditReport(footers[0])
      outcome.scoring.shards = shards.count
      outcome.scoring.scores = ScoreSpread(scores)
      return outcome
    }
  }
}
