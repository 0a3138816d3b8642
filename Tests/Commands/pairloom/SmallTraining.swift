import DurableFiles
import Foundation
import ImageCodec
import PairDataset

/// A data set of 48 pairs and manifests that train on it in less than a second, as processes.
struct SmallTraining {
  let folder: String
  private var dataset: String { folder + "/dataset.json" }

  /// A transformer, and a ResNet with running statistics.
  enum Tower: String, CaseIterable {
    case transformer = "{image_size: 16, patch_size: 8, layers: 1, width: 32, head_width: 16}"
    case resNet = "{image_size: 32, layers: [1, 1, 1, 1], width: 8, head_width: 16}"
  }

  init(folder: String) throws {
    self.folder = folder
    let writer = try ShardWriter(folder: folder, name: "00000", compression: .lz4)
    for index in 0..<48 {
      let pixels = (0..<24 * 24 * 3).map { UInt8(($0 * (index + 3) + index * 29) % 251) }
      try writer.append(
        Pair(
          key: "pair\(index)", caption: "picture \(index % 12) of group \(index / 12)",
          image: try ImageEncoder.png(RGBImage(width: 24, height: 24, pixels: pixels)),
          imageExtension: "png", metadata: Array("{}".utf8)))
    }
    try DatasetManifest(shards: [try writer.finish()], recipeSHA256: "", funnel: [])
      .write(to: dataset)
  }

  /// The arguments of a run into `out`.
  func command(_ tower: Tower, out: String, _ settings: [String]) throws -> [String] {
    let manifest = folder + "/\(tower).yaml"
    try DurableFile.write(
      """
      data: \(dataset)
      model:
        embed_dim: 16
        vision_cfg: \(tower.rawValue)
        text_cfg: {context_length: 16, vocab_size: 520, width: 32, heads: 2, layers: 1}
      tokenizer: {train_vocabulary: 520}
      augmentation: {scale: [0.6, 1.0]}
      seed: 5
      threads: 1
      global_batch: 20
      steps: 40
      optimizer: {learning_rate: 2.0e-3, warmup_steps: 10, clip_norm: 1.0}
      log_every: 3

      """, to: manifest)
    return ["train", manifest, "--folder", out] + settings.flatMap { ["--set", $0] }
  }

  /// What a run leaves that must not depend on how often it was ended and begun again.
  struct Result: Equatable {
    var model: Data
    /// The last checkpoint's name and bytes.
    var checkpoint: String
    var checkpointBytes: Data
    /// Without times.
    var metrics: [String]

    init(_ out: String) throws {
      let read = { try Data(contentsOf: URL(fileURLWithPath: $0)) }
      model = try read(out + "/model.safetensors")
      checkpoint = try SmallTraining.checkpoints(out).last ?? "none"
      checkpointBytes = try read(out + "/checkpoints/" + checkpoint)
      let times: Set = [
        "pairs_per_s", "tokens_per_s", "wait_share", "exposed_comm_s", "shares", "slowest",
      ]
      metrics = try String(decoding: read(out + "/metrics.jsonl"), as: UTF8.self)
        .split(separator: "\n").map { line in
          let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
          let kept = (fields ?? [:]).filter { !times.contains($0.key) }
          let bytes = try JSONSerialization.data(withJSONObject: kept, options: .sortedKeys)
          return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Which parts differ.
    func differences(from other: Result) -> [String] {
      var parts: [String] = []
      if model != other.model { parts.append("model.safetensors") }
      if checkpoint != other.checkpoint { parts.append("\(checkpoint) or \(other.checkpoint)") }
      if checkpointBytes != other.checkpointBytes { parts.append("the last checkpoint's bytes") }
      if metrics != other.metrics { parts.append("metrics.jsonl") }
      return parts
    }
  }

  /// Names of the checkpoints by step, oldest first.
  static func checkpoints(_ out: String) throws -> [String] {
    try names(out).filter { $0.hasPrefix("step-") && $0.hasSuffix(".safetensors") }
  }

  /// What a killed writer left.
  static func temporaries(_ out: String) throws -> [String] {
    try names(out).filter { $0.hasSuffix(".tmp") }
  }

  private static func names(_ out: String) throws -> [String] {
    try DurableFile.names(in: out + "/checkpoints")
  }
}
