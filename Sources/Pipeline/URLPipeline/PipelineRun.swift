import CrawlPolicy
import DecodeStage
import DeduplicateStage
import Deduplication
import DownloadStage
import DurableFiles
import FilterStage
import FoundationEssentials
import HTTPFetch
import IngestStage
import JobLedger
public import PipelineCore
import ScoreStage
import ShardStage
public import WorkerProcesses
import WorkerThreads

/// How a run ended.
public struct RunOutcome: Sendable, Equatable {
  public var status: RunStatus
  /// The manifest of what was kept.
  public var dataset: String
  /// What the run was held against, in a sentence each.
  public var notes: [String] = []
  /// What went wrong without harm to the result, in a sentence each.
  public var warnings: [String] = []
  /// Every job completed; otherwise `status.quarantined` names those that were given up.
  public var isComplete: Bool { status.isFinished && status.quarantined.isEmpty }
}

/// There is no run in a folder.
public struct NoRunError: Error, Sendable, Equatable, CustomStringConvertible {
  public var folder: String

  public init(folder: String) { self.folder = folder }

  public var description: String {
    "\(folder): there is no run here (no ledger.sqlite). Name the folder given to `pairloom run`."
  }
}

/// A run from a list of URLs to a dataset, in one folder.
///
/// Run it again with the same options and it resumes where it stopped, however it stopped. With the
/// same responses the files under `shards/`, `scores/`, `filtered/` and `dataset.json` have the same
/// bytes for any number of workers and any interruption.
public final class PipelineRun: Sendable {
  let recipe: PipelineRecipe
  /// By which the run's requests name themselves.
  public var userAgent: String { recipe.download.fetch.userAgent }
  let folder: RunFolder
  let workers: Int
  let limit: Int?
  let scorer: (any PairScorer)?
  let decoder: WorkerCommand?
  let leaseDuration: Int
  private let held = HeldLeases()
  let clock: @Sendable () -> Int

  /// - Parameters:
  ///   - recipe: The options.
  ///   - folder: Made when it is not there.
  ///   - workers: Chunks that are downloaded, and chunks that are computed on, at a time.
  ///   - limit: Rows to take of the list; nil for all.
  ///   - scorer: Scores the shards; needed when the recipe filters by score.
  ///   - decoder: Starts a process that decodes; nil decodes in this one, which then goes down with a
  ///     picture that crashes a decoder.
  ///   - leaseDuration: Milliseconds after which a silent worker's job is given to another.
  ///   - clock: Milliseconds since 1970.
  /// - Throws: ``RecipeError`` where recipe and scorer do not fit together.
  public init(
    recipe: PipelineRecipe, folder: String, workers: Int, limit: Int? = nil,
    scorer: (any PairScorer)? = nil, decoder: WorkerCommand? = nil,
    leaseDuration: Int = PipelineRun.usualLease,
    clock: @escaping @Sendable () -> Int = WorkerGroup.wallClock
  ) throws {
    precondition(workers > 0, "a run needs a worker")
    if recipe.filter.needsScores && scorer == nil {
      throw RecipeError.missing(
        key: "model",
        hint: "filter.* needs scores; name the weights with --set model=FILE, or tables that have"
          + " them with --set scores=TABLE.")
    }
    precondition(
      recipe.modelPrecision == .float32 || scorer == nil || scorer is any RescoringPairScorer,
      "scores of bytes without a scorer that makes exact ones")
    self.recipe = recipe
    self.folder = RunFolder(folder)
    self.workers = workers
    self.limit = limit
    self.scorer = scorer
    self.decoder = decoder
    self.leaseDuration = leaseDuration
    self.clock = clock
  }

  /// How long a lease lasts: a minute, or the milliseconds of `PAIRLOOM_LEASE_MS`.
  ///
  /// The variable is for tests of what happens to a process that is silent for longer.
  public static var usualLease: Int {
    ProcessInfo.processInfo.environment["PAIRLOOM_LEASE_MS"].flatMap(Int.init)
      .flatMap { $0 >= 100 ? $0 : nil } ?? 60_000
  }

  /// Hands back what this run has leased although its work goes on, for a process that must end now.
  public func handBack() async { await held.release(now: clock()) }

  /// Works until every chunk is done or given up.
  ///
  /// - Parameters:
  ///   - interval: How often `onStatus` is called.
  ///   - onStatus: Given the state of the run from the ledger, at the start, every interval and at
  ///     the end.
  /// - Returns: What came of it.
  /// - Throws: `CancellationError` when the task was cancelled, with all leases handed back;
  ///   ``RecipeError``, `ListError` and `LedgerError` for options that do not fit the folder; `FileError` where
  ///   the disk is at fault, ``RunFault`` where the set-up is; `ForgetInterruptedError` where a request
  ///   to forget was not ended.
  public func run(
    reportingEvery interval: Duration = .seconds(1),
    onStatus: (@Sendable (RunStatus) -> Void)? = nil
  ) async throws -> RunOutcome {
    try ForgottenPairs.requireEnded(in: folder)
    let fingerprint = try checkedFingerprint()
    let blocklist = try recipe.download.check()
    try folder.make()
    let lock = try RunLock.shared(folder)
    let ledger = try await RunLedger.open(
      folder, retry: RetryPolicy(maxFailures: recipe.chunkAttempts), mayBeNew: true, checks: true)
    try await bind(ledger, to: fingerprint)
    try await RunNotes(recipe: recipe, fingerprint: fingerprint).write(to: ledger)
    try await RunRecord.update(folder, from: ledger)
    try await ledger.add([PipelinePlan.first], now: clock())
    return try await finish(ledger, lock, fingerprint, blocklist, interval, onStatus)
  }

  /// What the folder is to be bound to.
  ///
  /// A list that cannot be read as asked is found here, before the ledger binds it to the folder: the
  /// corrected command then works.
  func checkedFingerprint() throws -> [(key: String, value: String)] {
    let fingerprint = try recipe.fingerprint(limit: limit, scorer: scorer)
    try ListSample.check(recipe.ingest)
    _ = try leftOutRules()
    return fingerprint
  }

  /// Works off what the ledger holds, the list's jobs and a retry's alike.
  func finish(
    _ ledger: any Ledger, _ lock: RunLock, _ fingerprint: [(key: String, value: String)],
    _ blocklist: HashBlocklist?, _ interval: Duration,
    _ onStatus: (@Sendable (RunStatus) -> Void)?
  ) async throws -> RunOutcome {
    try folder.removeAbandonedTemporaries()
    var warnings: [String] = []
    let sets = try await preparedSets(ledger)
    let deduplicate = deduplicateStage(sets)
    if try await ledger.unsettledCount() > 0 {
      warnings = try await work(
        ledger, recipeSHA256: PipelineRecipe.sha256(of: fingerprint), blocklist, deduplicate,
        interval, onStatus)
      // Of processes that were killed beside this one. All is done: a retry that ended by an error here would
      // ask again when it is repeated.
      do { try folder.removeAbandonedTemporaries() } catch {
        warnings.append("what killed processes have left stays for `pairloom gc`: \(error)")
      }
    }
    try await endRedo(ledger, lock)
    warnings += try await completeIndexes(ledger, deduplicate)
    let status = try await RunStatus(ledger: ledger)
    onStatus?(status)
    let leftOut = DurableFile.exists(folder.chunkColumns) ? try leftOutRules(after: folder) : []
    return RunOutcome(
      status: status, dataset: folder.dataset, notes: sets.map(\.words) + leftOut,
      warnings: warnings)
  }

  /// Where the run in `folder` stands, read from its ledger alone; a process may be working on it.
  public static func status(folder: String) async throws -> RunStatus {
    try await RunStatus(ledger: try await RunLedger.open(RunFolder(folder)))
  }

  /// Where the run in `folder` stands, and which hosts it fails at.
  public static func statusWithHosts(folder: String) async throws -> (
    status: RunStatus, hosts: HostSurvey
  ) {
    let ledger = try await RunLedger.open(RunFolder(folder))
    return (
      try await RunStatus(ledger: ledger), try await HostSurvey(RunFolder(folder), ledger: ledger)
    )
  }

  private func work(
    _ ledger: any Ledger, recipeSHA256: String, _ blocklist: HashBlocklist?,
    _ deduplicate: DeduplicateStage, _ interval: Duration,
    _ onStatus: (@Sendable (RunStatus) -> Void)?
  ) async throws -> [String] {
    var manners = recipe.download.fetch
    manners.sharedRates = folder.rates
    manners.sharedHosts = folder.hosts
    manners.originCache = folder.origins
    let fetcher = try Fetcher(options: manners, sniff: DownloadStage.sniff)
    defer { fetcher.shutDown() }
    let plan = PipelinePlan(
      window: recipe.chunksInFlight, isScored: scorer != nil, needsAll: recipe.deduplicate.needsAll)
    var context = StageContext(folder: folder, ledger: ledger)
    context.keep = recipe.keep
    if recipe.deduplicate.needsAll { context.lastReaderOfBodies = .decode }
    let group = WorkerGroup(
      ledger: ledger,
      stages: try stages(
        fetcher, ledger, blocklist, deduplicate, recipeSHA256: recipeSHA256),
      context: context, workers: workers,
      downloads: recipe.downloadsAtOnce, leaseDuration: leaseDuration, clock: clock, held: held
    ) { stage, report in
      guard stage == .ingest else { return [] }
      let number = report.facts[RunGenerations.generationFact] ?? 0
      let generation = RunGenerations(ingest: [(number, report)]).all[0]
      return plan.jobs(
        chunks: generation.chunks, generation: number,
        after: report.facts[RunGenerations.previousFact])
    }
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      if let onStatus {
        tasks.addTask {
          // Ends with an error only where the ledger does; cancelled when the work has ended.
          while !Task.isCancelled {
            onStatus(try await RunStatus(ledger: ledger))
            try? await Task.sleep(for: interval)  // cut short by the cancellation that ends it
          }
        }
      }
      tasks.addTask {
        try await group.run()
        throw WorkDone()
      }
      // Not waitForAll(): it would wait for the reports, which end only when they are cancelled.
      do { while try await tasks.next() != nil {} } catch is WorkDone {}
      tasks.cancelAll()
    }
    let origins = fetcher.originCacheProblem.map { problem in
      "robots.txt and the like were asked for by each process and not remembered, as "
        + "\(folder.origins) failed: \(problem)"
    }
    return [origins, await deduplicate.sampleProblem].compactMap { $0 }
  }

  /// Ends the reports when the work has.
  private struct WorkDone: Error {}

  private func stages(
    _ fetcher: Fetcher, _ ledger: any Ledger, _ blocklist: HashBlocklist?,
    _ deduplicate: DeduplicateStage, recipeSHA256: String
  ) throws -> [any Stage] {
    var ingest = recipe.ingest
    ingest.limit = limit
    var stages: [any Stage] = [
      FirstStage(ingest: IngestStage(options: ingest), chunkRows: recipe.ingest.chunkRows) {
        // Entered in one transaction with the job.
        try await ledger.note(RunNotes.expressionNote($0)) ?? Self.usualRetry
      } check: {
        _ = try self.leftOutRules(after: $0)
      },
      DownloadStage(
        fetcher: fetcher, verifiesHashes: recipe.download.hash == .verify,
        blocklist: blocklist, chunkRows: recipe.ingest.chunkRows),
      DecodeStage(options: recipe.decode, threads: threads, worker: decoder),
      deduplicate,
      recipe.shardStage,
      FilterStage(
        rule: recipe.filter, scorer: scorer?.name,
        rescorer: scorer as? any RescoringPairScorer, packing: recipe.packing,
        isImg2dataset: recipe.shard.layout == .img2dataset, recipeSHA256: recipeSHA256,
        columns: recipe.filterColumns),
    ]
    if let scorer { stages.append(ScoreStage(scorer: scorer)) }
    return stages
  }
}
