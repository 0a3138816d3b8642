import DurableFiles
import FoundationEssentials

/// The `config.json` of transformers' `CLIPModel`: sizes and activation.
///
/// A key that is missing has the library's own default, which is ViT-B-32 with quick_gelu.
struct HuggingFaceConfig: Codable {
  struct Tower: Codable {
    var hidden_size: Int?
    var intermediate_size: Int?
    var num_hidden_layers: Int?
    var num_attention_heads: Int?
    var hidden_act: String?
    var layer_norm_eps: Double?
    var image_size: Int?
    var patch_size: Int?
    var num_channels: Int?
    var max_position_embeddings: Int?
    var vocab_size: Int?
    var bos_token_id: Int?
    var eos_token_id: Int?
    var projection_dim: Int?
    var model_type: String?
  }

  var model_type: String?
  var architectures: [String]?
  var projection_dim: Int?
  var logit_scale_init_value: Double?
  var text_config: Tower?
  var vision_config: Tower?
  // Older files say the same twice, and these win.
  var text_config_dict: Tower?
  var vision_config_dict: Tower?

  /// Reads the sizes; what our towers do not do is refused by its key.
  static func configuration(_ path: String) throws -> CLIPConfiguration {
    try configuration(json: try DurableFile.read(path), file: path)
  }

  static func configuration(json bytes: [UInt8], file: String) throws -> CLIPConfiguration {
    let config = try decoding(file) {
      try JSONDecoder().decode(HuggingFaceConfig.self, from: Data(bytes))
    }
    return try config.configuration(file: file)
  }

  /// What a size may be; the sum and product of two is a number yet.
  private static let sizes = 1...1_000_000_000

  private func configuration(file: String) throws(CLIPError) -> CLIPConfiguration {
    func refuse(_ problem: String) -> CLIPError { CLIPError(.configuration(problem), file: file) }
    if let model_type, model_type != "clip" {
      throw CLIPError(.unsupported("\(model_type), says model_type"), file: file)
    }
    let texts = [text_config_dict, text_config]
    let visions = [vision_config_dict, vision_config]
    func value<T>(_ towers: [Tower?], _ standard: T, _ key: (Tower) -> T?) -> T {
      towers.lazy.compactMap { $0 }.compactMap(key).first ?? standard
    }
    func size(
      _ towers: [Tower?], _ standard: Int, _ name: String, _ key: (Tower) -> Int?
    ) throws(CLIPError) -> Int {
      let size = value(towers, standard, key)
      guard Self.sizes.contains(size) else {
        throw refuse(
          "\(name) is \(size); \(Self.sizes.lowerBound) to \(Self.sizes.upperBound) is allowed")
      }
      return size
    }
    let width = try size(visions, 768, "hidden_size") { $0.hidden_size }
    let textWidth = try size(texts, 512, "hidden_size") { $0.hidden_size }
    let hidden = try size(visions, 3072, "intermediate_size") { $0.intermediate_size }
    let textHidden = try size(texts, 2048, "intermediate_size") { $0.intermediate_size }
    let heads = try size(visions, 12, "num_attention_heads") { $0.num_attention_heads }
    let vocabulary = try size(texts, 49_408, "vocab_size") { $0.vocab_size }
    guard width % heads == 0 else {
      throw refuse("a width of \(width) with \(heads) heads, text \(textWidth)")
    }
    let activations = [visions, texts].map { value($0, "quick_gelu") { $0.hidden_act } }
    guard activations[0] == activations[1], ["quick_gelu", "gelu"].contains(activations[0]) else {
      throw refuse(
        "hidden_act is \(activations[0]) and \(activations[1]); quick_gelu or gelu is wanted in both"
      )
    }
    for towers in [visions, texts] {
      let epsilon = value(towers, 1e-5) { $0.layer_norm_eps }
      guard epsilon == 1e-5 else { throw refuse("layer_norm_eps is \(epsilon), not 1e-05") }
    }
    let channels = value(visions, 3) { $0.num_channels }
    guard channels == 3 else { throw refuse("num_channels is \(channels), not 3") }
    // The highest id ends a caption; 2 is the library's old way to say so.
    let end = value(texts, 49_407) { $0.eos_token_id }
    guard end == 2 || end == vocabulary - 1 else {
      throw refuse("eos_token_id is \(end), which is not the last of \(vocabulary) ids")
    }
    let configuration = CLIPConfiguration(
      embedDim: projection_dim ?? 512,
      vision: .init(
        imageSize: value(visions, 224) { $0.image_size },
        layers: value(visions, 12) { $0.num_hidden_layers }, width: width,
        patchSize: value(visions, 32) { $0.patch_size }, headWidth: width / heads,
        mlpRatio: Self.ratio(hidden, width)),
      text: .init(
        contextLength: value(texts, 77) { $0.max_position_embeddings },
        vocabularySize: vocabulary, width: textWidth,
        heads: value(texts, 8) { $0.num_attention_heads },
        layers: value(texts, 12) { $0.num_hidden_layers },
        mlpRatio: Self.ratio(textHidden, textWidth)),
      quickGELU: activations[0] == "quick_gelu")
    if let problem = configuration.problem { throw refuse(problem) }
    return configuration
  }

  /// The ratio whose product with the width, cut to a whole number, is `hidden`.
  private static func ratio(_ hidden: Int, _ width: Int) -> Double {
    let ratio = Double(hidden) / Double(width)
    return Int(Double(width) * ratio) == hidden ? ratio : ratio.nextUp
  }

  init(_ configuration: CLIPConfiguration) {
    let activation = configuration.quickGELU ? "quick_gelu" : "gelu"
    let (vision, text) = (configuration.vision, configuration.text)
    model_type = "clip"
    architectures = ["CLIPModel"]
    projection_dim = configuration.embedDim
    logit_scale_init_value = 2.6592
    text_config = Tower(
      hidden_size: text.width, intermediate_size: text.hidden, num_hidden_layers: text.layers,
      num_attention_heads: text.heads, hidden_act: activation, layer_norm_eps: 1e-5,
      max_position_embeddings: text.contextLength, vocab_size: text.vocabularySize,
      bos_token_id: text.vocabularySize - 2, eos_token_id: text.vocabularySize - 1,
      projection_dim: configuration.embedDim, model_type: "clip_text_model")
    vision_config = Tower(
      hidden_size: vision.width, intermediate_size: vision.hidden,
      num_hidden_layers: vision.layers, num_attention_heads: vision.heads, hidden_act: activation,
      layer_norm_eps: 1e-5, image_size: vision.imageSize, patch_size: vision.patchSize,
      num_channels: 3, projection_dim: configuration.embedDim, model_type: "clip_vision_model")
  }
}

extension CLIPConfiguration {
  /// The sizes that a `config.json` of transformers' `CLIPModel` says; `file` stands in messages.
  package static func huggingFace(json: [UInt8], file: String) throws -> CLIPConfiguration {
    try HuggingFaceConfig.configuration(json: json, file: file)
  }
}
