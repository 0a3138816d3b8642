import BatchLoading
import CLIPModel
import CLIPTraining
import Foundation
import RankThreads
import TensorEngine
import Testing
import WeightFiles

/// The batch that open_clip was given, with its loss and gradients: the fixtures of CLIPModel, made
/// by its `make_fixtures.py`.
private struct OpenCLIP: Sendable {
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
      }, keys: rows.map { "\($0)" })
  }
}

@Suite struct ContrastiveTaskTests {
  @Test(
    "the ranks' shares sum to open_clip's loss to 1e-4, and to its gradients to 1e-3 of their length",
    arguments: ["plain", "quick"], [1, 2])
  func parity(name: String, world: Int) throws {
    let reference = try OpenCLIP(name)
    struct Share: Sendable {
      var loss: Float
      var scalars: [Float]
      var gradients: [String: [Float]]
    }
    let shares = try Ranks.run(world) { group in
      let task = ContrastiveTask(model: try reference.model())
      let batch = try reference.batch(rank: group.rank, worldSize: world)
      let (loss, scalars) = try task.backward(batch, in: group)
      var gradients: [String: [Float]] = [:]
      for (name, variable) in task.parameters {
        gradients[name] = try #require(variable.gradient, "\(name)").values
      }
      return Share(loss: loss, scalars: scalars, gradients: gradients)
    }.map { try $0.get() }

    #expect(abs(shares.reduce(0) { $0 + $1.loss } - (try reference.tensor("loss").scalar)) < 1e-4)
    // 1e-5 of it: an exponential in Float, multiplied by the ranks' shares of the batch.
    let scale = exp(try reference.tensor("weight.logit_scale").scalar)
    #expect(abs(shares.reduce(0) { $0 + $1.scalars[0] } / scale - 1) < 1e-5)
    let names = reference.tensors.keys.filter { $0.hasPrefix("gradient.") }
    #expect(names.contains("gradient.logit_scale"))
    #expect(names.count == shares[0].gradients.count)
    for key in names {
      let expected = try reference.tensor(key).values
      var sum = [Float](repeating: 0, count: expected.count)
      for share in shares {
        let part = try #require(share.gradients[String(key.dropFirst("gradient.".count))], "\(key)")
        for index in sum.indices { sum[index] += part[index] }
      }
      let distance = zip(sum, expected).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
      let length = expected.reduce(0.0) { $0 + pow(Double($1), 2) }
      #expect(distance.squareRoot() < 1e-3 * length.squareRoot(), "\(key)")
    }
  }

  @Test(
    "after a step logit_scale lies in 0 … ln 100",
    arguments: [(-0.5, 0), (0, 0), (2.5, 2.5), (4.605, 4.605), (9, log(100))] as [(Double, Double)])
  func clamp(value: Double, expected: Double) throws {
    let model = try OpenCLIP("plain").model()
    let shape = model.logitScale.value.shape
    model.logitScale.value = Tensor(shape: shape, [Float(value)])
    ContrastiveTask(model: model).afterStep()
    #expect(model.logitScale.value.shape == shape)
    #expect(model.logitScale.value.scalar == Float(expected))
  }
}
