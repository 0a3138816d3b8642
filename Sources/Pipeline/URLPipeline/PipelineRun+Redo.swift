import Deduplication
import DownloadStage
import FilterStage
import JobLedger
public import PipelineCore
import ShardStage

/// What came of asking that a stage be done again.
public struct RedoOutcome: Sendable, Equatable {
  /// The stage from which on everything is done again.
  public var stage: StageName
  /// The stages that are.
  public var stages: [StageName]
  /// Jobs to be done; nil where the same was begun before and goes on.
  public var jobs: Int?
  /// The options that changed, the earliest stage first.
  public var differences: [ChangedOptionsError.Difference]
}

extension PipelineRun {
  /// Takes new options into a run and hands the jobs of a stage, and of all after it, back.
  ///
  /// The work is then ``run(reportingEvery:onStatus:)``'s, whose outputs are those of a new run with the
  /// options, byte for byte. What earlier stages have done stays. Killed at any moment, the same call,
  /// or a run with the new options, goes on. Without changed options the stages are done again all the
  /// same.
  ///
  /// - Parameter stage: The earliest stage that is done again.
  /// - Returns: What is done again.
  /// - Throws: ``NoRunError``; ``ChangedOptionsError`` where options of an earlier stage differ, too;
  ///   ``RedoError`` where it cannot be; ``FolderInUseError`` and `LedgerError.busy` while a process
  ///   works on the run; and what ``run(reportingEvery:onStatus:)`` throws for options.
  @discardableResult
  public func redo(_ stage: StageName) async throws -> RedoOutcome {
    let ledger = try await Self.openLedger(
      folder.path, attempts: recipe.chunkAttempts, checks: true)
    try ForgottenPairs.requireEnded(in: folder)
    let fingerprint = try checkedFingerprint()
    _ = try recipe.download.check()
    let lock = try RunLock.alone(folder)
    defer { withExtendedLifetime(lock) {} }
    // Nobody works here: what a killed process has held is free.
    try await ledger.rescue(now: clock())
    let known = try await ledger.configuration()
    let preview = try await RedoPreview(folder, ledger, isScored: scorer != nil)
    var outcome = RedoOutcome(
      stage: stage, stages: preview.stages(from: stage), jobs: nil, differences: [])
    // Killed before it was bound: there is nothing that could be done again.
    if known.isEmpty { return outcome }
    outcome.differences = ChangedOptionsError.differences(known, fingerprint, recipe)
    if let earliest = outcome.differences.first?.stage, earliest.rank < stage.rank {
      throw ChangedOptionsError(
        folder: folder.path, differences: outcome.differences, asked: stage,
        choices: try preview.choices(earliest))
    }
    let begun = try await RedoNote(ledger)
    if let begun, outcome.differences.isEmpty, begun.stage.rank <= stage.rank { return outcome }
    if let obstacle = try preview.obstacle(stage) { throw obstacle }
    let note = try RedoNote(
      stage: stage, scorer: known.first { $0.key == "scorer" }?.value, in: folder, after: begun)
    outcome.jobs = try await ledger.redo(
      stages: StageName.allCases.filter { $0.rank >= stage.rank }.map(\.rawValue),
      plan: try await plan(from: stage, ledger, wasScored: known.contains { $0.key == "scorer" }),
      configuration: fingerprint,
      notes: RunNotes(recipe: recipe, fingerprint: fingerprint).notes + [note.note],
      now: clock())
    try await RunRecord.update(folder, from: ledger)
    return outcome
  }

  /// The jobs of a stage and all after it, where scoring has come or gone; nil where they stay.
  private func plan(
    from stage: StageName, _ ledger: any Ledger, wasScored: Bool
  ) async throws -> [NewJob]? {
    guard wasScored != (scorer != nil) else { return nil }
    let plan = PipelinePlan(
      window: recipe.chunksInFlight, isScored: scorer != nil, needsAll: recipe.deduplicate.needsAll)
    let late = Set(StageName.allCases.filter { $0.rank >= stage.rank }.map(\.rawValue))
    let context = StageContext(folder: folder, ledger: ledger)
    return try await context.reports(.ingest).flatMap { number, report in
      let generation = RunGenerations(ingest: [(number, report)]).all.first
      return plan.jobs(
        chunks: generation?.chunks ?? 0..<0, generation: number,
        after: report.facts[RunGenerations.previousFact])
    }.filter { late.contains($0.name.stage) }
  }

  /// Binds the ledger, or says by stage what differs and what may be done.
  func bind(_ ledger: any Ledger, to fingerprint: [(key: String, value: String)]) async throws {
    do {
      try await ledger.bind(configuration: fingerprint, now: clock())
    } catch let error {
      guard case .configurationChanged = error else { throw error }
      throw try await changedOptions(ledger, fingerprint)
    }
  }

  private func changedOptions(
    _ ledger: any Ledger, _ fingerprint: [(key: String, value: String)]
  ) async throws -> ChangedOptionsError {
    let differences = ChangedOptionsError.differences(
      try await ledger.configuration(), fingerprint, recipe)
    let preview = try await RedoPreview(folder, ledger, isScored: scorer != nil)
    return ChangedOptionsError(
      folder: folder.path, differences: differences,
      choices: try preview.choices(differences.first?.stage ?? .ingest))
  }

  /// Clears what a redo has left over, when all is done and nobody else works.
  func endRedo(_ ledger: any Ledger, _ lock: RunLock) async throws {
    guard let note = try await RedoNote(ledger), lock.becomeAlone(),
      // Another process may have begun a retry before it let the folder go.
      try await ledger.unsettledCount() == 0
    else { return }
    try await RedoLeftovers(
      note: note, folder: folder, scorer: scorer?.name, layout: recipe.shard.layout,
      isFiltered: recipe.filter != .none
    ).clear(StageContext(folder: folder, ledger: ledger))
    try await ledger.setNote(RedoNote.key, "")
    try await RunRecord.update(folder, from: ledger)
  }
}
