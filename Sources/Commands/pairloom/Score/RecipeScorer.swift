import PipelineCore
import ShardScoring
import URLPipeline

/// The scorer that a recipe asks for: a model, or tables that were made elsewhere.
enum RecipeScorer {
  /// - Parameters:
  ///   - recipe: The run's.
  ///   - folder: The run's.
  /// - Returns: Nil where nothing is scored.
  /// - Throws: What the weights or the tables lack.
  static func open(_ recipe: PipelineRecipe, folder: String) throws -> (any PairScorer)? {
    if !recipe.scores.isEmpty {
      return try TableScorer(
        recipe.scores, column: recipe.scoreColumn, openEmbeddings: EmbeddingScoreFolders.open)
    }
    guard let model = recipe.model, !model.isEmpty else { return nil }
    return try CLIPPairScorer(
      model: model, configuration: recipe.modelConfig, scratch: folder + "/models/scenes")
  }

  /// Says how many pairs were known to the tables.
  static func conclude(_ scorer: (any PairScorer)?) {
    guard let joined = (scorer as? TableScorer)?.joined, joined.pairs > 0 else { return }
    let warning = joined.found == 0 ? "warning: " : ""
    Terminal.note("\(warning)\(joined.found) of \(joined.pairs) pairs found a score in the tables")
  }
}
