import DecodeStage
import DeduplicateStage
import Deduplication
import JobLedger
import PipelineCore
import WorkerThreads

/// What deduplication needs before the first chunk, and leaves after the last.
extension PipelineRun {
  /// Threads of a worker.
  var threads: Int {
    recipe.decodeThreads > 0 ? recipe.decodeThreads : max(1, Parallel.coreCount / workers)
  }

  /// The evaluation sets, whose pictures are looked at once.
  func preparedSets(_ ledger: any Ledger) async throws -> [EvaluationSet] {
    let paths = recipe.deduplicate.evaluationSets
    guard !paths.isEmpty, try await ledger.unsettledCount() > 0 else { return [] }
    let examiner = PictureExaminer(worker: decoder, options: recipe.decode)
    let place = folder.duplicates
    return try await CancellationFlag.watch { flag in
      try await Parallel.detached {
        try EvaluationSet.prepare(
          paths, in: place, examiner: examiner, threads: Parallel.coreCount,
          isCancelled: { flag.isSet })
      }
    }
  }

  func deduplicateStage(_ sets: [EvaluationSet]) -> DeduplicateStage {
    DeduplicateStage(
      rules: recipe.deduplicate, threads: threads, evaluation: sets,
      // Who is silent for longer has lost its lease.
      patience: leaseDuration / 2, samples: ThumbnailMaker(worker: decoder))
  }

  /// Brings the index of the run's pictures to its end, for runs that go by it.
  ///
  /// - Returns: A warning where that could not be done now.
  func completeIndexes(_ ledger: any Ledger, _ stage: DeduplicateStage) async throws -> [String] {
    guard try await ledger.unsettledCount() == 0 else { return [] }
    let context = StageContext(folder: folder, ledger: ledger)
    let chunks = RunGenerations(ingest: try await context.reports(.ingest)).chunkCount
    if try await stage.complete(chunks: chunks, in: context) { return [] }
    return [
      "\(folder.duplicates)/pictures.index may lack the last pictures, as another process has it open;"
        + " before a later run goes by it (duplicates.against), end that one and run this command again."
    ]
  }
}
