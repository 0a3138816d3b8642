/// A key as it stands in the JSON.
private struct Key: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<Key> {
  fileprivate func value<T: Decodable>(_ name: String, or standard: T) throws -> T {
    try decodeIfPresent(T.self, forKey: Key(name)) ?? standard
  }

  /// Refuses keys that are not in `known`, unless they hold null, false or open_clip's default.
  fileprivate func refuseOthers(
    known: Set<String>, ignored: Set<String> = [], defaults: [String: String] = [:]
  ) throws {
    for key in allKeys.sorted(by: { $0.stringValue < $1.stringValue }) {
      let name = key.stringValue
      if known.contains(name) || ignored.contains(name) { continue }
      if try decodeNil(forKey: key) { continue }
      // Another type than the one asked for is no error here, it is another value.
      if (try? decode(Bool.self, forKey: key)) == false { continue }
      if (try? decode(Double.self, forKey: key)) == 0 { continue }
      if let standard = defaults[name], (try? decode(String.self, forKey: key)) == standard {
        continue
      }
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self, debugDescription: "this model has no such option")
    }
  }
}

extension CLIPConfiguration {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    embedDim = try container.decode(Int.self, forKey: Key("embed_dim"))
    vision = try container.decode(Vision.self, forKey: Key("vision_cfg"))
    text = try container.decode(Text.self, forKey: Key("text_cfg"))
    quickGELU = try container.value("quick_gelu", or: false)
    initialLogitScale = try container.decodeIfPresent(
      Double.self, forKey: Key("init_logit_scale"))
    initialLogitBias = try container.decodeIfPresent(Double.self, forKey: Key("init_logit_bias"))
    try container.refuseOthers(
      known: [
        "embed_dim", "vision_cfg", "text_cfg", "quick_gelu", "init_logit_scale", "init_logit_bias",
      ])
    if let problem {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: problem))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(embedDim, forKey: Key("embed_dim"))
    try container.encode(vision, forKey: Key("vision_cfg"))
    try container.encode(text, forKey: Key("text_cfg"))
    try container.encode(quickGELU, forKey: Key("quick_gelu"))
    try container.encodeIfPresent(initialLogitScale, forKey: Key("init_logit_scale"))
    try container.encodeIfPresent(initialLogitBias, forKey: Key("init_logit_bias"))
  }
}

extension CLIPConfiguration.Vision {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    self.init()
    imageSize = try container.value("image_size", or: imageSize)
    // A list of numbers is open_clip's sign for a ResNet.
    if let stages = try? container.decode([Int].self, forKey: Key("layers")) {
      self.stages = stages
    } else {
      layers = try container.value("layers", or: layers)
    }
    width = try container.value("width", or: width)
    patchSize = try container.value("patch_size", or: patchSize)
    headWidth = try container.value("head_width", or: headWidth)
    mlpRatio = try container.value("mlp_ratio", or: mlpRatio)
    layerScale = try container.decodeIfPresent(Double.self, forKey: Key("ls_init_value"))
    // What a ResNet does not look at must not tell two of them apart.
    if isResNet { (patchSize, mlpRatio, layerScale) = (Self().patchSize, Self().mlpRatio, nil) }
    try container.refuseOthers(
      known: [
        "image_size", "layers", "width", "patch_size", "head_width", "mlp_ratio", "ls_init_value",
      ],
      ignored: [
        // They only matter beside a switch that is refused.
        "attn_pooler_queries", "attn_pooler_heads", "timm_pool", "timm_proj",
      ], defaults: ["pool_type": "tok", "pos_embed_type": "learnable", "block_type": "default"])
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(imageSize, forKey: Key("image_size"))
    try container.encode(width, forKey: Key("width"))
    try container.encode(headWidth, forKey: Key("head_width"))
    if isResNet {
      try container.encode(stages, forKey: Key("layers"))
      try container.encodeNil(forKey: Key("patch_size"))
      return
    }
    try container.encode(layers, forKey: Key("layers"))
    try container.encode(patchSize, forKey: Key("patch_size"))
    try container.encode(mlpRatio, forKey: Key("mlp_ratio"))
    try container.encodeIfPresent(layerScale, forKey: Key("ls_init_value"))
  }
}

extension CLIPConfiguration.Text {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    self.init()
    contextLength = try container.value("context_length", or: contextLength)
    vocabularySize = try container.value("vocab_size", or: vocabularySize)
    width = try container.value("width", or: width)
    heads = try container.value("heads", or: heads)
    layers = try container.value("layers", or: layers)
    mlpRatio = try container.value("mlp_ratio", or: mlpRatio)
    layerScale = try container.decodeIfPresent(Double.self, forKey: Key("ls_init_value"))
    try container.refuseOthers(
      known: [
        "context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", "ls_init_value",
      ],
      ignored: ["pad_id", "eos_id", "hf_proj_type", "hf_pooler_type", "hf_model_pretrained"],
      defaults: ["pool_type": "argmax", "proj_type": "linear", "block_type": "default"])
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(contextLength, forKey: Key("context_length"))
    try container.encode(vocabularySize, forKey: Key("vocab_size"))
    try container.encode(width, forKey: Key("width"))
    try container.encode(heads, forKey: Key("heads"))
    try container.encode(layers, forKey: Key("layers"))
    try container.encode(mlpRatio, forKey: Key("mlp_ratio"))
    try container.encodeIfPresent(layerScale, forKey: Key("ls_init_value"))
  }
}
