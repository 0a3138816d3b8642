import CLIPModel
import Checkpointing
import NeuralNetworks
import TensorEngine
import Tokenizers
import WeightFiles

/// All that `pairloom model info` says, as its JSON.
struct ModelFacts: Encodable {
  /// As in open_clip's JSON; without `quick_gelu` where the activation is not known.
  struct Sizes: Encodable {
    var embed_dim: Int
    var vision_cfg: CLIPConfiguration.Vision
    var text_cfg: CLIPConfiguration.Text
    var quick_gelu: Bool?
  }

  struct Preprocessing: Encodable {
    var image_size: Int
    var mean: [Float]
    var std: [Float]
    var interpolation: String
    var resize_mode: String
  }

  var weights: String
  var format: String
  var byte_count: Int
  /// Tensors by the type of their numbers.
  var dtypes: [String: Int]
  var layout: String
  var wrappers: [String]
  var other_state_dicts: [String]
  var ignored: [String]
  var metadata: [String: String]
  var parameters: Int
  var configuration: Sizes
  var configuration_from: String
  /// open_clip's name; of the same towers at another size where it is not exact.
  var open_clip_name: String?
  var open_clip_name_is_exact: Bool
  /// Nil where the file does not say it.
  var activation: String?
  var activation_from: String
  var preprocessing: Preprocessing
  var preprocessing_from: String
  var tokenizer: String
  var tokenizer_from: String
  var domain: String?
  /// Over names, shapes and values as Float: what scores name as their model.
  var weights_sha256: String

  /// Reads the whole model, which shows that the weights fit.
  init(_ options: ModelOptions) throws {
    var bundle: CLIPBundle
    var isActivationKnown = true
    do {
      bundle = try CLIPBundle.read(
        options.path, configuration: options.weights.modelConfig,
        activation: options.weights.activation,
        wrapper: options.stateDict)
    } catch let error as CLIPError where error.reason == .unknownActivation {
      // To look is allowed without it: no feature is computed.
      isActivationKnown = false
      bundle = try CLIPBundle.read(
        options.path, configuration: options.weights.modelConfig, activation: .quickGELU,
        wrapper: options.stateDict)
    }
    let opened = try CLIPWeights(bundle.weightsPath, wrapper: bundle.wrapper)
    let contents = opened.reader.contents
    let model = try CLIP(bundle.configuration, weights: opened.file(for: bundle.configuration))
    weights = bundle.weightsPath
    format = contents.format.rawValue
    byte_count = contents.byteCount
    dtypes = opened.reader.entries.reduce(into: [:]) { $0[$1.format.rawValue, default: 0] += 1 }
    layout = bundle.layout.rawValue
    wrappers = contents.wrappers
    other_state_dicts = contents.alternatives
    ignored = opened.ignored
    metadata = contents.metadata
    parameters = model.parameterCount
    let sizes = bundle.configuration
    configuration = Sizes(
      embed_dim: sizes.embedDim, vision_cfg: sizes.vision, text_cfg: sizes.text,
      quick_gelu: isActivationKnown ? sizes.quickGELU : nil)
    configuration_from = bundle.origin.configuration
    open_clip_name = bundle.configuration.nearestName?.name
    open_clip_name_is_exact = bundle.configuration.nearestName?.isExact ?? false
    if !isActivationKnown, let name = open_clip_name, name.hasSuffix("-quickgelu") {
      open_clip_name = String(name.dropLast("-quickgelu".count))
    }
    activation =
      isActivationKnown ? Activation(quick: bundle.configuration.quickGELU).rawValue : nil
    activation_from =
      isActivationKnown
      ? bundle.origin.activation : "the file does not say it; give --activation to use the model"
    preprocessing = Preprocessing(
      image_size: bundle.configuration.vision.imageSize, mean: bundle.preprocessing.mean,
      std: bundle.preprocessing.std, interpolation: bundle.preprocessing.interpolation.rawValue,
      resize_mode: bundle.preprocessing.resizeMode.rawValue)
    preprocessing_from = bundle.origin.preprocessing
    switch bundle.tokenizerSource {
    case .clip: tokenizer = "clip"
    case .merges(let name): tokenizer = name
    }
    tokenizer_from = bundle.origin.tokenizer
    domain = bundle.domain
    weights_sha256 = Checkpoint.hash(of: model.state)
  }

  /// The lines for a person.
  var lines: [String] {
    func list(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ", ") }
    let (vision, text) = (configuration.vision_cfg, configuration.text_cfg)
    var name = "none of open_clip's"
    if let open_clip_name {
      name = open_clip_name_is_exact ? open_clip_name : "towers of \(open_clip_name)"
    }
    var wrapped = ""
    if !wrappers.isEmpty { wrapped += ", in \(wrappers.joined(separator: "."))" }
    if !other_state_dicts.isEmpty {
      wrapped += " (--state-dict may name \(other_state_dicts.joined(separator: ", ")))"
    }
    let types = dtypes.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
    var rows = [
      ("weights", "\(weights), \(format), \(ByteCount.words(byte_count))"),
      ("layout", layout + wrapped),
      ("numbers", "\(types.joined(separator: ", ")); \(parameters) parameters"),
      ("configuration", "\(name), from \(configuration_from)"),
      (
        "image tower",
        vision.isResNet
          ? "\(vision.imageSize) px, ResNet of \(vision.stages.map(String.init).joined(separator: ", ")) "
            + "blocks, width \(vision.width), heads of \(vision.headWidth)"
          : "\(vision.imageSize) px, patches of \(vision.patchSize), width \(vision.width), "
            + "\(vision.layers) layers, heads of \(vision.headWidth)"
      ),
      (
        "text tower",
        "\(text.contextLength) tokens of \(text.vocabularySize), width \(text.width), "
          + "\(text.layers) layers of \(text.heads) heads"
      ),
      ("common space", "\(configuration.embed_dim)"),
      ("activation", activation.map { "\($0), from \(activation_from)" } ?? activation_from),
      (
        "preprocessing",
        "\(preprocessing.resize_mode), \(preprocessing.interpolation), "
          + "mean \(list(preprocessing.mean)), std \(list(preprocessing.std)), from "
          + preprocessing_from
      ),
      ("tokenizer", "\(tokenizer), from \(tokenizer_from)"),
    ]
    if let domain { rows.append(("good for", domain)) }
    if !ignored.isEmpty {
      let shown = ignored.prefix(4).joined(separator: ", ") + (ignored.count > 4 ? ", …" : "")
      rows.append(("not needed", "\(ignored.count): \(shown)"))
    }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }).prefix(8) {
      rows.append(("metadata", "\(key): \(value)"))
    }
    rows.append(("sha256", weights_sha256))
    // Names come from the file, which must not steer the terminal.
    return rows.map { $0.0.padding(to: 15) + OneLine.text($0.1, longest: 400) }
  }
}

extension String {
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(1, width - count))
  }
}
