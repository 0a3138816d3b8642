import BatchLoading
import CLIPModel
import Foundation
import TensorEngine
import Testing
import WeightFiles

/// The batch that open_clip was given, with its loss and gradients: the fixtures of CLIPModel, made
/// by its `make_fixtures.py` and `make_towers.py`.
struct OpenCLIP: Sendable {
  var configuration: CLIPConfiguration
  var tensors: [String: Tensor]

  init(_ name: String) throws {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let path = tests.appending(path: "Models/CLIPModel/Fixtures/\(name)").path
    configuration = try CLIPConfiguration.read(path + ".json")
    tensors = try SafeTensors.read(path + ".safetensors").tensors
  }

  func tensor(_ name: String) throws -> Tensor { try #require(tensors[name], "\(name)") }

  func model() throws -> CLIP {
    var weights = WeightFile(tensors: [:], name: "open_clip")
    for (key, tensor) in tensors where key.hasPrefix("weight.") {
      weights.tensors[String(key.dropFirst("weight.".count))] = tensor
    }
    return try CLIP(configuration, weights: weights)
  }

  /// One rank's part of the batch.
  func batch(rank: Int, worldSize: Int) throws -> PairBatch {
    let (images, tokens) = (try tensor("images"), try tensor("tokens"))
    let rows = PairOrder.slice(of: images.shape[0], rank: rank, worldSize: worldSize)
    let (pixels, length) = (images.count / images.shape[0], tokens.shape[1])
    return PairBatch(
      images: Tensor(
        shape: [rows.count] + images.shape.dropFirst(),
        Array(images.values[(rows.lowerBound * pixels)..<(rows.upperBound * pixels)])),
      tokens: rows.map { row in
        tokens.values[(row * length)..<((row + 1) * length)].map { Int32($0) }
      }, keys: rows.map { "\($0)" }, visits: rows.map { PairVisit(index: $0, epoch: 0) })
  }
}

/// The part of a batch that a rank owns.
enum PairRows {
  static func of(_ count: Int, rank: Int, world: Int) -> Range<Int> {
    PairOrder.slice(of: count, rank: rank, worldSize: world)
  }
}
