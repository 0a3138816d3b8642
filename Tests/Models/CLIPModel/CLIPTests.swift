import CLIPModel
import DurableFiles
import Foundation
import NeuralNetworks
import TensorEngine
import Testing
import Tokenizers
import WeightFiles

private func withFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.path + "/clip-\(UUID().uuidString)"
  try DurableFile.makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder) }  // Only tidying up.
  try body(folder)
}

private let small = CLIPConfiguration(
  embedDim: 64,
  vision: .init(imageSize: 32, layers: 2, width: 192, patchSize: 8, headWidth: 64),
  text: .init(contextLength: 16, vocabularySize: 600, width: 128, heads: 4, layers: 3))

@Suite("CLIPConfiguration")
struct CLIPConfigurationTests {
  // From `docs/model_profile.csv` of open_clip, in millions.
  @Test(
    "named configurations have the number of parameters that open_clip states",
    arguments: [("ViT-S-32-alt", 43.22), ("ViT-S-32", 63.09), ("ViT-M-32-alt", 80.07)])
  func counts(_ name: String, _ millions: Double) throws {
    let configuration = try #require(CLIPConfiguration.named(name))
    let model = CLIP(configuration, seed: 1)
    #expect(abs(Double(model.parameterCount) / 1e6 - millions) < 0.005)
  }

  @Test("a name with -quickgelu asks for the quick GELU; unknown names give nothing")
  func names() throws {
    let plain = try #require(CLIPConfiguration.named("ViT-B-32"))
    var quick = try #require(CLIPConfiguration.named("ViT-B-32-quickgelu"))
    #expect(quick.quickGELU)
    quick.quickGELU = false
    #expect(quick == plain)
    #expect(CLIPConfiguration.named("ViT-B-16-SigLIP") == nil)
    for name in CLIPConfiguration.names {
      #expect(CLIPConfiguration.named(name)?.problem == nil, "\(name)")
    }
  }

  @Test("JSON goes out and in, with open_clip's standards for what is left out")
  func coding() throws {
    let again = try JSONDecoder().decode(
      CLIPConfiguration.self, from: JSONEncoder().encode(small))
    #expect(again == small)
    let json = #"""
      {"embed_dim": 512, "vision_cfg": {"layers": 12, "patch_size": 32, "pool_type": "tok",
       "attentional_pool": false, "act_kwargs": null, "patch_dropout": 0.0},
       "text_cfg": {"pool_type": "argmax", "pad_id": 0}, "init_logit_bias": null}
      """#
    let read = try JSONDecoder().decode(CLIPConfiguration.self, from: Data(json.utf8))
    #expect(read == CLIPConfiguration.named("ViT-B-32"))
  }

  @Test(
    "what this model does not have is refused by name",
    arguments: [
      (#"{"vision_cfg": {}, "text_cfg": {}}"#, "embed_dim is missing"),
      (#"{"embed_dim": "x", "vision_cfg": {}, "text_cfg": {}}"#, "embed_dim"),
      (
        #"{"embed_dim": 8, "vision_cfg": {"no_ln_pre": true}, "text_cfg": {}}"#, "no_ln_pre"
      ),
      (
        #"{"embed_dim": 8, "vision_cfg": {"timm_model_name": "x"}, "text_cfg": {}}"#,
        "timm_model_name"
      ),
      (#"{"embed_dim": 8, "vision_cfg": {}, "text_cfg": {"pool_type": "last"}}"#, "pool_type"),
      (
        #"{"embed_dim": 8, "vision_cfg": {}, "text_cfg": {}, "init_logit_bias": "low"}"#,
        "init_logit_bias"
      ),
      (#"{"embed_dim": 8, "vision_cfg": {"width": 100}, "text_cfg": {}}"#, "head_width 64"),
      (#"{"embed_dim": 8, "vision_cfg": {"layers": 0}, "text_cfg": {}}"#, "layers is 0"),
      (
        #"{"embed_dim": 8, "vision_cfg": {"layers": 4000000000000}, "text_cfg": {}}"#, "layers is 4"
      ),
      (#"{"embed_dim": 8, "vision_cfg": {"image_size": 8}, "text_cfg": {}}"#, "no patch of 16"),
      (#"{"embed_dim": 8, "vision_cfg": {"layers": [3, 4]}, "text_cfg": {}}"#, "[3, 4]; four"),
      (
        #"{"embed_dim": 8, "vision_cfg": {"layers": [3, 4, 0, 1]}, "text_cfg": {}}"#, "four numbers"
      ),
      (
        #"{"embed_dim": 8, "vision_cfg": {"layers": [1, 1, 1, 1], "width": 7, "head_width": 32}, "text_cfg": {}}"#,
        "7 is odd"
      ),
      (
        #"{"embed_dim": 8, "vision_cfg": {"layers": [1, 1, 1, 1], "image_size": 40}, "text_cfg": {}}"#,
        "multiple of 32"
      ),
      (
        #"{"embed_dim": 8, "custom_text": true, "vision_cfg": {}, "text_cfg": {}}"#, "SigLIP"
      ),
      (#"{"embed_dim": 8"#, "configuration"),
    ])
  func refused(_ json: String, _ word: String) throws {
    try withFolder { folder in
      try DurableFile.write(json, to: folder + "/c.json")
      #expect {
        try CLIPConfiguration.read(folder + "/c.json")
      } throws: {
        "\($0)".hasPrefix(folder + "/c.json: ") && "\($0)".contains(word)
      }
    }
  }
}

@Suite("Initialisation")
struct InitialisationTests {
  private func moments(_ values: [Float]) -> (mean: Double, deviation: Double, largest: Double) {
    let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
    let variance = values.reduce(0.0) { $0 + pow(Double($1) - mean, 2) } / Double(values.count)
    return (mean, variance.squareRoot(), values.map { abs(Double($0)) }.max() ?? 0)
  }

  @Test("each weight has the spread that open_clip gives it")
  func spreads() throws {
    let parameters = Dictionary(
      uniqueKeysWithValues: CLIP(small, seed: 3).parameters.map { ($0.name, $0.variable.value) })
    let (v, t) = (192.0, 128.0)
    var normal: [String: Double] = [
      "visual.class_embedding": pow(v, -0.5), "visual.positional_embedding": pow(v, -0.5),
      "visual.proj": pow(v, -0.5), "token_embedding.weight": 0.02, "positional_embedding": 0.01,
      "text_projection": pow(t, -0.5),
    ]
    // ±bound, of variance bound²/3.
    var uniform: [String: Double] = ["visual.conv1.weight": pow(3 * 8 * 8, -0.5)]
    var constant: [String: Float] = [
      "logit_scale": Float(2.6592600369), "visual.ln_pre.weight": 1, "visual.ln_pre.bias": 0,
      "visual.ln_post.weight": 1, "visual.ln_post.bias": 0, "ln_final.weight": 1,
      "ln_final.bias": 0,
    ]
    for layer in 0..<3 {
      let block = "transformer.resblocks.\(layer)."
      normal[block + "attn.in_proj_weight"] = pow(t, -0.5)
      normal[block + "attn.out_proj.weight"] = pow(t, -0.5) * pow(6, -0.5)
      normal[block + "mlp.c_fc.weight"] = pow(2 * t, -0.5)
      normal[block + "mlp.c_proj.weight"] = pow(t, -0.5) * pow(6, -0.5)
      uniform[block + "mlp.c_fc.bias"] = pow(t, -0.5)
      uniform[block + "mlp.c_proj.bias"] = pow(4 * t, -0.5)
    }
    for layer in 0..<2 {
      let block = "visual.transformer.resblocks.\(layer)."
      uniform[block + "attn.in_proj_weight"] = (6 / (4 * v)).squareRoot()
      uniform[block + "attn.out_proj.weight"] = pow(v, -0.5)
      uniform[block + "mlp.c_fc.weight"] = pow(v, -0.5)
      uniform[block + "mlp.c_proj.weight"] = pow(4 * v, -0.5)
      uniform[block + "mlp.c_fc.bias"] = pow(v, -0.5)
      uniform[block + "mlp.c_proj.bias"] = pow(4 * v, -0.5)
    }
    for block in (0..<3).map({ "transformer.resblocks.\($0)." })
      + (0..<2).map({ "visual.transformer.resblocks.\($0)." })
    {
      constant[block + "attn.in_proj_bias"] = 0
      constant[block + "attn.out_proj.bias"] = 0
      for norm in ["ln_1", "ln_2"] {
        constant[block + norm + ".weight"] = 1
        constant[block + norm + ".bias"] = 0
      }
    }

    // Five standard errors of a mean and of a deviation over n draws.
    for (name, deviation) in normal {
      let values = try #require(parameters[name], "\(name)").values
      let (mean, found, largest) = moments(values)
      let n = Double(values.count)
      #expect(abs(mean) < 5 * deviation / n.squareRoot(), "\(name)")
      #expect(abs(found - deviation) < 5 * deviation / (2 * n).squareRoot(), "\(name)")
      #expect(largest > 2 * deviation, "\(name) has the tails of a normal distribution")
    }
    for (name, bound) in uniform {
      let values = try #require(parameters[name], "\(name)").values
      let (mean, found, largest) = moments(values)
      let n = Double(values.count)
      let deviation = bound / 3.0.squareRoot()
      #expect(abs(mean) < 5 * deviation / n.squareRoot(), "\(name)")
      #expect(abs(found - deviation) < 5 * deviation / (2 * n).squareRoot(), "\(name)")
      #expect(largest <= bound && largest > 0.9 * bound, "\(name) fills its range")
    }
    for (name, value) in constant {
      let values = try #require(parameters[name], "\(name)").values
      #expect(values.allSatisfy { abs($0 - value) < 1e-6 }, "\(name)")
    }
    #expect(normal.count + uniform.count + constant.count == parameters.count)
  }

  @Test("the same seed gives the same weights, another seed others")
  func seeds() {
    let (a, b, c) = (CLIP(small, seed: 7), CLIP(small, seed: 7), CLIP(small, seed: 8))
    for ((one, same), other) in zip(zip(a.state, b.state), c.state) {
      #expect(one.tensor.values == same.tensor.values)
      let isDrawn = one.name.hasSuffix("embedding") || one.name.hasSuffix("_fc.weight")
      if isDrawn { #expect(one.tensor.values != other.tensor.values, "\(one.name)") }
    }
  }
}

@Suite("Weights and bundles")
struct CLIPBundleTests {
  @Test("weights that do not fit are named, and none is taken over")
  func misfits() throws {
    let model = CLIP(small, seed: 1)
    var weights = WeightFile(tensors: [:], name: "w.safetensors")
    for (name, tensor) in CLIP(small, seed: 2).state { weights.tensors[name] = tensor }
    weights.tensors["attn_mask"] = Tensor(shape: [16, 16])
    weights.tensors["visual.proj"] = Tensor(shape: [64, 192])
    weights.tensors["logit_bias"] = Tensor(0)
    weights.tensors["ln_final.weight"] = nil
    let before = model.state.map(\.tensor.values)
    #expect {
      try model.load(weights)
    } throws: { error in
      guard let error = error as? CLIPError else { return false }
      return error.reason
        == .weights(
          missing: ["ln_final.weight"], unexpected: ["logit_bias"],
          mismatched: [.init(name: "visual.proj", expected: [192, 64], found: [64, 192])])
        && "\(error)".contains("w.safetensors: the weights do not fit the model: 1 missing: ln_f")
    }
    #expect(model.state.map(\.tensor.values) == before)
  }

  @Test("a bundle that was written reads back with the same weights, tokenizer and preprocessing")
  func roundTrip() throws {
    try withFolder { folder in
      let tokenizer = BytePairTokenizer.train(
        on: (0..<300).map { "a \($0 % 7) red circle left of a \($0 % 5) blue square" },
        vocabularySize: 540, contextLength: 16)
      var configuration = small
      configuration.text.vocabularySize = tokenizer.vocabularySize
      let model = CLIP(configuration, seed: 5)
      let written = try CLIPBundle.write(
        model, preprocessing: .init(mean: [0.5, 0.25, 0.75], std: [0.5, 0.5, 0.25]),
        tokenizer: tokenizer, domain: "scenes", to: folder + "/out")
      for path in [folder + "/out", folder + "/out/model.safetensors"] {
        let read = try CLIPBundle.read(path)
        #expect(read == written)
        #expect(read.domain == "scenes")
        let again = try read.model()
        for (one, other) in zip(model.state, again.state) {
          #expect(one.tensor.values == other.tensor.values, "\(one.name)")
        }
        #expect(try read.tokenizer().mergesText == tokenizer.mergesText)
        #expect(try read.tokenizer().contextLength == 16)
      }
    }
  }

  @Test("open_clip's folder is read, and a vocabulary that does not fit is refused")
  func openCLIP() throws {
    try withFolder { folder in
      try SafeTensors.write(
        CLIP(small, seed: 1).state, to: folder + "/open_clip_model.safetensors")
      let sizes = String(decoding: try JSONEncoder().encode(small), as: UTF8.self)
      try DurableFile.write(
        #"{"model_cfg": \#(sizes), "preprocess_cfg": {"mean": [0, 0, 0], "std": [1, 1, 1]}}"#,
        to: folder + "/open_clip_config.json")
      let bundle = try CLIPBundle.read(folder)
      #expect(bundle.configuration == small)
      #expect(bundle.preprocessing == .init(mean: [0, 0, 0], std: [1, 1, 1]))
      #expect(try bundle.model().parameterCount > 0)
      #expect { try bundle.tokenizer() } throws: { "\($0)".contains("49408 ids, the model 600") }
      // A name stands in for the JSON; its sizes are not these weights'.
      #expect {
        try CLIPBundle.read(folder, configuration: "ViT-S-32-alt").model()
      } throws: {
        "\($0)".contains("missing: ") && "\($0)".contains("of another shape: ")
      }
    }
  }

  @Test("a folder without a model says what it looked for")
  func nothing() throws {
    try withFolder { folder in
      #expect(
        throws: CLIPError(
          .noFile([
            "model.safetensors", "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
            "pytorch_model.bin", "model.safetensors.index.json", "pytorch_model.bin.index.json",
            "model.pt", "open_clip_pytorch_model.pt",
          ]), file: folder)
      ) { try CLIPBundle.read(folder) }
    }
  }
}
