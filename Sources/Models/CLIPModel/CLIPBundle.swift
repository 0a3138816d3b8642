import DurableFiles
import FoundationEssentials
public import Tokenizers
public import WeightFiles

/// A CLIP on disk: weights, sizes, preprocessing and tokenizer.
///
/// The folder that `pairloom train` writes: `model.safetensors`, `model.json`, `tokenizer.merges`. Also
/// read: folders of open_clip and Hugging Face, and single files; see
/// ``read(_:configuration:activation:wrapper:)``.
public struct CLIPBundle: Sendable, Equatable {
  /// Where the table of merges is.
  public enum TokenizerSource: Sendable, Equatable {
    case clip
    /// Relative to the bundle's folder, or absolute.
    case merges(String)
  }

  /// The folder that relative names refer to.
  public var folder: String
  public var weightsPath: String
  public var configuration: CLIPConfiguration
  public var preprocessing: Preprocessing
  public var tokenizerSource: TokenizerSource
  /// What the model is good for, if not for any picture, such as `scenes`.
  public var domain: String?
  /// How the weights are named in their file.
  public var layout = CLIPLayout.openCLIP
  /// The key of the weights in a checkpoint that holds several state dicts; nil for the usual one.
  public var wrapper: String?
  /// What said all this.
  public var origin = Origin()

  /// What a JSON of ours, or of open_clip, says.
  static func described(
    byJSON jsonPath: String, folder: String, path: String
  ) throws -> CLIPBundle {
    let description = try decoding(jsonPath) {
      let bytes = try DurableFile.read(jsonPath)
      return try JSONDecoder().decode(CLIPBundleDescription.self, from: Data(bytes))
    }
    let tokenizer = description.tokenizer ?? "clip"
    let name = jsonPath.split(separator: "/").last.map(String.init) ?? jsonPath
    return CLIPBundle(
      folder: folder, weightsPath: path,
      // Also a bare configuration without `model_cfg`.
      configuration: try description.model_cfg ?? CLIPConfiguration.read(jsonPath),
      preprocessing: try description.preprocessing(file: jsonPath),
      tokenizerSource: tokenizer == "clip" ? .clip : .merges(tokenizer),
      domain: description.domain,
      origin: Origin(
        configuration: name, activation: "\(name) (quick_gelu)",
        preprocessing: description.preprocess_cfg == nil ? "OpenAI's constants" : name,
        tokenizer: description.tokenizer == nil ? "CLIP's" : name))
  }

  /// The model with its weights.
  public func model() throws -> CLIP {
    let weights = try CLIPWeights(weightsPath, wrapper: wrapper)
    return try CLIP(configuration, weights: weights.file(for: configuration))
  }

  /// The tokenizer, cut at the model's context length; its ids must be those of the model.
  public func tokenizer() throws -> BytePairTokenizer {
    let length = configuration.text.contextLength
    let tokenizer: BytePairTokenizer
    var file = weightsPath
    switch tokenizerSource {
    case .clip: tokenizer = try .clip(contextLength: length)
    case .merges(let name):
      file = name.hasPrefix("/") ? name : folder + "/" + name
      tokenizer = try BytePairTokenizer(
        mergesText: String(decoding: DurableFile.read(file), as: UTF8.self), contextLength: length)
    }
    guard tokenizer.vocabularySize == configuration.text.vocabularySize else {
      throw CLIPError(
        .vocabulary(
          tokenizer: tokenizer.vocabularySize, model: configuration.text.vocabularySize), file: file
      )
    }
    return tokenizer
  }

  /// Publishes a model as a bundle: merges first, weights, and the JSON that names them last.
  ///
  /// - Parameters:
  ///   - model: Its weights and sizes.
  ///   - preprocessing: What its images went through.
  ///   - tokenizer: Its merges are written as `tokenizer.merges`; `nil` for CLIP's own.
  ///   - domain: What the model is good for, if not for any picture.
  ///   - metadata: Strings for the weight file.
  ///   - precision: What the weights are rounded to.
  ///   - folder: Made if it is not there.
  /// - Returns: What ``read(_:configuration:activation:wrapper:)`` would give.
  /// - Throws: `FileError` when the disk refuses, `WeightFileError` where a weight is too large.
  @discardableResult
  public static func write(
    _ model: CLIP, preprocessing: Preprocessing = .init(), tokenizer: BytePairTokenizer? = nil,
    domain: String? = nil, metadata: [String: String] = [:],
    precision: WeightPrecision = .float32, to folder: String
  ) throws -> CLIPBundle {
    try DurableFile.makeFolder(folder)
    if let tokenizer {
      try DurableFile.write(tokenizer.mergesText, to: folder + "/tokenizer.merges")
    }
    let bundle = CLIPBundle(
      folder: folder, weightsPath: folder + "/model.safetensors",
      configuration: model.configuration, preprocessing: preprocessing,
      tokenizerSource: tokenizer == nil ? .clip : .merges("tokenizer.merges"), domain: domain,
      origin: Origin(
        configuration: "model.json", activation: "model.json (quick_gelu)",
        preprocessing: "model.json", tokenizer: "model.json"))
    if precision == .float32 {
      try SafeTensors.write(model.state, metadata: metadata, to: bundle.weightsPath)
    } else {
      try SafeTensors.write(
        model.state, as: precision, metadata: metadata, to: bundle.weightsPath)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let json = try encoder.encode(CLIPBundleDescription(bundle))
    try DurableFile.write(Array(json) + [UInt8(ascii: "\n")], to: folder + "/model.json")
    return bundle
  }
}

/// The JSON of a bundle, a superset of `open_clip_config.json`.
private struct CLIPBundleDescription: Codable {
  var model_cfg: CLIPConfiguration?
  var preprocess_cfg: CLIPBundle.Preprocessing.Description?
  var tokenizer: String?
  var domain: String?

  init(_ bundle: CLIPBundle) {
    model_cfg = bundle.configuration
    preprocess_cfg = .init(bundle.preprocessing)
    tokenizer =
      switch bundle.tokenizerSource {
      case .clip: "clip"
      case .merges(let name): name
      }
    domain = bundle.domain
  }

  func preprocessing(file: String) throws(CLIPError) -> CLIPBundle.Preprocessing {
    try preprocess_cfg?.preprocessing(file: file) ?? .init()
  }
}
