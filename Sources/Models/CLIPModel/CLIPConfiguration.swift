import DurableFiles
import FoundationEssentials

/// The sizes of a CLIP, in the JSON of open_clip's `model_configs`.
///
/// Keys of open_clip that ask for something else than a plain ViT or OpenAI's ResNet with CLIP's causal
/// text tower are refused by name; its defaults for them are accepted.
public struct CLIPConfiguration: Codable, Sendable, Equatable {
  /// The image tower: a vision transformer, or OpenAI's ResNet where it has stages.
  public struct Vision: Codable, Sendable, Equatable {
    public var imageSize: Int
    public var layers: Int
    public var width: Int
    public var patchSize: Int
    /// The width of one attention head.
    public var headWidth: Int
    public var mlpRatio: Double
    /// What each branch of a block is multiplied by at first, per channel; nil without such factors.
    public var layerScale: Double?
    /// The blocks of a ResNet's four stages; empty for a transformer.
    ///
    /// A ResNet has no layers, patches and MLPs; its width is that of the stem.
    public var stages: [Int]

    public init(
      imageSize: Int = 224, layers: Int = 12, width: Int = 768, patchSize: Int = 16,
      headWidth: Int = 64, mlpRatio: Double = 4, layerScale: Double? = nil, stages: [Int] = []
    ) {
      self.imageSize = imageSize
      self.layers = layers
      self.width = width
      self.patchSize = patchSize
      self.headWidth = headWidth
      self.mlpRatio = mlpRatio
      self.layerScale = layerScale
      self.stages = stages
    }

    public var isResNet: Bool { !stages.isEmpty }
    /// The width where attention works: of a ResNet, that of its last pool.
    public var attentionWidth: Int { isResNet ? width * 32 : width }
    public var heads: Int { attentionWidth / headWidth }
    /// Patches (of a ResNet, places at its end) along one side; an image makes their square, and one
    /// token that pools.
    public var gridSize: Int { imageSize / (isResNet ? 32 : patchSize) }
    public var hidden: Int { Int(Double(width) * mlpRatio) }
  }

  /// The text tower: a causal transformer.
  public struct Text: Codable, Sendable, Equatable {
    public var contextLength: Int
    public var vocabularySize: Int
    public var width: Int
    public var heads: Int
    public var layers: Int
    public var mlpRatio: Double
    /// What each branch of a block is multiplied by at first, per channel; nil without such factors.
    public var layerScale: Double?

    public init(
      contextLength: Int = 77, vocabularySize: Int = 49_408, width: Int = 512, heads: Int = 8,
      layers: Int = 12, mlpRatio: Double = 4, layerScale: Double? = nil
    ) {
      self.contextLength = contextLength
      self.vocabularySize = vocabularySize
      self.width = width
      self.heads = heads
      self.layers = layers
      self.mlpRatio = mlpRatio
      self.layerScale = layerScale
    }

    public var hidden: Int { Int(Double(width) * mlpRatio) }
  }

  /// The width of the space that both towers project to.
  public var embedDim: Int
  public var vision: Vision
  public var text: Text
  /// Whether the MLPs use x·σ(1.702x), as OpenAI's weights want, for the exact GELU.
  public var quickGELU: Bool
  /// The logarithm of the factor on the cosines at first; nil is CLIP's ln(1/0.07).
  public var initialLogitScale: Double?
  /// What is added to the scaled cosines at first, as SigLIP's loss wants it; nil for a model without.
  public var initialLogitBias: Double?

  public init(
    embedDim: Int, vision: Vision, text: Text, quickGELU: Bool = false,
    initialLogitScale: Double? = nil, initialLogitBias: Double? = nil
  ) {
    self.embedDim = embedDim
    self.vision = vision
    self.text = text
    self.quickGELU = quickGELU
    self.initialLogitScale = initialLogitScale
    self.initialLogitBias = initialLogitBias
  }

  /// Reads a JSON file: a configuration of open_clip, or one that holds it as `model_cfg`.
  public static func read(_ path: String) throws -> CLIPConfiguration {
    let bytes = try DurableFile.read(path)
    struct Wrapped: Decodable { var model_cfg: CLIPConfiguration }
    struct Probe: Decodable {
      var model_cfg: Presence?
      struct Presence: Decodable { init(from decoder: any Decoder) {} }
    }
    return try decoding(path) {
      let isWrapped = try JSONDecoder().decode(Probe.self, from: Data(bytes)).model_cfg != nil
      return isWrapped
        ? try JSONDecoder().decode(Wrapped.self, from: Data(bytes)).model_cfg
        : try JSONDecoder().decode(CLIPConfiguration.self, from: Data(bytes))
    }
  }

  /// Why no model can be made of these sizes; `nil` if one can.
  public var problem: String? {
    let sizes = [
      ("embed_dim", embedDim), ("vision_cfg.image_size", vision.imageSize),
      ("vision_cfg.layers", vision.layers), ("vision_cfg.width", vision.width),
      ("vision_cfg.patch_size", vision.patchSize), ("vision_cfg.head_width", vision.headWidth),
      ("text_cfg.context_length", text.contextLength), ("text_cfg.vocab_size", text.vocabularySize),
      ("text_cfg.width", text.width), ("text_cfg.heads", text.heads),
      ("text_cfg.layers", text.layers),
    ]
    if let (name, size) = sizes.first(where: { !(1...1_000_000).contains($0.1) }) {
      return "\(name) is \(size); 1 to 1,000,000 is allowed"
    }
    for (name, ratio) in [("vision_cfg", vision.mlpRatio), ("text_cfg", text.mlpRatio)]
    where !(0.01...1000).contains(ratio) {
      return "\(name).mlp_ratio is \(ratio); 0.01 to 1,000 is allowed"
    }
    for (name, scale) in [("vision_cfg", vision.layerScale), ("text_cfg", text.layerScale)] {
      if let scale, !scale.isFinite { return "\(name).ls_init_value is \(scale)" }
    }
    for (name, value) in [
      ("init_logit_scale", initialLogitScale), ("init_logit_bias", initialLogitBias),
    ] {
      if let value, !value.isFinite { return "\(name) is \(value)" }
    }
    if vision.attentionWidth % vision.headWidth != 0 {
      let factor = vision.isResNet ? "32 times " : ""
      return "\(factor)vision_cfg.width \(vision.width) is no multiple of head_width "
        + "\(vision.headWidth)"
    }
    if text.width % text.heads != 0 {
      return "text_cfg.width \(text.width) is no multiple of its \(text.heads) heads"
    }
    if vision.isResNet { return resNetProblem ?? textProblem }
    if vision.imageSize < vision.patchSize {
      return "vision_cfg.image_size \(vision.imageSize) holds no patch of \(vision.patchSize)"
    }
    return textProblem
  }

  private var textProblem: String? {
    text.contextLength < 2 ? "text_cfg.context_length has no room for start and end" : nil
  }

  private var resNetProblem: String? {
    if vision.stages.count != 4 || !vision.stages.allSatisfy({ (1...1000).contains($0) }) {
      return "vision_cfg.layers is \(vision.stages); four numbers of 1 to 1,000 are wanted"
    }
    if vision.width % 2 != 0 { return "vision_cfg.width \(vision.width) is odd" }
    // The pool's places are the picture's side over 32; another side would not come out so.
    if vision.imageSize % 32 != 0 {
      return "vision_cfg.image_size \(vision.imageSize) is no multiple of 32"
    }
    return nil
  }
}

/// Runs `body`; what JSON decoding throws becomes a ``CLIPError`` that names the file and the key.
func decoding<T>(_ file: String, _ body: () throws -> T) throws -> T {
  do {
    return try body()
  } catch let error as DecodingError {
    let detail: String
    switch error {
    case .dataCorrupted(let context), .typeMismatch(_, let context),
      .valueNotFound(_, let context):
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      detail = (place.isEmpty ? "" : "\(place): ") + context.debugDescription
    case .keyNotFound(let key, let context):
      detail =
        (context.codingPath + [key]).map(\.stringValue).joined(separator: ".") + " is missing"
    @unknown default: detail = "\(error)"
    }
    throw CLIPError(.configuration(detail), file: file)
  }
}
