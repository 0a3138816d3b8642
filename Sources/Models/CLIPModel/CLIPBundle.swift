import DurableFiles
import FoundationEssentials
public import Tokenizers
import WeightFiles

/// A CLIP on disk: weights, sizes, preprocessing and tokenizer.
///
/// The folder that `pairloom train` writes: `model.safetensors`, `model.json`, `tokenizer.merges`. Also
/// read: a folder with open_clip's `open_clip_model.safetensors` and `open_clip_config.json`, and a
/// `.safetensors` file with either JSON beside it, or with none when a configuration is given.
public struct CLIPBundle: Sendable, Equatable {
  /// How pixels become the tower's input: (value/255 − mean)/std for each of red, green and blue.
  public struct Preprocessing: Sendable, Equatable {
    public var mean: [Float]
    public var std: [Float]

    /// OpenAI's constants unless others are given.
    public init(
      mean: [Float] = [0.48145466, 0.4578275, 0.40821073],
      std: [Float] = [0.26862954, 0.26130258, 0.27577711]
    ) {
      self.mean = mean
      self.std = std
    }
  }

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

  /// Reads the JSON of a bundle; the weights wait for ``model()``.
  ///
  /// - Parameters:
  ///   - path: A folder or a `.safetensors` file.
  ///   - configuration: Used in place of the JSON's: a name of open_clip, or the path of a JSON file.
  /// - Returns: What the JSON says, and where the weights are.
  /// - Throws: ``CLIPError``, or a `FileError`.
  public static func read(_ path: String, configuration: String? = nil) throws -> CLIPBundle {
    let isFile = path.hasSuffix(".safetensors")
    let folder =
      isFile
      ? path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
      : path
    func existing(_ names: [String]) throws -> String {
      guard let name = names.first(where: { DurableFile.exists(folder + "/" + $0) }) else {
        throw CLIPError(.noFile(names), file: folder)
      }
      return folder + "/" + name
    }
    let weights =
      isFile ? path : try existing(["model.safetensors", "open_clip_model.safetensors"])

    if let given = configuration, let named = CLIPConfiguration.named(given) {
      return CLIPBundle(
        folder: folder, weightsPath: weights, configuration: named, preprocessing: .init(),
        tokenizerSource: .clip)
    }
    let jsonPath = try configuration ?? existing(["model.json", "open_clip_config.json"])
    let description = try decoding(jsonPath) {
      let bytes = try DurableFile.read(jsonPath)
      return try JSONDecoder().decode(CLIPBundleDescription.self, from: Data(bytes))
    }
    let tokenizer = description.tokenizer ?? "clip"
    return CLIPBundle(
      folder: folder, weightsPath: weights,
      // Also a bare configuration without `model_cfg`.
      configuration: try description.model_cfg ?? CLIPConfiguration.read(jsonPath),
      preprocessing: try description.preprocessing(file: jsonPath),
      tokenizerSource: tokenizer == "clip" ? .clip : .merges(tokenizer),
      domain: description.domain)
  }

  /// The model with its weights.
  public func model() throws -> CLIP {
    try CLIP(configuration, weights: SafeTensors.read(weightsPath))
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
  ///   - folder: Made if it is not there.
  /// - Returns: What ``read(_:configuration:)`` would give.
  /// - Throws: `FileError` when the disk refuses.
  @discardableResult
  public static func write(
    _ model: CLIP, preprocessing: Preprocessing = .init(), tokenizer: BytePairTokenizer? = nil,
    domain: String? = nil, metadata: [String: String] = [:], to folder: String
  ) throws -> CLIPBundle {
    try DurableFile.makeFolder(folder)
    if let tokenizer {
      try DurableFile.write(tokenizer.mergesText, to: folder + "/tokenizer.merges")
    }
    let bundle = CLIPBundle(
      folder: folder, weightsPath: folder + "/model.safetensors",
      configuration: model.configuration, preprocessing: preprocessing,
      tokenizerSource: tokenizer == nil ? .clip : .merges("tokenizer.merges"), domain: domain)
    try SafeTensors.write(model.state, metadata: metadata, to: bundle.weightsPath)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let json = try encoder.encode(CLIPBundleDescription(bundle))
    try DurableFile.write(Array(json) + [UInt8(ascii: "\n")], to: folder + "/model.json")
    return bundle
  }
}

/// The JSON of a bundle, a superset of `open_clip_config.json`.
private struct CLIPBundleDescription: Codable {
  struct PreprocessConfiguration: Codable {
    var mean: [Float]?
    var std: [Float]?
    var interpolation: String?
    var resize_mode: String?
  }

  var model_cfg: CLIPConfiguration?
  var preprocess_cfg: PreprocessConfiguration?
  var tokenizer: String?
  var domain: String?

  init(_ bundle: CLIPBundle) {
    model_cfg = bundle.configuration
    preprocess_cfg = PreprocessConfiguration(
      mean: bundle.preprocessing.mean, std: bundle.preprocessing.std, interpolation: "bicubic",
      resize_mode: "shortest")
    tokenizer =
      switch bundle.tokenizerSource {
      case .clip: "clip"
      case .merges(let name): name
      }
    domain = bundle.domain
  }

  func preprocessing(file: String) throws(CLIPError) -> CLIPBundle.Preprocessing {
    func refuse(_ problem: String) -> CLIPError {
      CLIPError(.configuration("preprocess_cfg.\(problem)"), file: file)
    }
    let standard = CLIPBundle.Preprocessing()
    let result = CLIPBundle.Preprocessing(
      mean: preprocess_cfg?.mean ?? standard.mean, std: preprocess_cfg?.std ?? standard.std)
    guard result.mean.count == 3 else { throw refuse("mean: three numbers are wanted") }
    guard result.std.count == 3, result.std.allSatisfy({ $0 > 0 }) else {
      throw refuse("std: three numbers above 0 are wanted")
    }
    if let other = preprocess_cfg?.interpolation, other != "bicubic" {
      throw refuse("interpolation: \(other) is not there, only bicubic")
    }
    if let other = preprocess_cfg?.resize_mode, other != "shortest" {
      throw refuse("resize_mode: \(other) is not there, only shortest")
    }
    return result
  }
}
