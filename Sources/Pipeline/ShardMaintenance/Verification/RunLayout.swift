import PipelineCore
import ShardStage
import URLPipeline

/// What a run's recipe says of the files that there must be.
struct RunLayout: Sendable {
  /// Knows what stands in the files beside a chunk's shard.
  let stage: ShardStage
  let isImg2dataset: Bool

  /// The layout of the run in `folder`; nil where its ledger is of before there were notes.
  init?(of folder: RunFolder) async throws {
    do {
      let recipe = try await PipelineRun.recipe(of: folder.path)
      stage = recipe.shardStage
      isImg2dataset = recipe.shard.layout == .img2dataset
    } catch RetryError.withoutNotes {
      return nil
    }
  }
}
