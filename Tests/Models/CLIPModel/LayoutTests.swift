import CLIPModel
import DurableFiles
import Foundation
import NeuralNetworks
import TensorEngine
import Testing
import Tokenizers
import WeightFiles

func withModelFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.path + "/layouts-\(UUID().uuidString)"
  try DurableFile.makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder) }  // Only tidying up.
  try body(folder)
}

/// A tokenizer of 600 ids.
func smallTokenizer() -> BytePairTokenizer {
  let tokenizer = BytePairTokenizer.train(
    on: (0..<400).map { number in
      // Words enough for 86 merges: numbers, spelled in letters.
      let letters = "\(number * 7919 % 9973)".map { Array("abcdefghij")[Int(String($0)) ?? 0] }
      return "a red circle left of \(String(letters))"
    }, vocabularySize: 600, contextLength: 16)
  precondition(tokenizer.vocabularySize == 600, "\(tokenizer.vocabularySize) ids")
  return tokenizer
}

/// The sizes that `layouts.py` has too, so that heads are 64 wide, as OpenAI's are.
func smallCLIP(quick: Bool, vocabulary: Int = 600, seed: UInt64 = 3) -> CLIP {
  CLIP(
    CLIPConfiguration(
      embedDim: 48,
      vision: .init(imageSize: 32, layers: 2, width: 128, patchSize: 8, headWidth: 64),
      text: .init(
        contextLength: 16, vocabularySize: vocabulary, width: 64, heads: 1, layers: 2),
      quickGELU: quick), seed: seed)
}

func bits(of model: CLIP) -> [String: [UInt32]] {
  Dictionary(
    uniqueKeysWithValues: model.state.map { ($0.name, $0.tensor.values.map(\.bitPattern)) })
}

private func fixture(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/" + name
}

@Suite("Layouts of weights")
struct LayoutTests {
  @Test(
    "a model that was written in a layout reads back, bit for bit, with all that goes with it",
    arguments: CLIPExportLayout.allCases, [true, false])
  func roundTrip(_ layout: CLIPExportLayout, _ quick: Bool) throws {
    try withModelFolder { folder in
      let isOpenAI = layout == .openAI
      let model = smallCLIP(quick: quick)
      let preprocessing: CLIPBundle.Preprocessing =
        isOpenAI ? .init() : .init(mean: [0.5, 0.25, 0.75], std: [0.5, 0.5, 0.25])
      if isOpenAI, !quick {
        #expect {
          try CLIPBundle.export(model, layout: layout, to: folder + "/out")
        } throws: {
          "\($0)".contains("always applies QuickGELU")
        }
        #expect(!DurableFile.exists(folder + "/out"))
        return
      }
      try CLIPBundle.export(model, preprocessing: preprocessing, layout: layout, to: folder)
      let bundle = try CLIPBundle.read(folder, activation: isOpenAI ? .quickGELU : nil)
      #expect(bundle.configuration == model.configuration)
      #expect(bundle.preprocessing == preprocessing)
      #expect(bits(of: try bundle.model()) == bits(of: model))
      if isOpenAI {
        #expect(
          throws: CLIPError(.unknownActivation, file: folder + "/model.pt")
        ) { try CLIPBundle.read(folder) }
      }
    }
  }

  @Test(
    "whatever happens to pictures is written in every layout, or refused by it",
    arguments: CLIPExportLayout.allCases)
  func preprocessings(_ layout: CLIPExportLayout) throws {
    let model = smallCLIP(quick: true)
    for resizeMode in CLIPBundle.Preprocessing.ResizeMode.allCases {
      for interpolation in CLIPBundle.Preprocessing.Interpolation.allCases {
        for fillColor: UInt8 in [0, 127, 255] {
          var preprocessing = CLIPBundle.Preprocessing(
            interpolation: interpolation, resizeMode: resizeMode, fillColor: fillColor)
          let isSayable =
            switch layout {
            case .pairloom, .openCLIP: true
            case .huggingFace: resizeMode == .shortest
            case .openAI: preprocessing == .init()
            }
          try withModelFolder { folder in
            func write() throws {
              try CLIPBundle.export(
                model, preprocessing: preprocessing, layout: layout, to: folder + "/out")
            }
            guard isSayable else {
              #expect { try write() } throws: { "\($0)".contains("Take open_clip") }
              #expect(!DurableFile.exists(folder + "/out"))
              return
            }
            try write()
            // Without borders their grey says nothing.
            if layout == .huggingFace { preprocessing.fillColor = 0 }
            let read = try CLIPBundle.read(
              folder + "/out", activation: layout == .openAI ? .quickGELU : nil)
            #expect(read.preprocessing == preprocessing)
          }
        }
      }
    }
  }

  @Test("a tokenizer of its own goes where the layout can hold it, and is refused elsewhere")
  func tokenizer() throws {
    let tokenizer = smallTokenizer()
    let model = smallCLIP(quick: true, vocabulary: tokenizer.vocabularySize)
    for layout in CLIPExportLayout.allCases {
      try withModelFolder { folder in
        func write() throws {
          try CLIPBundle.export(model, tokenizer: tokenizer, layout: layout, to: folder)
        }
        switch layout {
        case .openCLIP, .openAI:
          #expect { try write() } throws: { "\($0)".contains("a tokenizer of its own") }
        case .pairloom, .huggingFace:
          try write()
          let read = try CLIPBundle.read(folder).tokenizer()
          #expect(
            read.mergesText.split(separator: "\n").dropFirst()
              == tokenizer.mergesText.split(separator: "\n").dropFirst())
          #expect(read.encode("a red circle") == tokenizer.encode("a red circle"))
        }
      }
    }
  }

  @Test("a Hugging Face folder with another vocabulary than its model's is refused")
  func vocabulary() throws {
    try withModelFolder { folder in
      try CLIPBundle.export(smallCLIP(quick: true), layout: .huggingFace, to: folder)
      try HuggingFaceFiles.writeVocabulary(600, to: folder)
      #expect(try CLIPBundle.read(folder).tokenizerSource == .clip)
      try HuggingFaceFiles.writeVocabulary(599, to: folder)
      #expect { try CLIPBundle.read(folder) } throws: { "\($0)".contains("599 ids, the model 600") }
    }
  }

  @Test(
    "what a Hugging Face config asks for and the towers do not do is refused by its key",
    arguments: [
      (#""hidden_act":"gelu_new""#, "hidden_act is"), (#""layer_norm_eps":1e-6"#, "layer_norm_eps"),
      (#""num_attention_heads":0"#, "num_attention_heads is 0"),
      (#""hidden_size":-1"#, "hidden_size is -1"),
      (#""hidden_size":9223372036854775807"#, ""),
    ])
  func config(_ field: String, _ reason: String) throws {
    try withModelFolder { folder in
      try CLIPBundle.export(smallCLIP(quick: true), layout: .huggingFace, to: folder)
      try DurableFile.write(
        #"{"model_type":"clip","text_config":{\#(field)},"vision_config":{\#(field)}}"#,
        to: folder + "/config.json")
      #expect {
        try CLIPBundle.read(folder).model()
      } throws: {
        $0 is CLIPError && (reason.isEmpty || "\($0)".contains(reason))
      }
    }
  }

  @Test("weights of other architectures are named")
  func unsupported() throws {
    let cases: [([String], String)] = [
      (["visual.conv1.weight", "token_embedding.weight", "logit_bias"], "SigLIP"),
      (["visual.trunk.patch_embed.proj.weight", "token_embedding.weight"], "timm"),
      (["visual.conv1.weight", "text_decoder.a", "token_embedding.weight"], "CoCa"),
      (["visual.blocks.0.attn.q_bias", "text.token_embedding.weight"], "EVA-CLIP"),
      (["visual.conv1.weight", "text.transformer.embeddings.word_embeddings.weight"], "XLM"),
      (["text_model.embeddings.token_embedding.weight"], "without its image tower"),
      (["visual.conv1.weight"], "without its text tower"), (["a", "b"], "no CLIP"),
    ]
    try withModelFolder { folder in
      for (names, reason) in cases {
        let path = folder + "/w.safetensors"
        try SafeTensors.write(names.map { ($0, Tensor(0)) }, to: path)
        #expect("\(reason)") {
          try CLIPBundle.read(path, activation: .gelu)
        } throws: {
          "\($0)".contains(reason)
        }
      }
    }
  }

  @Test("what training puts before the names is taken away, and what nothing needs is left out")
  func wrapped() throws {
    try withModelFolder { folder in
      let model = smallCLIP(quick: false)
      var tensors = model.state.map { ("module._orig_mod." + $0.name, $0.tensor) }
      tensors.append(("module._orig_mod.attn_mask", Tensor(shape: [16, 16])))
      let path = folder + "/w.pt"
      try TorchWriter.write(tensors.map { (name: $0.0, tensor: $0.1) }, to: path)
      #expect(try CLIPWeights(path).ignored == ["module._orig_mod.attn_mask"])
      #expect(bits(of: try CLIPBundle.read(path, activation: .gelu).model()) == bits(of: model))
    }
  }

  @Test("sizes come from the shapes, those of open_clip's models with their heads, ResNets too")
  func inferredByName() throws {
    // The others are of a thousand million parameters and more.
    let tooBig = ["ViT-H", "ViT-g", "ViT-bigG", "ViT-e", "RN50x16", "RN50x64"]
    for name in CLIPConfiguration.names where !tooBig.contains(where: { name.hasPrefix($0) }) {
      let configuration = try #require(CLIPConfiguration.named(name))
      let model = Initialisation.skipped { CLIP(configuration, seed: 1) }
      let shapes = Dictionary(
        uniqueKeysWithValues: model.state.map { ($0.name, $0.tensor.shape) })
      let inferred = try CLIPConfiguration.inferred(from: shapes, file: name)
      #expect(inferred == configuration, "\(name)")
    }
  }

  @Test("sizes come from the shapes of a file")
  func inferred() throws {
    try withModelFolder { folder in
      let path = folder + "/w.safetensors"
      let model = CLIP(try #require(CLIPConfiguration.named("ViT-S-32-alt")), seed: 1)
      try SafeTensors.write(model.state, to: path)
      let bundle = try CLIPBundle.read(path, activation: .gelu)
      #expect(bundle.configuration == model.configuration)
      #expect(bundle.configuration.nearestName?.name == "ViT-S-32-alt")
      #expect(bundle.configuration.nearestName?.isExact == true)
      let quick = try CLIPBundle.read(path, configuration: "ViT-S-32-alt-quickgelu")
      #expect(quick.configuration.quickGELU)
    }
  }
}

/// Tokenizer files with ids that only count.
private enum HuggingFaceFiles {
  static func writeVocabulary(_ count: Int, to folder: String) throws {
    let ids = (0..<(count - 1)).map { "\"t\($0)\":\($0)" } + ["\"<|endoftext|>\":\(count - 1)"]
    try DurableFile.write("{\(ids.joined(separator: ","))}", to: folder + "/vocab.json")
  }
}

@Suite("The activation")
struct ActivationTests {
  @Test(
    "the code of a TorchScript archive says it, and nothing may contradict it",
    arguments: [("quick", Activation.quickGELU), ("exact", .gelu)])
  func code(_ name: String, _ activation: Activation) throws {
    let path = fixture("\(name)-script.pt")
    let bundle = try CLIPBundle.read(path)
    #expect(bundle.configuration.quickGELU == activation.isQuick)
    #expect(bundle.configuration.vision.imageSize == 16)
    #expect(bundle.origin.activation == "the code in the archive")
    for (index, (_, tensor)) in try bundle.model().state.sorted(by: { $0.name < $1.name })
      .enumerated()
    {
      // The rule of make_script.py, in the half precision of the file.
      let expected = (0..<tensor.count).map {
        Float(Float16(Float($0 % 7 - 3) / 8 + Float(index) / 64))
      }
      #expect(tensor.values == expected)
    }
    #expect(
      try CLIPBundle.read(path, activation: activation).configuration.quickGELU
        == activation.isQuick)
    let other: Activation = activation == .gelu ? .quickGELU : .gelu
    #expect {
      try CLIPBundle.read(path, activation: other)
    } throws: {
      "\($0)".contains("its code applies \(activation.rawValue)")
    }
    #expect {
      try CLIPBundle.read(
        path, configuration: activation.isQuick ? "ViT-B-32" : "ViT-B-32-quickgelu")
    } throws: {
      "\($0)".contains("its code applies \(activation.rawValue)")
    }
  }

  @Test("a folder's JSON may not be contradicted by the option")
  func json() throws {
    for layout in [CLIPExportLayout.pairloom, .openCLIP, .huggingFace] {
      try withModelFolder { folder in
        try CLIPBundle.export(smallCLIP(quick: true), layout: layout, to: folder)
        #expect(try CLIPBundle.read(folder, activation: .quickGELU).configuration.quickGELU)
        #expect {
          try CLIPBundle.read(folder, activation: .gelu)
        } throws: {
          "\($0)".contains("contradicts it")
        }
      }
    }
  }

  @Test("a file that says nothing is asked for it, never guessed")
  func unknown() throws {
    try withModelFolder { folder in
      let path = folder + "/w.safetensors"
      try SafeTensors.write(smallCLIP(quick: true).state, to: path)
      #expect {
        try CLIPBundle.read(path)
      } throws: {
        "\($0)".contains("--activation quick-gelu") && "\($0)".contains("--model-config NAME")
      }
      for activation in Activation.allCases {
        let bundle = try CLIPBundle.read(path, activation: activation)
        #expect(bundle.configuration.quickGELU == activation.isQuick)
        #expect(bundle.origin.activation == "--activation")
      }
    }
  }
}
