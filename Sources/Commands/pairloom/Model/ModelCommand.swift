public import ArgumentParser
public import CLIPModel
public import WeightFiles

/// `pairloom model`: weights from elsewhere, what a weight file is, and the same model in another library's layout.
struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model",
    abstract: "Fetch the weights of a CLIP, look into them, or convert them between the libraries.",
    subcommands: [ModelFetchCommand.self, ModelInfoCommand.self, ModelConvertCommand.self])
}

/// The options that name a model.
struct ModelOptions: ParsableArguments {
  @Argument(
    help: """
      A folder of pairloom, open_clip or Hugging Face, or a file: .safetensors, .pt or .bin of torch.save, \
      OpenAI's TorchScript archive, or the index of a sharded checkpoint.
      """)
  var path: String

  @OptionGroup var weights: WeightOptions

  @Option(
    help: "The state dict of a checkpoint that holds several, such as state_dict_ema.")
  var stateDict: String?
}

extension Activation: ExpressibleByArgument {}
extension WeightPrecision: ExpressibleByArgument {}
extension CLIPExportLayout: ExpressibleByArgument {}
extension CLIPError: UsageError {}
