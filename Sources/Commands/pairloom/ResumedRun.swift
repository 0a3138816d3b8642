import URLPipeline

/// Works off what a run's ledger holds, as the command that began the run would.
enum ResumedRun {
  /// - Parameters:
  ///   - folder: The run's.
  ///   - workers: Chunks that are downloaded, and computed on, at a time.
  /// - Throws: ``CommandFailure`` where it was interrupted, or jobs were given up.
  static func finish(_ folder: String, workers: Int) async throws {
    let recipe = try await PipelineRun.recipe(of: folder)
    var scorer: CLIPPairScorer?
    if let model = recipe.model, !model.isEmpty {
      scorer = try CLIPPairScorer(
        model: model, configuration: recipe.modelConfig, scratch: folder + "/models/scenes")
    }
    let run = try PipelineRun(
      recipe: recipe, folder: folder, workers: workers, scorer: scorer,
      decoder: DecodeWorkerCommand.worker)
    let work = Task {
      try await run.resume(reportingEvery: RunCommand.interval) { RunCommand.report($0) }
    }
    Interruption.shared.watch { work.cancel() }
    do {
      let outcome = try await work.value
      RunCommand.conclude(outcome, folder: folder)
      try RunCommand.requireComplete(outcome)
    } catch is CancellationError {
      throw CommandFailure(
        description: "interrupted; the `pairloom run` command that began it resumes",
        code: Interruption.shared.exitCode)
    }
  }
}
