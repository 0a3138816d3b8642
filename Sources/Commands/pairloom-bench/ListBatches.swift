import ArgumentParser
import BatchLoading
import CLIPTraining
import Foundation

/// `pairloom-bench batches`: which pairs a training run takes at each step, for a peer that is to take the same.
struct ListBatches: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "batches",
    abstract: "Print the keys of each step's pairs, a line of JSON a step.")

  @Argument(help: "A manifest, such as the one in a folder of training.")
  var manifest: String

  @Option(name: .customLong("set"), help: "An option of the manifest, as key=value; repeatable.")
  var settings: [String] = []

  private struct Line: Encodable {
    var step: Int
    var keys: [String]
  }

  func run() throws {
    let manifest = try TrainingManifest.load(yaml: manifest, overrides: settings)
    let source = try PairSource(manifest.sources)
    var order = source.order(seed: manifest.seed)
    let encoder = JSONEncoder()
    for step in 0..<manifest.steps {
      let keys = (0..<manifest.globalBatch).map { place in
        source.key(at: order.visit(at: step * manifest.globalBatch + place).index)
      }
      print(String(decoding: try encoder.encode(Line(step: step + 1, keys: keys)), as: UTF8.self))
    }
  }
}
