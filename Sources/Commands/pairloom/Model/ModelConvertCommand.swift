import ArgumentParser
import CLIPModel
import DurableFiles
import WeightFiles

/// `pairloom model convert PATH`: the same model in the layout of another library.
struct ModelConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write a model in the layout of pairloom, open_clip, OpenAI or Hugging Face.",
    discussion: """
      The sizes, the activation, the preprocessing and the tokenizer go with the weights; what a layout
      cannot say is refused.

        pairloom model convert ViT-B-32.pt --out clip --layout open_clip
        pairloom model convert OUT --out hf --layout huggingface --dtype float16
      """)

  @OptionGroup var options: ModelOptions

  @Option(help: "The folder to write: one that is not there yet, or empty.")
  var out: String

  @Option(help: "Whose names and files: pairloom, open_clip, openai or huggingface.")
  var layout: CLIPExportLayout

  @Option(help: "What the weights are rounded to: float32, float16 or bfloat16.")
  var dtype = WeightPrecision.float32

  func run() throws {
    // A JSON that is left from another model would speak for the new weights.
    guard try DurableFile.names(in: out).isEmpty else {
      throw CommandError("\(out): is not empty. Name a new folder with --out.")
    }
    let bundle = try CLIPBundle.read(
      options.path, configuration: options.weights.modelConfig,
      activation: options.weights.activation,
      wrapper: options.stateDict)
    let weights = try CLIPWeights(bundle.weightsPath, wrapper: bundle.wrapper)
    let model = try CLIP(
      bundle.configuration, weights: weights.file(for: bundle.configuration))
    try CLIPBundle.export(
      model, preprocessing: bundle.preprocessing,
      tokenizer: bundle.tokenizerSource == .clip ? nil : bundle.tokenizer(),
      domain: bundle.domain, metadata: weights.reader.contents.metadata, layout: layout,
      precision: dtype, to: out)
    let names = try DurableFile.names(in: out)
    Terminal.print(
      "\(out): \(names.joined(separator: ", ")); \(dtype.rawValue), "
        + "\(Activation(quick: bundle.configuration.quickGELU).rawValue) from "
        + bundle.origin.activation)
  }
}
