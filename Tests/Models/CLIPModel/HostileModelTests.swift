import CLIPModel
import DurableFiles
import Foundation
import Testing
import WeightFiles

/// Sizes that no model has, in weights and in what stands beside them: refused, and never computed with.
@Suite("Hostile sizes")
struct HostileModelTests {
  /// A safetensors file; a tensor has the bytes that its shape wants, of I8.
  private static func write(_ shapes: [String: [Int]], to path: String) throws {
    var (fields, offset): ([String], Int) = ([], 0)
    for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      let count = shape.contains(0) ? 0 : shape.reduce(1, *)
      fields.append(
        "\"\(name)\":{\"dtype\":\"I8\",\"shape\":\(shape),\"data_offsets\":[\(offset),\(offset + count)]}"
      )
      offset += count
    }
    let json = Array("{\(fields.joined(separator: ","))}".utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) }
    try DurableFile.write(length + json + [UInt8](repeating: 0, count: offset), to: path)
  }

  private static let openCLIP: [String: [Int]] = [
    "visual.conv1.weight": [4, 3, 2, 2], "token_embedding.weight": [8, 4],
    "text_projection": [4, 4], "visual.positional_embedding": [5, 4],
    "visual.transformer.resblocks.0.mlp.c_fc.weight": [16, 4],
    "transformer.resblocks.0.mlp.c_fc.weight": [16, 4], "positional_embedding": [77, 4],
  ]
  private static let huggingFace: [String: [Int]] = [
    "vision_model.embeddings.patch_embedding.weight": [4, 3, 2, 2],
    "text_projection.weight": [2, 2],
  ]
  private static let most = 1 << 48

  @Test(
    "sides of any size in any weight are refused as they are read or as sizes of a model",
    arguments: openCLIP.keys.sorted(), [Int.max, 1 << 62, most + 1, most])
  func sides(_ name: String, _ side: Int) throws {
    try withModelFolder { folder in
      for place in [0, 1] {
        var shapes = Self.openCLIP
        shapes[name]?[place] = side
        shapes[name]?[1 - place] = 0
        try Self.write(shapes, to: folder + "/w.safetensors")
        #expect {
          try CLIPBundle.read(folder + "/w.safetensors", activation: .gelu).model()
        } throws: {
          let isImpossible = "\($0)".contains("is impossible")
          return side > Self.most ? isImpossible : isImpossible || $0 is CLIPError
        }
      }
    }
  }

  @Test(
    "queries, keys and values of any size are joined without overflow", arguments: [most, .max])
  func attention(rows: Int) throws {
    try withModelFolder { folder in
      var shapes = Self.huggingFace
      for part in ["q", "k", "v"] {
        shapes["text_model.encoder.layers.0.self_attn.\(part)_proj.weight"] = [rows, 0]
      }
      try Self.write(shapes, to: folder + "/model.safetensors")
      #expect {
        try CLIPBundle.read(folder, activation: .gelu).model()
      } throws: {
        rows > Self.most ? "\($0)".contains("is impossible") : $0 is CLIPError
      }
    }
  }

  @Test(
    "a size of a Hugging Face config that is none is refused by its key",
    arguments: [
      "vocab_size", "intermediate_size", "hidden_size", "num_attention_heads", "image_size",
      "patch_size", "num_hidden_layers", "max_position_embeddings", "eos_token_id",
    ], [Int.min, -1, 0, Int.max])
  func config(_ key: String, _ value: Int) throws {
    try withModelFolder { folder in
      try Self.write(Self.huggingFace, to: folder + "/model.safetensors")
      for tower in ["text_config", "vision_config"] {
        try DurableFile.write(
          "{\"model_type\":\"clip\",\"\(tower)\":{\"\(key)\":\(value)}}",
          to: folder + "/config.json")
        // The other tower may not have the key; its model is not the file's then.
        #expect { try CLIPBundle.read(folder).model() } throws: { $0 is CLIPError }
      }
    }
  }

  @Test(
    "a configuration that asks for more than any machine has is compared with the file first",
    .timeLimit(.minutes(1)),
    arguments: [
      #"{"width":1000000,"mlp_ratio":1000,"layers":1000000},"text_cfg":{"vocab_size":1000000,"#
        + #""width":1000000,"layers":1000000}"#,
      #"{"image_size":1000000,"patch_size":1},"text_cfg":{}"#,
      #"{"layers":[1,1,1,1],"width":1000000,"image_size":999936},"text_cfg":{}"#,
      #"{"layers":[1000,1000,1000,1000],"width":1000000},"text_cfg":{"layers":1000000}"#,
    ])
  func configuration(_ towers: String) throws {
    try withModelFolder { folder in
      try CLIPBundle.export(smallCLIP(quick: false), layout: .openCLIP, to: folder)
      try DurableFile.write(
        "{\"model_cfg\":{\"embed_dim\":48,\"vision_cfg\":\(towers)}}",
        to: folder + "/open_clip_config.json")
      let bundle = try CLIPBundle.read(folder)
      #expect { try bundle.model() } throws: { "\($0)".contains("the weights do not fit") }
      #expect {
        try CLIP(bundle.configuration, weights: CLIPWeights(bundle.weightsPath).file())
      } throws: {
        "\($0)".contains("the weights do not fit")
      }
    }
  }

  @Test("the shapes that are compared are those of the model, of every kind of tower")
  func shapes() throws {
    var configurations = [
      smallCLIP(quick: true).configuration,
      CLIPConfiguration(
        embedDim: 16,
        vision: .init(imageSize: 64, width: 8, headWidth: 64, stages: [2, 1, 1, 3]),
        text: .init(contextLength: 8, vocabularySize: 600, width: 16, heads: 2, layers: 1)),
    ]
    var scaled = configurations[0]
    scaled.vision.layerScale = 0.5
    scaled.text.layerScale = 0.5
    scaled.text.mlpRatio = 2.7
    configurations.append(scaled)
    for configuration in configurations {
      var shapes: [String: [Int]] = [:]
      configuration.visitShapes { name, shape in
        #expect(shapes.updateValue(shape, forKey: name) == nil, "\(name) comes twice")
        return true
      }
      let state = CLIP(configuration, seed: 1).state.map { ($0.name, $0.tensor.shape) }
      #expect(shapes == Dictionary(uniqueKeysWithValues: state))
    }
  }
}
