import DurableFiles
public import JobLedger
public import PipelineCore
import URLPipeline

/// What was handed back.
public struct ReleaseOutcome: Sendable, Equatable {
  /// The given-up jobs that are to be done now.
  public var released: [JobName] = []
  /// Completed jobs that are done again with them.
  public var reopened: [JobName] = []
  /// Chunks that are downloaded again, as their bytes are gone: what has changed on the web, changes.
  public var refetched: [Int] = []

  /// Nothing.
  public init() {}

  init(released: [JobName], reopened: [JobName]) {
    self.released = released
    self.reopened = reopened
    refetched = reopened.filter { $0.stage == StageName.download.rawValue }.map(\.chunk)
  }
}

/// Hands given-up jobs back, so that what comes out is what a run without their failure brings.
///
/// Later chunks went on as if the given-up one held nothing, so some of what was done must be done
/// again:
///
/// - The filter job, and those of the retries after it: `dataset.json` then lists the new shards.
/// - Of the jobs before the given-up one those whose outputs are gone, back to the download.
/// - Deduplication goes by the order of the list; where it goes by all pictures, every chunk is judged again.
///   A later chunk that is not in its shard yet waits for
///   the released ones, and is deduplicated again where that was done. One that is in its shard is done
///   again only when it holds a picture, or a caption, like one of a released chunk: `DeduplicateStage` finds
///   out as soon as it has judged the released chunk, and `ShardStage` takes the other pictures from the
///   shard that there is. Nothing is downloaded again for it.
///
/// A retry that was made meanwhile has not asked for rows of the chunk; another retry does.
public enum QuarantineRelease {
  /// Releases jobs; nothing is worked on yet.
  ///
  /// - Parameters:
  ///   - names: Given-up jobs; nil for all.
  ///   - folder: Of the run.
  ///   - now: Milliseconds since 1970.
  /// - Returns: What was handed back, in one transaction.
  /// - Throws: `NoRunError`; `LedgerError.busy` while a process works on the run, `unknownJob`.
  @discardableResult
  public static func release(
    _ names: [JobName]?, in folder: RunFolder, now: Int = WorkerGroup.wallClock()
  ) async throws -> ReleaseOutcome {
    let ledger = try await RunFacts.ledger(of: folder)
    let lock = try RunLock.alone(folder)
    defer { withExtendedLifetime(lock) {} }
    // What a killed process held is free.
    try await ledger.rescue(now: now)
    let given = try await ledger.quarantine().map(\.name)
    let jobs = Set(names.map { closure(of: $0, in: given) } ?? given)
    guard !jobs.isEmpty else { return ReleaseOutcome() }
    let plan = try await Plan(jobs, in: folder, ledger, needsAll: try await needsAll(folder))
    let facts = try await RunFacts(folder, ledger)
    try await Leftovers.note(outputsOf: plan.reopening + plan.mayBeRedone, facts, in: ledger)
    let done = try await ledger.release(
      JobRelease(
        quarantined: names, reopening: plan.reopening, order: plan.order,
        note: (ReleasedChunks.note, ReleasedChunks.text(plan.noted))), now: now)
    try await RunRecord.update(folder, from: ledger)
    return ReleaseOutcome(released: done.released, reopened: done.reopened)
  }

  /// Whether the run's verdicts go by all pictures at once.
  private static func needsAll(_ folder: RunFolder) async throws -> Bool {
    do {
      return try await PipelineRun.recipe(of: folder.path).needsAllPictures
    } catch RetryError.withoutNotes {
      return false  // of before there were such verdicts
    }
  }

  /// The given-up jobs of the chunks of `names`: those go with them.
  private static func closure(of names: [JobName], in given: [JobName]) -> [JobName] {
    given.filter { job in
      names.contains { name in
        // A chunk's jobs need one another; those of the list and of a filter stand alone.
        name == job || (name.chunk == job.chunk && isOfChunk(name) && isOfChunk(job))
      }
    }
  }

  fileprivate static func isOfChunk(_ job: JobName) -> Bool {
    ![StageName.ingest.rawValue, StageName.filter.rawValue].contains(job.stage)
  }
}

/// What must go with the jobs that are released.
private struct Plan {
  /// Completed jobs, among others, that are done again.
  var reopening: [JobName] = []
  var order: [(job: JobName, after: JobName)] = []
  /// All chunks that were ever released.
  var noted: Set<Int> = []
  /// Jobs that deduplication may find must be done again.
  var mayBeRedone: [JobName] = []

  init(
    _ jobs: Set<JobName>, in folder: RunFolder, _ ledger: any Ledger, needsAll: Bool
  ) async throws {
    noted = try await ReleasedChunks.read(ledger)
    let ofChunks = jobs.filter(QuarantineRelease.isOfChunk)
    var deduplicated: Set<Int> = []
    for chunk in Set(ofChunks.map(\.chunk)).sorted() {
      let stages = ofChunks.filter { $0.chunk == chunk }.compactMap {
        StageName(rawValue: $0.stage)
      }
      guard let released = stages.min(by: { $0.rank < $1.rank }) else { continue }
      let first = try await Self.first(before: released, chunk, in: folder, ledger)
      for stage in StageName.allCases where stage.rank >= first.rank && stage.rank < released.rank {
        reopening.append(JobName(stage: stage.rawValue, chunk: chunk))
      }
      if first.rank <= StageName.deduplicate.rank { deduplicated.insert(chunk) }
    }
    if let chunk = deduplicated.min() {
      noted.formUnion(deduplicated)
      try await add(deduplicated, from: chunk, ledger, needsAll: needsAll)
    }
    try await addFilters(of: jobs, ledger)
  }

  /// The first stage that must be done for `stage` to find what it reads.
  private static func first(
    before stage: StageName, _ chunk: Int, in folder: RunFolder, _ ledger: any Ledger
  ) async throws -> StageName {
    let download = try await ledger.counts(
      of: JobName(stage: StageName.download.rawValue, chunk: chunk))
    let attempt = try download.map { try StageReport.decoded($0) }?.facts[StageReport.attemptFact]
    let isFetched = attempt.map { DurableFile.exists(folder.fetchedTable(chunk, attempt: $0)) }
    let hasBodies = attempt.map { DurableFile.exists(folder.fetchedBytes(chunk, attempt: $0)) }
    func decode() -> StageName {
      (isFetched ?? true) && (hasBodies ?? true) ? .decode : .download
    }
    switch stage {
    case .ingest, .download, .filter: return stage
    case .decode: return decode()
    case .deduplicate:
      // Its pictures are read after it, by the shard.
      let hasPictures =
        DurableFile.exists(folder.decodedBytes(chunk))
        || ShardFiles.shard(chunk, in: folder.shards) != nil
      return hasPictures && DurableFile.exists(folder.decodedTable(chunk)) ? .deduplicate : decode()
    case .shard, .score:
      let hasShard = ShardFiles.shard(chunk, in: folder.shards) != nil
      if stage == .score && hasShard { return .score }
      guard isFetched ?? true, DurableFile.exists(folder.decodedTable(chunk)),
        DurableFile.exists(folder.decodedBytes(chunk)) || hasShard
      else { return decode() }
      return DurableFile.exists(folder.verdictTable(chunk)) ? .shard : .deduplicate
    }
  }

  /// Lets later chunks wait for the released ones, or do their deduplication again.
  ///
  /// Where verdicts go by all pictures earlier ones may change too: all chunks are judged again then.
  private mutating func add(
    _ released: Set<Int>, from first: Int, _ ledger: any Ledger, needsAll: Bool
  ) async throws {
    let deduplicate = StageName.deduplicate.rawValue
    guard let last = try await ledger.lastChunk(stage: deduplicate) else { return }
    let stages = [deduplicate, StageName.shard.rawValue, StageName.score.rawValue]
    let settled = try await ledger.settledChunks(stages: stages)
    let isScored = try await ledger.lastChunk(stage: StageName.score.rawValue) != nil
    let judged = settled[deduplicate] ?? []
    let ended = settled[isScored ? stages[2] : stages[1]] ?? []
    let later = judged.filter { $0 > first }
    // In work when the run stopped: their shards, if any, are not counted yet.
    let open = (needsAll ? judged : later.subtracting(ended)).subtracting(released)
    for chunk in open.sorted() {
      reopening += stages.map { JobName(stage: $0, chunk: chunk) }.dropLast(isScored ? 0 : 1)
    }
    mayBeRedone = later.intersection(ended).subtracting(open).sorted().map {
      JobName(stage: StageName.shard.rawValue, chunk: $0)
    }
    // The first that is not judged; all others wait for it.
    let next = (first...last).first { !judged.contains($0) && !released.contains($0) }
    let chain = released.union(open).union(next.map { [$0] } ?? []).sorted()
    order = zip(chain.dropFirst(), chain).map { job, before in
      (JobName(stage: deduplicate, chunk: job), JobName(stage: deduplicate, chunk: before))
    }
    // The first of all plans for all, with the pictures of those that come late.
    if needsAll, let planning = chain.first {
      order += released.sorted().map { chunk in
        (
          JobName(stage: deduplicate, chunk: planning),
          JobName(stage: StageName.decode.rawValue, chunk: chunk)
        )
      }
    }
  }

  /// The filter jobs that have published without the released chunks.
  private mutating func addFilters(of jobs: Set<JobName>, _ ledger: any Ledger) async throws {
    let filter = StageName.filter.rawValue
    let reports = try await ledger.counts(stage: StageName.ingest.rawValue).map {
      ($0.chunk, try StageReport.decoded($0.counts))
    }
    let generations = RunGenerations(ingest: reports)
    let numbers = jobs.compactMap { job in
      job.stage == filter
        ? job.chunk
        : QuarantineRelease.isOfChunk(job) ? generations.number(ofChunk: job.chunk) : nil
    }
    guard let first = numbers.min() else { return }
    for number in generations.all.map(\.number) where number >= first {
      let name = JobName(stage: filter, chunk: number)
      if try await ledger.state(of: name) != nil { reopening.append(name) }
    }
  }
}
