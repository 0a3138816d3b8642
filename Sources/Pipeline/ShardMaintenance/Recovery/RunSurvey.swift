import DurableFiles
import JobLedger
import PairDataset
import PipelineCore
import Synchronization
import URLPipeline
import WorkerThreads

/// What all files of a run say of its jobs: the ledger as it would be had it only them to go by.
struct RunSurvey: Sendable {
  let recipe: RecordedRecipe
  /// Retries that were begun, by the record.
  let begun: Set<Int>
  let list: ListSurvey
  private let fetched: FetchedFiles
  /// Of the jobs that are done.
  private(set) var reports: [StageName: [Int: StageReport]] = [:]
  /// Chunks that are not whole and whose rows a later retry has taken up: done again, their pairs would
  /// be there twice.
  private(set) var superseded: Set<Int> = []

  private var generations: RunGenerations { list.generations }

  /// Looks at all files of a run; changes nothing.
  ///
  /// Memory: the tables of one chunk per thread.
  ///
  /// - Parameters:
  ///   - folder: The run's.
  ///   - record: Of the run.
  ///   - facts: What the ledger says, where it is held against the files: then shards are not read.
  ///   - threads: Chunks that are looked at at a time.
  /// - Throws: ``RecoveryError``, `RecipeError`, `FileError`.
  init(_ folder: RunFolder, _ record: RunRecord, facts: RunFacts? = nil, threads: Int) throws {
    guard let recipe = try record.recipe() else {
      throw RecoveryError.withoutRecord(folder: folder.path)
    }
    self.recipe = recipe
    begun = record.retries
    fetched = try FetchedFiles(folder)
    list = try ListSurvey(folder, chunkRows: recipe.chunkRows, threads: threads)
    if let problem = list.problem, facts == nil, try RunLedger.hasResults(folder) {
      throw RecoveryError.listIsLost(
        file: "\(folder.path)/\(problem.file)", problem: problem.words)
    }
    reports[.ingest] = list.reports
    let manifest = try unlessDamaged { try DatasetManifest.read(folder.dataset) }
    let scope = ChunkSurvey.Scope(
      folder: folder, recipe: recipe, fetched: fetched,
      isForgetting: try ForgottenPairs.read(folder).isInterrupted,
      listed: Dictionary(
        (manifest?.shards ?? []).filter { $0.file.hasPrefix("shards/") }
          .map { (String($0.file.dropFirst("shards/".count)), $0) },
        uniquingKeysWith: { first, _ in first }), facts: facts)
    try surveyChunks(scope, threads: threads)
    if facts == nil {
      try forgetWhatIsRedone(record)
      superseded = try findSuperseded(folder)
    }
    // What is redone ends with a manifest of its own.
    if let manifest, try facts != nil || record.redo == nil {
      reports[.filter] = try DatasetSurvey(
        folder: folder, recipe: recipe, generations: generations, reports: reports
      ).filters(manifest, upTo: settled)
    }
  }

  private mutating func surveyChunks(_ scope: ChunkSurvey.Scope, threads: Int) throws {
    let found = Mutex<[StageName: [Int: StageReport]]>([:])
    let fault = Mutex<(any Error)?>(nil)
    Parallel.forEach(generations.chunkCount, threads: threads) { chunk in
      do {
        let reports = try ChunkSurvey(chunk, scope).reports
        found.withLock { found in
          for (stage, report) in reports { found[stage, default: [:]][chunk] = report }
        }
      } catch {
        fault.withLock { $0 = $0 ?? error }
      }
    }
    if let fault = fault.withLock({ $0 }) { throw fault }
    reports.merge(found.withLock { $0 }) { $1 }
  }

  /// Takes files of before a redo or a release for what they are: not yet made again.
  ///
  /// How far it had come nobody knows; what is done once more has the same bytes, and the pictures are
  /// read out of the shards that there are.
  private mutating func forgetWhatIsRedone(_ record: RunRecord) throws {
    if let redo = try record.redo {
      for stage in StageName.allCases where stage.rank >= redo.rank { reports[stage] = nil }
    }
    if let first = try record.firstReleased {
      for stage in [StageName.deduplicate, .shard, .score] {
        reports[stage] = reports[stage]?.filter { $0.key < first }
      }
    }
  }

  private var last: StageName { recipe.scorer == nil ? .shard : .score }

  private func isWhole(_ chunk: Int) -> Bool { reports[last]?[chunk] != nil }

  /// The last generation up to which all chunks are whole or given up; nil where the list's are not.
  private var settled: Int? {
    let open = generations.all.first { generation in
      generation.chunks.contains { !isWhole($0) && !superseded.contains($0) }
    }
    return generations.all.last { $0.number < open?.number ?? .max }?.number
  }

  private func findSuperseded(_ folder: RunFolder) throws -> Set<Int> {
    let open = generations.all.flatMap(\.chunks).filter { !isWhole($0) }
    guard let first = open.first else { return [] }
    var superseded: Set<Int> = []
    var later: Set<Int> = []
    func rows(_ chunk: Int) throws -> [Int] {
      try JSONLines.read(folder.chunkTable(chunk), as: PairCandidate.init).map(\.row)
    }
    for generation in generations.all.reversed() {
      for chunk in generation.chunks where chunk >= first && !isWhole(chunk) {
        if try rows(chunk).contains(where: later.contains) { superseded.insert(chunk) }
      }
      if generation.number > 0 {
        for chunk in generation.chunks { later.formUnion(try rows(chunk)) }
      }
    }
    return superseded
  }

  /// All jobs of the run as its files tell of them, each after what it depends on.
  func jobs() throws -> [RestoredJob] {
    let known = generations.all.map(\.number)
    guard known.contains(0) else { return [RestoredJob(PipelinePlan.first)] }
    var jobs: [RestoredJob] = []
    var previous: Int?
    for generation in generations.all {
      let number = generation.number
      jobs.append(
        try restored(number == 0 ? PipelinePlan.first : PipelinePlan.retry(number)))
      let plan = recipe.plan.jobs(
        chunks: generation.chunks, generation: number, after: previous)
      jobs += try plan.map(restored)
      previous = number
    }
    for number in begun.subtracting(known).sorted() {
      // Begun now, an earlier one would take the numbers of the later one's chunks.
      jobs.append(
        RestoredJob(PipelinePlan.retry(number), isGivenUp: number < known.max() ?? 0))
    }
    return jobs
  }

  private func restored(_ job: NewJob) throws -> RestoredJob {
    let name = job.name
    guard let stage = StageName(rawValue: name.stage) else {
      preconditionFailure("a plan with the stage \(name.stage)")
    }
    let attempt = stage == .download ? fetched.last(name.chunk) : 0
    let counts = try reports[stage]?[name.chunk]?.encoded()
    let isGivenUp =
      counts == nil && stage != .filter && stage != .ingest && superseded.contains(name.chunk)
    return RestoredJob(job, attempt: attempt, counts: counts, isGivenUp: isGivenUp)
  }
}
