import BatchLoading
import CLIPTraining
import ContentHashing
import Foundation
import PipelineCore

/// What an attempt at a training run works with, as its ledger keeps it.
enum TrainingFacts {
  /// The pairs in their sources, as JSON, for who asks which steps saw one.
  static let sourcesKey = "sources"

  static func of(_ manifest: TrainingManifest) throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let model = try encoder.encode(manifest.configuration)
    return [
      "manifest_sha256": ContentHash.sha256Hex(Array(manifest.yaml.utf8)),
      "model_sha256": ContentHash.sha256Hex([UInt8](model)),
      "model": String(decoding: model, as: UTF8.self),
      "data": manifest.sources.map { TrainedRuns.absolute($0.path) }.joined(separator: ", "),
      "seed": String(manifest.seed), "global_batch": String(manifest.globalBatch),
      "steps": String(manifest.steps), "ranks": String(manifest.ranks),
      "program": ProgramVersion.current,
    ]
  }

  /// What is known once the sources are open.
  static func of(_ outline: TrainingOutline) throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var facts = [
      sourcesKey: String(decoding: try encoder.encode(outline.sources), as: UTF8.self),
      "dataset_sha256": outline.sources.map(\.sha256).joined(separator: ", "),
      "pairs": String(outline.pairs), "parameters": String(outline.parameters),
    ]
    facts["start_from"] = outline.startedFrom
    return facts
  }
}
