import Deduplication
import DurableFiles
package import FilterStage
package import JobLedger
package import PipelineCore
import ShardStage

/// A run whose work another program has done: what makes its folder one of ours.
///
/// The ledger comes last and in one transaction: a folder with completed jobs has all their files.
package struct ImportedRun: Sendable {
  package let recipe: PipelineRecipe
  private let fingerprint: [(key: String, value: String)]

  /// - Parameters:
  ///   - recipe: By which a retry treats what heals.
  ///   - program: Whose work it is; it takes the place of the list in what the folder is bound to.
  /// - Throws: `RecipeError` where a file that the recipe names is not there.
  package init(recipe: PipelineRecipe, from program: String) throws(RecipeError) {
    self.recipe = recipe
    let settings = recipe.resolved.filter { !recipe.tuning.contains($0.key) }
    fingerprint =
      settings.map { ($0.key, NamedFiles.identity($0.value, of: $0.key)) }
      + (try NamedFiles.contents(of: settings))
      + [("input (imported from)", program), ("limit", "none")]
  }

  /// The stage that writes `dataset.json`.
  package var filterStage: FilterStage {
    FilterStage(
      rule: recipe.filter, scorer: nil, packing: recipe.packing,
      isImg2dataset: recipe.shard.layout == .img2dataset,
      recipeSHA256: PipelineRecipe.sha256(of: fingerprint))
  }

  /// Enters the jobs of the list as completed.
  ///
  /// - Parameters:
  ///   - reports: Of every job, by stage and chunk.
  ///   - chunks: How many there are.
  ///   - ledger: Without jobs.
  ///   - folder: The run's.
  ///   - now: Milliseconds since 1970.
  /// - Throws: `LedgerError`.
  package func enter(
    _ reports: [StageName: [Int: StageReport]], chunks: Int, in ledger: any Ledger,
    of folder: RunFolder, now: Int
  ) async throws {
    var counts: [JobName: String] = [:]
    for (stage, reports) in reports {
      for (chunk, report) in reports {
        counts[PipelinePlan.name(stage, chunk)] = try report.encoded()
      }
    }
    let plan = PipelinePlan(
      window: recipe.chunksInFlight, isScored: false, needsAll: recipe.deduplicate.needsAll)
    let jobs = [PipelinePlan.first] + plan.jobs(chunks: 0..<chunks)
    let restored = jobs.map { job -> RestoredJob in
      guard let text = counts[job.name] else {
        preconditionFailure("\(job.name) was imported without a report")
      }
      return RestoredJob(job, attempt: 1, counts: text)
    }
    try await RunNotes(recipe: recipe, fingerprint: fingerprint).write(to: ledger)
    try await ledger.restore(restored, configuration: fingerprint, notes: [], now: now)
    try await RunRecord.update(folder, from: ledger)
  }
}
