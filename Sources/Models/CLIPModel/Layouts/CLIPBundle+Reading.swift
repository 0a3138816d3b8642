import DurableFiles
import FoundationEssentials
import WeightFiles

extension CLIPBundle {
  /// What said each of a model's facts: a file's name, an option, or in words.
  public struct Origin: Sendable, Equatable {
    public var configuration = ""
    public var activation = ""
    public var preprocessing = ""
    public var tokenizer = ""
  }

  /// The names under which folders hold weights, those that need no unpickling first.
  static let weightNames = [
    "model.safetensors", "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
    "pytorch_model.bin", "model.safetensors.index.json", "pytorch_model.bin.index.json",
    "model.pt", "open_clip_pytorch_model.pt",
  ]
  /// The names of descriptions beside weights with our names or open_clip's.
  static let descriptionNames = ["model.json", "open_clip_config.json"]

  /// Reads what stands around the weights, and their table of contents; they wait for ``model()``.
  ///
  /// A folder of ours, open_clip or Hugging Face, or a file of weights in any format that
  /// `WeightReader` reads, with or without the JSON of such a folder beside it. Where no JSON and no
  /// `configuration` say the sizes, the shapes of the weights do.
  ///
  /// - Parameters:
  ///   - path: A folder or a file.
  ///   - configuration: Used in place of the JSON's: a name of open_clip, or the path of a JSON file.
  ///   - activation: Where nothing else says it; what the file says may not be contradicted.
  ///   - wrapper: The key to read where a checkpoint holds several state dicts, such as `state_dict_ema`.
  /// - Returns: All that there is to know before the weights are read.
  /// - Throws: ``CLIPError``, `WeightFileError` or `FileError`.
  public static func read(
    _ path: String, configuration: String? = nil, activation: Activation? = nil,
    wrapper: String? = nil
  ) throws -> CLIPBundle {
    let isFolder = DurableFile.isFolder(path)
    let folder = isFolder ? path : parent(of: path)
    var weightsPath = path
    if isFolder {
      guard let name = weightNames.first(where: { DurableFile.exists("\(folder)/\($0)") }) else {
        throw CLIPError(.noFile(weightNames), file: folder)
      }
      weightsPath = "\(folder)/\(name)"
    }
    let weights = try CLIPWeights(weightsPath, wrapper: wrapper)
    var bundle = try described(weights, folder: folder, path: weightsPath, by: configuration)
    if weights.shapes["logit_bias"] != nil, bundle.configuration.initialLogitBias == nil {
      // open_clip's for SigLIP's loss; the weights' own takes its place.
      bundle.configuration.initialLogitBias = -10
    }
    bundle.layout = weights.layout
    bundle.wrapper = wrapper
    try bundle.settleActivation(
      weights, asked: activation, named: configuration)
    return bundle
  }

  private static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The facts, from the first of: what was asked for, the JSON beside the weights, their shapes.
  private static func described(
    _ weights: CLIPWeights, folder: String, path: String, by given: String?
  ) throws -> CLIPBundle {
    if let given, let named = CLIPConfiguration.named(given) {
      return CLIPBundle(
        folder: folder, weightsPath: path, configuration: named, preprocessing: .init(),
        tokenizerSource: .clip,
        origin: Origin(
          configuration: "--model-config \(given)", activation: "--model-config \(given)",
          preprocessing: "OpenAI's constants", tokenizer: "CLIP's"))
    }
    let theirs = folder + "/config.json"
    if given == nil, weights.layout == .huggingFace, DurableFile.exists(theirs) {
      return try huggingFace(folder: folder, path: path)
    }
    let beside =
      weights.layout == .huggingFace
      ? nil : descriptionNames.map { "\(folder)/\($0)" }.first { DurableFile.exists($0) }
    if let json = given ?? beside {
      if let given, !DurableFile.exists(given) {
        throw CLIPError(
          .configuration("neither a name of open_clip nor a JSON file"), file: given)
      }
      return try described(byJSON: json, folder: folder, path: path)
    }
    return CLIPBundle(
      folder: folder, weightsPath: path,
      configuration: try .inferred(from: weights.shapes, file: path), preprocessing: .init(),
      tokenizerSource: .clip,
      origin: Origin(
        configuration: "the shapes of the weights", activation: "",
        preprocessing: "OpenAI's constants: the file names none",
        tokenizer: "CLIP's: the file names none"))
  }

  private static func huggingFace(folder: String, path: String) throws -> CLIPBundle {
    let configuration = try HuggingFaceConfig.configuration(folder + "/config.json")
    let tokenizer = try HuggingFaceTokenizer.source(
      in: folder, vocabularySize: configuration.text.vocabularySize)
    var bundle = CLIPBundle(
      folder: folder, weightsPath: path, configuration: configuration, preprocessing: .init(),
      tokenizerSource: tokenizer.source,
      origin: Origin(
        configuration: "config.json", activation: "config.json (hidden_act)",
        preprocessing: "OpenAI's constants: the folder names none",
        tokenizer: tokenizer.file ?? "CLIP's: the folder names none"))
    for name in ["preprocessor_config.json", "processor_config.json"]
    where DurableFile.exists("\(folder)/\(name)") {
      bundle.preprocessing = try HuggingFacePreprocessor.preprocessing(
        "\(folder)/\(name)", imageSize: configuration.vision.imageSize)
      bundle.origin.preprocessing = name
      break
    }
    return bundle
  }

  /// Sets the activation by what says it, and refuses one that contradicts the file.
  private mutating func settleActivation(
    _ weights: CLIPWeights, asked: Activation?, named: String?
  ) throws {
    let code = Activation(code: weights.reader.contents.code)
    let file = weightsPath
    if let code {
      if let asked, asked != code {
        throw CLIPError(
          .contradiction(
            "its code applies \(code.rawValue); --activation \(asked.rawValue) would make every "
              + "score wrong. Leave the option out."), file: file)
      }
      if asked == nil, !origin.activation.isEmpty, configuration.quickGELU != code.isQuick {
        throw CLIPError(
          .contradiction(
            "its code applies \(code.rawValue), and \(origin.configuration) means "
              + "\(Activation(quick: configuration.quickGELU).rawValue). Name the configuration "
              + (code.isQuick ? "with -quickgelu behind it." : "without -quickgelu.")), file: file)
      }
      configuration.quickGELU = code.isQuick
      origin.activation = "the code in the archive"
      return
    }
    let saysItself = !origin.activation.isEmpty && named == nil
    if let asked {
      if saysItself, asked.isQuick != configuration.quickGELU {
        throw CLIPError(
          .contradiction(
            "\(origin.activation) says \(Activation(quick: configuration.quickGELU).rawValue); "
              + "--activation \(asked.rawValue) contradicts it. Leave the option out, or name a "
              + "configuration with --model-config."), file: file)
      }
      if !saysItself {
        configuration.quickGELU = asked.isQuick
        origin.activation = "--activation"
      }
    } else if origin.activation.isEmpty {
      throw CLIPError(.unknownActivation, file: file)
    }
  }
}
