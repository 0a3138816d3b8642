import CLIPModel
import CLIPTraining
import Foundation
import RankThreads
import TensorEngine
import Testing

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
