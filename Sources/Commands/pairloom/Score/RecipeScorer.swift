import CLIPModel
import CLIPTraining
import FilterStage
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
      let tables = try TableScorer(
        recipe.scores, column: recipe.scoreColumn, openEmbeddings: EmbeddingScoreFolders.open)
      for warning in tables.warnings { Terminal.note("warning: \(warning)") }
      if let cut = tables.facts["tables.cut"], tables.provenance["column"] == "score",
        recipe.filter != .none, recipe.filter.cut.map({ "\($0)" }) != cut
      {
        throw ScoreSourceError.decided(cut: cut)
      }
      return tables
    }
    guard let model = recipe.model, !model.isEmpty else { return nil }
    let activation = try recipe.modelActivation.map { name in
      guard let activation = Activation(rawValue: name) else {
        throw RecipeError.badValue(
          key: "model_activation", value: name, expected: "quick-gelu or gelu")
      }
      return activation
    }
    let isInt8 = recipe.modelPrecision == .int8
    let clip = try CLIPPairScorer(
      model: model, configuration: recipe.modelConfig, activation: activation,
      precision: isInt8 ? .int8 : .float32,
      scratch: folder + "/models/scenes")
    return isInt8 ? RescoringCLIP(clip) : clip
  }

  /// The model that a scorer is made of; nil for tables.
  static func clip(_ scorer: (any PairScorer)?) -> CLIPPairScorer? {
    (scorer as? RescoringCLIP)?.clip ?? scorer as? CLIPPairScorer
  }

  /// Says how many pairs were known to the tables.
  static func conclude(_ scorer: (any PairScorer)?) {
    guard let joined = (scorer as? TableScorer)?.joined, joined.pairs > 0 else { return }
    let warning = joined.found == 0 ? "warning: " : ""
    Terminal.note("\(warning)\(joined.found) of \(joined.pairs) pairs found a score in the tables")
  }
}
