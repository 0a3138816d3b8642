import URLPipeline

/// A run as its ledger knows it, for commands that work on its folder without its recipe file.
enum ResumedRun {
  /// Opens the run with the options that it was begun with, and the scorer that they name.
  ///
  /// - Parameters:
  ///   - folder: The run's.
  ///   - workers: Chunks that are downloaded, and computed on, at a time.
  ///   - overrides: Options of pace, each `key=value`.
  /// - Returns: The run, at rest.
  /// - Throws: What the folder, its options or the scorer's weights lack.
  static func open(
    _ folder: String, workers: Int, overrides: [String] = []
  ) async throws -> PipelineRun {
    let recipe = try await PipelineRun.recipe(of: folder, overrides: overrides)
    let scorer = try RecipeScorer.open(recipe, folder: folder)
    return try PipelineRun(
      recipe: recipe, folder: folder, workers: workers, scorer: scorer,
      decoder: DecodeWorkerCommand.worker)
  }

  /// Works off what the ledger holds, as the command that began the run would.
  ///
  /// - Parameters:
  ///   - folder: The run's.
  ///   - workers: As for ``open(_:workers:overrides:)``.
  ///   - toResume: What to do after an interruption.
  /// - Returns: What came of it.
  /// - Throws: ``CommandFailure`` where it was interrupted.
  static func finish(_ folder: String, workers: Int, toResume: String) async throws -> RunOutcome {
    let run = try await open(folder, workers: workers)
    return try await Interruption.shared.working(on: run, toResume: toResume) {
      try await run.resume(reportingEvery: RunCommand.interval) { RunCommand.report($0) }
    }
  }
}
