import Autograd
import BatchLoading
import CLIPModel
import ContentHashing
import FoundationEssentials
import Tokenizers

/// What decides the numbers of a CLIP run beside what the trainer knows itself, by the manifest's keys.
///
/// Ranks, threads, paths and what is only written or looked at are not among it. A key that comes into the
/// manifest and changes numbers gets a line here.
struct FixedSettings {
  private(set) var values: [String: String] = [:]

  init(
    _ manifest: TrainingManifest, source: PairSource, model: CLIPConfiguration,
    tokenizer: BytePairTokenizer, started: String?
  ) throws {
    values["data (SHA-256)"] = source.fingerprint
    values["tokenizer (SHA-256)"] = ContentHash.sha256Hex(Array(tokenizer.mergesText.utf8))
    values["preprocessing.mean"] = "\(manifest.mean)"
    values["preprocessing.std"] = "\(manifest.std)"
    values["augmentation.scale"] =
      manifest.cropScale.map { "[\($0.lowerBound), \($0.upperBound)]" } ?? "none"
    values["augmentation.convert"] = manifest.convertsFirst ? "first" : "last"
    values["optimizer.decay_rule"] = manifest.optimizer.decayRule.rawValue
    values["loss"] = manifest.objective.loss.rawValue
    values["accumulate"] = "\(manifest.objective.microBatches)"
    values["patch_dropout"] = "\(manifest.objective.patchDropout)"
    values["activation_storage"] = manifest.objective.activationStorage.rawValue
    values["recompute"] = "\(manifest.objective.recomputesBlocks)"
    values["freeze.image"] = "\(manifest.frozen.image)"
    values["freeze.image_unlocked_groups"] = "\(manifest.frozen.unlockedImageGroups)"
    values["freeze.image_statistics"] = "\(manifest.frozen.keepsStatistics)"
    values["freeze.text"] = "\(manifest.frozen.text)"
    values["freeze.text_unlocked_layers"] = "\(manifest.frozen.unlockedTextLayers)"
    values["start_from (SHA-256)"] = started ?? "none"
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    add(try JSONDecoder().decode(JSONValue.self, from: try encoder.encode(model)), "model")
  }

  /// The hash of all.
  var fingerprint: String {
    let lines = values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    return ContentHash.sha256Hex(Array(lines.joined(separator: "\n").utf8))
  }

  /// The leaves of a value, each under its path.
  private mutating func add(_ value: JSONValue, _ path: String) {
    switch value {
    case .object(let fields): for (key, field) in fields { add(field, "\(path).\(key)") }
    case .leaf(let text): values[path] = text
    }
  }
}

/// JSON whose lists, numbers and texts are told by their words alone.
private enum JSONValue: Decodable {
  case object([String: JSONValue])
  case leaf(String)

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    // One of these it is: JSON has no more kinds.
    if let fields = try? container.decode([String: JSONValue].self) {
      self = .object(fields)
    } else if let flag = try? container.decode(Bool.self) {
      self = .leaf("\(flag)")
    } else if let number = try? container.decode(Double.self) {
      self = .leaf(Int(exactly: number).map(String.init) ?? "\(number)")
    } else if let list = try? container.decode([Double].self) {
      self = .leaf("\(list)")
    } else if container.decodeNil() {
      self = .leaf("null")
    } else {
      self = .leaf(try container.decode(String.self))
    }
  }
}
