import DurableFiles
import JobLedger
public import PipelineCore
import URLPipeline

/// A run opened for looking at its pairs one by one; a process may be working on it.
///
/// What the ledger says was read once: jobs that complete later are seen by the next look.
public struct RunRecords: Sendable {
  public let folder: RunFolder
  /// Rows of the list, rejected ones included; nil while it is being taken in.
  public let rowCount: Int?
  /// The scorers that have scored, by name.
  public let scorers: [String]
  let ledger: any Ledger
  let generations: RunGenerations
  /// The run's options; nil for a run of before they were noted.
  let recipe: PipelineRecipe?
  /// Whether shards are scored before they are filtered.
  let isScored: Bool
  private let completed: [StageName: Set<Int>]
  private let quarantined: Set<JobName>

  /// - Throws: `NoRunError`, `LedgerError`, or what the folder lacks.
  public init(_ path: String) async throws {
    folder = RunFolder(path)
    ledger = try await RunLedger.open(folder)
    let context = StageContext(folder: folder, ledger: ledger)
    let ingest = try await context.reports(.ingest)
    generations = RunGenerations(ingest: ingest)
    rowCount = ingest.first { $0.chunk == 0 }?.report.facts["rows"]
    do {
      recipe = try await PipelineRun.recipe(of: path)
    } catch RetryError.withoutNotes {
      recipe = nil
    }
    isScored = try await ledger.lastChunk(stage: StageName.score.rawValue) != nil
    scorers = try DurableFile.names(in: "\(folder.path)/scores")
    quarantined = Set(try await ledger.quarantined().map(\.name))
    let settled = try await ledger.settledChunks(stages: StageName.allCases.map(\.rawValue))
    var completed: [StageName: Set<Int>] = [:]
    for stage in StageName.allCases { completed[stage] = settled[stage.rawValue] ?? [] }
    for name in quarantined {
      if let stage = StageName(rawValue: name.stage) { completed[stage]?.remove(name.chunk) }
    }
    self.completed = completed
  }

  /// The chunks of the list; none while it is being taken in.
  var listChunks: Range<Int> { generations.all.first { $0.number == 0 }?.chunks ?? 0..<0 }

  /// Chunks of retries whose pairs are as they were before: they were given up.
  var givenUp: Set<Int> {
    generations.retries(in: 0..<generations.chunkCount).filter {
      isQuarantined(.shard, $0)
    }
  }

  func isCompleted(_ stage: StageName, _ chunk: Int) -> Bool {
    completed[stage]?.contains(chunk) == true
  }

  func isQuarantined(_ stage: StageName, _ chunk: Int) -> Bool {
    quarantined.contains(JobName(stage: stage.rawValue, chunk: chunk))
  }

  /// The number of the filter job that judges a chunk.
  ///
  /// That of its generation, unless it was given up: then the next that completed.
  func filterJob(of chunk: Int) -> Int {
    let own = generations.number(ofChunk: chunk)
    return completed[.filter]?.filter { $0 >= own }.min() ?? own
  }

  /// The chunks that have shards for the filter, scored where they must be.
  var filteredChunks: [Int] {
    (completed[.shard] ?? []).filter { !isScored || isCompleted(.score, $0) }.sorted()
  }

  /// The completed filter jobs, in order.
  var filterJobs: [Int] { (completed[.filter] ?? []).sorted() }

  /// The report of a chunk's completed job.
  func report(_ stage: StageName, _ chunk: Int) async throws -> StageReport? {
    try await StageContext(folder: folder, ledger: ledger).report(stage, chunk)
  }

  /// The attempts whose files are the downloads' outputs, by chunk.
  func downloadAttempts() async throws -> [Int: Int] {
    Dictionary(
      uniqueKeysWithValues: try await StageContext(folder: folder, ledger: ledger)
        .reports(.download).compactMap { chunk, report in
          report.facts[StageReport.attemptFact].map { (chunk, $0) }
        })
  }

  /// Where a pair stands that no stage has dropped: the first of its jobs that is not done tells.
  func standing(ofChunk chunk: Int) -> (fate: PairRecord.Fate, stage: StageName?) {
    let stages: [StageName] =
      [.download, .decode, .deduplicate, .shard] + (isScored ? [.score] : []) + [.filter]
    for stage in stages {
      let number = stage == .filter ? filterJob(of: chunk) : chunk
      if isCompleted(stage, number) { continue }
      return (isQuarantined(stage, number) ? .quarantined : .pending, stage)
    }
    return (.kept, nil)
  }
}
