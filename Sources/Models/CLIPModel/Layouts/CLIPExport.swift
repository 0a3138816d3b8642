import DurableFiles
import FoundationEssentials
import TensorEngine
public import Tokenizers
public import WeightFiles

/// The folders that a CLIP is written as.
public enum CLIPExportLayout: String, CaseIterable, Sendable {
  /// Ours: `model.safetensors`, `model.json`, `tokenizer.merges`.
  case pairloom
  /// `open_clip_model.safetensors`, `open_clip_config.json`.
  case openCLIP = "open_clip"
  /// `model.pt`: a state dict that OpenAI's `build_model` takes.
  case openAI = "openai"
  /// `model.safetensors`, `config.json`, `preprocessor_config.json` and the tokenizer.
  case huggingFace = "huggingface"
}

extension CLIPBundle {
  /// Publishes a model in the layout of one of the libraries; the JSON that names the rest comes last.
  ///
  /// - Parameters:
  ///   - model: Its weights and sizes.
  ///   - preprocessing: What its images go through.
  ///   - tokenizer: `nil` for CLIP's own; another one goes only with `pairloom` and `huggingFace`.
  ///   - domain: What the model is good for, if not for any picture; only `pairloom` keeps it.
  ///   - metadata: Strings for the weight file.
  ///   - layout: Whose names and files.
  ///   - precision: What the weights are rounded to.
  ///   - folder: Made if it is not there.
  /// - Throws: ``CLIPError`` for what the layout cannot say, `WeightFileError` or `FileError`.
  public static func export(
    _ model: CLIP, preprocessing: Preprocessing = .init(), tokenizer: BytePairTokenizer? = nil,
    domain: String? = nil, metadata: [String: String] = [:], layout: CLIPExportLayout,
    precision: WeightPrecision = .float32, to folder: String
  ) throws {
    if let problem = try problem(of: model, preprocessing, tokenizer, domain, for: layout) {
      throw CLIPError(.notWritable(problem), file: folder)
    }
    try DurableFile.makeFolder(folder)
    switch layout {
    case .pairloom:
      try write(
        model, preprocessing: preprocessing, tokenizer: tokenizer, domain: domain,
        metadata: metadata, precision: precision, to: folder)
    case .openCLIP:
      try SafeTensors.write(
        model.state, as: precision, metadata: metadata.merging(["format": "pt"]) { $1 },
        to: folder + "/open_clip_model.safetensors")
      let bundle = CLIPBundle(
        folder: folder, weightsPath: folder + "/open_clip_model.safetensors",
        configuration: model.configuration, preprocessing: preprocessing, tokenizerSource: .clip)
      try writeJSON(OpenCLIPDescription(bundle), to: folder + "/open_clip_config.json")
    case .openAI:
      try TorchWriter.write(model.state, as: precision, to: folder + "/model.pt")
    case .huggingFace:
      try SafeTensors.write(
        huggingFaceState(of: model), as: precision,
        metadata: metadata.merging(["format": "pt"]) { $1 }, to: folder + "/model.safetensors")
      let text = model.configuration.text
      let tokenizer = try tokenizer ?? .clip(contextLength: text.contextLength)
      // A vocabulary that is not the model's would be read as if it were.
      if tokenizer.vocabularySize == text.vocabularySize {
        try HuggingFaceTokenizer.write(tokenizer, to: folder)
      }
      try writeJSON(
        HuggingFacePreprocessor(
          preprocessing, imageSize: model.configuration.vision.imageSize),
        to: folder + "/preprocessor_config.json")
      try writeJSON(HuggingFaceConfig(model.configuration), to: folder + "/config.json")
    }
  }

  /// What the layout cannot say of this model; nil if it says everything.
  private static func problem(
    of model: CLIP, _ preprocessing: Preprocessing, _ tokenizer: BytePairTokenizer?,
    _ domain: String?, for layout: CLIPExportLayout
  ) throws -> String? {
    let configuration = model.configuration
    if layout == .openCLIP || layout == .openAI, let tokenizer {
      guard try tokenizer.mergesText == BytePairTokenizer.clip().mergesText else {
        return "the model has a tokenizer of its own, which a folder of \(layout.rawValue) cannot "
          + "hold: with CLIP's its captions would be read wrongly. Take pairloom or huggingface."
      }
    }
    switch layout {
    case .pairloom, .openCLIP: return nil
    case .openAI:
      if !configuration.quickGELU {
        return "OpenAI's program always applies QuickGELU, and this model wants the exact GELU. "
          + "Take open_clip or huggingface."
      }
      if configuration.vision.headWidth != 64
        || configuration.text.width != configuration.text.heads * 64
        || configuration.vision.mlpRatio != 4 || configuration.text.mlpRatio != 4
        || configuration.vision.layerScale != nil || configuration.text.layerScale != nil
      {
        return
          "OpenAI's program gives every head a width of 64 and every MLP four times its width, and has "
          + "no LayerScale. "
          + "Take open_clip or huggingface."
      }
      if model.logitBias != nil {
        return
          "OpenAI's program knows no logit_bias, which SigLIP's loss has trained. "
          + "Take open_clip."
      }
      if preprocessing != Preprocessing() {
        return
          "OpenAI's program fits the shorter side by bicubic and normalises with its own constants, and "
          + "this model wants its pictures otherwise. Take open_clip."
      }
      return nil
    case .huggingFace:
      if model.state.contains(where: { !HuggingFaceNames.hasName(for: $0.name) }) {
        return
          "transformers' CLIPModel has no such weights (a ResNet, LayerScale, or SigLIP's "
          + "logit_bias). Take open_clip."
      }
      if preprocessing.resizeMode != .shortest {
        return
          "transformers' CLIPImageProcessor fits the shorter side and crops, and this model wants "
          + "\(preprocessing.resizeMode.rawValue). Take open_clip."
      }
      return nil
    }
  }

  /// The weights under the names of transformers' `CLIPModel`; what has none there keeps ours.
  private static func huggingFaceState(of model: CLIP) -> [(name: String, tensor: Tensor)] {
    model.state.flatMap { name, tensor -> [(name: String, tensor: Tensor)] in
      if let row = HuggingFaceNames.single.first(where: { $0.ours == name }) {
        return [(row.theirs, row.isTransposed ? CLIPWeights.transposed(tensor) : tensor)]
      }
      for tower in HuggingFaceNames.towers {
        guard let (number, rest) = HuggingFaceNames.blockName(name, prefix: tower.ours) else {
          continue
        }
        if let row = HuggingFaceNames.block.first(where: { $0.ours == rest }) {
          return [("\(tower.theirs)\(number).\(row.theirs)", tensor)]
        }
        if let row = HuggingFaceNames.attention.first(where: { $0.ours == rest }) {
          let values = tensor.values
          let third = values.count / 3
          let shape = [tensor.shape[0] / 3] + tensor.shape.dropFirst()
          return row.theirs.enumerated().map { index, theirs in
            (
              "\(tower.theirs)\(number).\(theirs)",
              Tensor(shape: shape, Array(values[(index * third)..<((index + 1) * third)]))
            )
          }
        }
      }
      return [(name, tensor)]
    }
  }

  static func writeJSON(_ value: some Encodable, to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try DurableFile.write(Array(try encoder.encode(value)) + [UInt8(ascii: "\n")], to: path)
  }
}

/// `open_clip_config.json`, with no key that open_clip does not know.
private struct OpenCLIPDescription: Encodable {
  var model_cfg: CLIPConfiguration
  var preprocess_cfg: CLIPBundle.Preprocessing.Description

  init(_ bundle: CLIPBundle) {
    model_cfg = bundle.configuration
    preprocess_cfg = .init(bundle.preprocessing)
  }
}
