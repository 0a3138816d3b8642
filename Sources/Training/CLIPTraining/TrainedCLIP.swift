import Autograd
public import BatchLoading
public import CLIPModel
public import ImageCodec
public import TensorEngine
public import Tokenizers

/// A CLIP with the tokenizer and the preprocessing that it was trained with.
public final class TrainedCLIP {
  public let model: CLIP
  public let tokenizer: BytePairTokenizer
  public let preprocessing: ImagePreprocessing
  /// What the model is good for, if not for any picture, such as `scenes`.
  public let domain: String?

  public init(
    model: CLIP, tokenizer: BytePairTokenizer, preprocessing: ImagePreprocessing,
    domain: String? = nil
  ) {
    self.model = model
    self.tokenizer = tokenizer
    self.preprocessing = preprocessing
    self.domain = domain
  }

  /// Opens a model: an output folder of training, or weights of another library.
  ///
  /// - Parameters:
  ///   - path: As `CLIPBundle.read` takes it: a folder or a file, in the layout of any library.
  ///   - configuration: Of weights without a description: an open_clip name or a JSON file.
  ///   - activation: Where nothing else says it.
  /// - Returns: The model, ready to encode.
  /// - Throws: What the folder or the weights lack.
  public static func load(
    _ path: String, configuration: String? = nil, activation: Activation? = nil
  ) throws -> TrainedCLIP {
    let bundle = try CLIPBundle.read(path, configuration: configuration, activation: activation)
    return TrainedCLIP(
      model: try bundle.model(), tokenizer: try bundle.tokenizer(),
      preprocessing: ImagePreprocessing(
        size: bundle.configuration.vision.imageSize, mean: bundle.preprocessing.mean,
        std: bundle.preprocessing.std,
        filter: bundle.preprocessing.interpolation == .bilinear ? .bilinear : .bicubic,
        resizeMode: .init(rawValue: bundle.preprocessing.resizeMode.rawValue) ?? .shortest,
        fillColor: bundle.preprocessing.fillColor),
      domain: bundle.domain)
  }

  /// Writes the folder from which ``load(_:configuration:activation:)`` makes the same model.
  ///
  /// - Parameters:
  ///   - folder: Made when it is not there.
  ///   - metadata: Provenance, kept in the weights file.
  /// - Throws: What the file system refuses.
  public func save(to folder: String, metadata: [String: String] = [:]) throws {
    try CLIPBundle.write(
      model,
      preprocessing: .init(
        mean: preprocessing.mean, std: preprocessing.std,
        interpolation: preprocessing.filter == .bilinear ? .bilinear : .bicubic,
        resizeMode: .init(rawValue: preprocessing.resizeMode.rawValue) ?? .shortest,
        fillColor: preprocessing.fillColor),
      tokenizer: tokenizer, domain: domain, metadata: metadata, to: folder)
  }
}

extension TrainedCLIP {
  /// Features of pictures, each brought to length one.
  ///
  /// - Returns: `[B, D]`.
  public func imageFeatures(_ images: [RGBImage]) -> Tensor {
    let pixels = preprocessing.tensor(of: images.map(preprocessing.square))
    return withoutGradient { model.imageFeatures(pixels).l2Normalized().value }
  }

  /// Features of texts, each brought to length one.
  ///
  /// - Returns: `[B, D]`.
  public func textFeatures(_ texts: [String]) -> Tensor {
    let tokens = texts.map { tokenizer.encode($0) }
    return withoutGradient { model.textFeatures(tokens).l2Normalized().value }
  }
}
