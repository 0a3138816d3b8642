import DurableFiles
package import JobLedger
package import PipelineCore
import URLPipeline

/// What the ledger of a run says that its folder holds.
package struct RunFacts: Sendable {
  package let folder: RunFolder
  package let generations: RunGenerations
  /// Of completed jobs.
  package let reports: [StageName: [Int: StageReport]]
  package let unfinishedJobs: Int
  /// Of the list and of retries: what they have written of their chunks so far, they will write again.
  let unfinishedIngests: Int
  package let quarantinedJobs: Int
  /// Whose scores the run filters by; nil where nothing was scored.
  package let scorer: String?

  package init(_ folder: RunFolder, _ ledger: any Ledger) async throws {
    self.folder = folder
    var reports: [StageName: [Int: StageReport]] = [:]
    for stage in StageName.allCases {
      for (chunk, counts) in try await ledger.counts(stage: stage.rawValue) {
        reports[stage, default: [:]][chunk] = try StageReport.decoded(
          counts, of: JobName(stage: stage.rawValue, chunk: chunk), in: ledger)
      }
    }
    self.reports = reports
    generations = RunGenerations(
      ingest: (reports[.ingest] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    unfinishedJobs = try await ledger.unsettledCount()
    unfinishedIngests = try await ledger.unsettledCount(stages: [StageName.ingest.rawValue])
    quarantinedJobs = try await ledger.quarantined().count
    // A redo with another model leaves the scores of the old one until it ends.
    let bound = try await ledger.configuration().first { $0.key == "scorer" }?.value
    scorer =
      reports[.score] == nil
      ? nil : try bound ?? DurableFile.names(in: folder.path + "/scores").first ?? "scores"
  }

  /// The ledger of the run in `folder`.
  ///
  /// - Parameters:
  ///   - folder: The run's.
  ///   - checks: Whether its pages are looked at before anything is changed by what it says.
  /// - Returns: The ledger.
  /// - Throws: `NoRunError` where there is none; `LedgerError.damaged`.
  package static func ledger(
    of folder: RunFolder, checks: Bool = false
  ) async throws -> any Ledger {
    try await RunLedger.open(folder, checks: checks)
  }

  package func report(_ stage: StageName, _ chunk: Int) -> StageReport? { reports[stage]?[chunk] }

  /// The attempt whose files are the output of a chunk's download.
  package func attempt(_ chunk: Int) -> Int? {
    report(.download, chunk)?.facts[StageReport.attemptFact]
  }

  /// All chunks of the list and of retries.
  package var chunks: Range<Int> { 0..<generations.chunkCount }

  /// The completed filter jobs by number.
  package var filters: [Int] { (reports[.filter] ?? [:]).keys.sorted() }

  /// The filter job that has judged a chunk; nil where none has.
  package func filter(ofChunk chunk: Int) -> Int? {
    let generation = generations.number(ofChunk: chunk)
    return filters.first { $0 >= generation }
  }

  /// Whether the final shards of a generation are still to be settled.
  var isPublishing: Bool { generations.all.contains { report(.filter, $0.number) == nil } }

  /// Whether a chunk of a retry has taken rows up: what came before it is not its newest fate.
  package var hasRetries: Bool { generations.all.contains { $0.number > 0 && !$0.chunks.isEmpty } }

  package func job(_ stage: StageName, _ chunk: Int) -> JobName {
    JobName(stage: stage.rawValue, chunk: chunk)
  }

  /// The jobs that publish the dataset once more.
  package var publishing: [JobName] { filters.map { job(.filter, $0) } }

  /// A path relative to the run's folder.
  package func name(_ path: String) -> String {
    path.hasPrefix(folder.path + "/") ? String(path.dropFirst(folder.path.utf8.count + 1)) : path
  }
}
