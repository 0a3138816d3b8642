import DownloadStage
import JobLedger
public import PipelineCore
import TableQuery

/// Why a run cannot be retried now.
public enum RetryError: Error, Sendable, Equatable, CustomStringConvertible {
  case unfinished(folder: String)
  case otherRetry(folder: String, expression: String)
  case withoutNotes(folder: String)
  case raced(folder: String)

  public var description: String {
    switch self {
    case .unfinished(let folder):
      "\(folder): the run is not finished. End it with the `pairloom run` command that began it, then"
        + " retry what failed."
    case .otherRetry(let folder, let expression):
      "\(folder): a retry WHERE \(expression) is not finished. `pairloom retry \(folder)` without"
        + " --where ends it; then begin another."
    case .withoutNotes(let folder):
      "\(folder): the ledger does not hold the run's options. Run the `pairloom run` command that made"
        + " it once more: it has nothing to do, and notes them."
    case .raced(let folder):
      "\(folder): another process has begun work on this folder. Wait for its end, then retry."
    }
  }
}

extension PipelineRun {
  /// The expression where none is given: what passes by itself.
  public static let usualRetry = "class = 'transient'"

  /// A retry that was begun and not ended; nil when the folder is at rest.
  ///
  /// - Throws: ``RetryError/unfinished(folder:)`` when the list itself is not worked off.
  public static func unfinishedRetry(in folder: String) async throws -> String? {
    let ledger = try await openLedger(folder)
    guard try await ledger.unsettledCount() > 0 else { return nil }
    let generation = try await ledger.lastChunk(stage: StageName.ingest.rawValue) ?? 0
    guard generation > 0, let text = try await ledger.note(RunNotes.expressionNote(generation))
    else { throw RetryError.unfinished(folder: folder) }
    return text
  }

  /// What a retry would do now.
  ///
  /// - Parameters:
  ///   - folder: A run that has ended.
  ///   - expression: SQL over ``FetchTable/columns``.
  /// - Returns: How many rows match, and how many of them may heal.
  /// - Throws: ``RetryError``, ``TableQueryError``, or what the folder lacks.
  public static func retryable(in folder: String, where expression: String) async throws
    -> RetrySelection
  {
    let query = try TableQuery(columns: FetchTable.columns, where: expression)
    let context = StageContext(folder: RunFolder(folder), ledger: try await openLedger(folder))
    return try RetrySelection.make(try await FetchTableReader(context, before: .max), query)
  }

  /// The recipe that a run went by, from its ledger.
  ///
  /// - Parameters:
  ///   - folder: The run's.
  ///   - overrides: Laid over it, each `key=value`; only options of pace may differ from the run's.
  /// - Returns: All options as the run had them.
  /// - Throws: ``NoRunError``, ``RetryError/withoutNotes(folder:)``, ``RecipeError``.
  public static func recipe(of folder: String, overrides: [String] = []) async throws
    -> PipelineRecipe
  {
    guard let notes = try await RunNotes(await openLedger(folder)) else {
      throw RetryError.withoutNotes(folder: folder)
    }
    let given = Set(overrides.compactMap { $0.split(separator: "=").first })
    let kept = notes.settings.filter { setting in
      setting.split(separator: "=").first.map { !given.contains($0) } ?? false
    }
    return try PipelineRecipe(yaml: "", path: folder, overrides: kept + overrides)
  }

  /// Asks once more for what may heal, or ends a retry that was interrupted.
  ///
  /// Pairs that heal go into shards after those that there are; no published file changes but
  /// `dataset.json`, which then lists both.
  ///
  /// - Parameters:
  ///   - expression: SQL over ``FetchTable/columns``; not looked at where a retry is unfinished.
  ///   - interval: How often `onStatus` is called.
  ///   - onStatus: As in ``run(reportingEvery:onStatus:)``.
  /// - Returns: What came of it, the whole run counted.
  /// - Throws: ``RetryError`` and what ``run(reportingEvery:onStatus:)`` throws.
  public func retry(
    where expression: String, reportingEvery interval: Duration = .seconds(1),
    onStatus: (@Sendable (RunStatus) -> Void)? = nil
  ) async throws -> RunOutcome {
    _ = try TableQuery(columns: FetchTable.columns, where: expression)
    let (ledger, lock, fingerprint) = try await bound()
    let blocklist = try recipe.download.check()
    if try await Self.unfinishedRetry(in: folder.path) == nil {
      let last = try await ledger.lastChunk(stage: StageName.ingest.rawValue) ?? 0
      let isBegun = try await ledger.addWhenIdle(
        [PipelinePlan.retry(last + 1)],
        note: (RunNotes.expressionNote(last + 1), expression), now: clock())
      guard isBegun else { throw RetryError.raced(folder: folder.path) }
      try await RunRecord.update(folder, from: ledger)
    }
    return try await finish(ledger, lock, fingerprint, blocklist, interval, onStatus)
  }

  /// Works off jobs that were handed back, without the list.
  ///
  /// - Parameters:
  ///   - interval: How often `onStatus` is called.
  ///   - onStatus: As in ``run(reportingEvery:onStatus:)``.
  /// - Returns: What came of it, the whole run counted.
  /// - Throws: ``RetryError/withoutNotes(folder:)`` and what ``run(reportingEvery:onStatus:)`` throws.
  public func resume(
    reportingEvery interval: Duration = .seconds(1),
    onStatus: (@Sendable (RunStatus) -> Void)? = nil
  ) async throws -> RunOutcome {
    let (ledger, lock, fingerprint) = try await bound()
    return try await finish(
      ledger, lock, fingerprint, try recipe.download.check(), interval, onStatus)
  }

  /// The folder's ledger, bound to the run's options.
  private func bound() async throws -> (any Ledger, RunLock, [(key: String, value: String)]) {
    let ledger = try await Self.openLedger(
      folder.path, attempts: recipe.chunkAttempts, checks: true)
    let lock = try RunLock.shared(folder)
    try ForgottenPairs.requireEnded(in: folder)
    guard let notes = try await RunNotes(ledger) else {
      throw RetryError.withoutNotes(folder: folder.path)
    }
    // The list is not read again, and may be gone; all else must be as it was.
    let fingerprint = try recipe.fingerprint(list: notes.fingerprint, scorer: scorer)
    try await bind(ledger, to: fingerprint)
    try await RunRecord.update(folder, from: ledger)
    return (ledger, lock, fingerprint)
  }

  static func openLedger(
    _ folder: String, attempts: Int? = nil, checks: Bool = false
  ) async throws -> any Ledger {
    try await RunLedger.open(
      RunFolder(folder),
      retry: attempts.map { RetryPolicy(maxFailures: $0) } ?? RetryPolicy(), checks: checks)
  }
}
