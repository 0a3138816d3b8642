import PipelineCore
import Testing
import URLPipeline

@Suite struct ModelPrecisionTests {
  static func recipe(_ options: [String]) throws -> PipelineRecipe {
    try PipelineRecipe(yaml: "input: list.csv\nmodel: weights\n", path: "r", overrides: options)
  }

  @Test("scores of bytes are for one cut of all, and refused elsewhere with the reason")
  func refused() throws {
    let int8 = "model_precision=int8"
    for cut in ["filter.min_score=0.28", "filter.top_fraction=0.3"] {
      #expect(try Self.recipe([int8, cut]).modelPrecision == .int8)
    }
    #expect(try Self.recipe([]).modelPrecision == .float32)
    for (options, words) in [
      ([int8], "filter.min_score or filter.top_fraction"),
      ([int8, "filter.plan=coyo"], "a plan may go by scores in any way"),
      ([int8, "filter.rules=[{min: {column: score, value: 0.2}}]"], "a plan may go by scores"),
      ([int8, "model=null", "filter.min_score=0.2"], "--set model=FILE"),
      ([int8, "model=null", "scores=[a.parquet]", "filter.min_score=0.2"], "out of tables"),
      (["model_precision=int4"], "one of float32, int8"),
    ] {
      let error = #expect(throws: RecipeError.self) { try Self.recipe(options) }
      #expect(error.map { "\($0)" }?.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
    }
  }
}
