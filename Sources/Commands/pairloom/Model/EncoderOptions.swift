import ArgumentParser
import CLIPModel
import WorkerThreads

/// What weights do not always say of themselves.
struct WeightOptions: ParsableArguments {
  @Option(help: "The configuration of the weights: an open_clip name or JSON file.")
  var modelConfig: String?

  @Option(
    help: "The activation, where the file does not say it: quick-gelu (OpenAI's weights) or gelu.")
  var activation: Activation?
}

/// The model that a command works with, and on how many cores.
struct EncoderOptions: ParsableArguments {
  @Option(
    help: "A CLIP: weights of open_clip, OpenAI or Hugging Face, a folder of training, or scenes.")
  var model: String

  @OptionGroup var weights: WeightOptions

  @Option(help: "Cores to use. (default: all)")
  var threads: Int?

  func validate() throws {
    try CoreCount.require(threads)
  }

  var cores: Int { threads ?? Parallel.coreCount }

  /// Opens the model for vectors; features are kept in the folder `cache`, if one is named.
  func embedder(cache: String? = nil) throws -> CLIPPairEmbedder {
    try CLIPPairEmbedder(
      model: model, configuration: weights.modelConfig, activation: weights.activation,
      cache: cache, threads: cores)
  }
}
