import Autograd
import Foundation
import NeuralNetworks
import SeededRandom
import TensorEngine
import Testing

/// What torch computed, see Fixtures/make_transformer.py.
struct TransformerFixture: Decodable {
  struct Entry: Decodable {
    var shape: [Int]
    var values: [Float]
    var tensor: Tensor { Tensor(shape: shape, values) }
  }
  struct Case: Decodable {
    var name: String
    var causal: Bool
    var width, heads, hidden, layers: Int
    var lengths: [Int]
    var input, seed, output, inputGradient: Entry
    var parameters, gradients: [String: Entry]
  }
  var cases: [Case]

  static func load() throws -> TransformerFixture {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appendingPathComponent("Fixtures/transformer.json"))
    return try JSONDecoder().decode(TransformerFixture.self, from: data)
  }
}

/// ‖a - b‖ / ‖b‖.
func relativeDistance(_ a: Tensor, _ b: Tensor) -> Float {
  Tensor.combine(a, b, .subtract).norm() / b.norm()
}

struct TransformerTests {
  @Test("outputs and all gradients equal torch's, under torch's parameter names", arguments: 0..<3)
  func equalsTorch(index: Int) throws {
    let fixture = try TransformerFixture.load().cases[index]
    var random = RandomStream(seed: 1)
    let kind = try #require(GELU(rawValue: fixture.name))
    let model = Transformer(
      width: fixture.width, layers: fixture.layers, heads: fixture.heads, hidden: fixture.hidden,
      activation: kind, random: &random)
    #expect(Set(model.parameters.map(\.name)) == Set(fixture.parameters.keys))
    for (name, variable) in model.parameters {
      let entry = try #require(fixture.parameters[name])
      #expect(variable.shape == entry.shape)
      variable.value = entry.tensor
    }
    let x = Variable(fixture.input.tensor, requiresGradient: true)
    let y = model(x, lengths: fixture.lengths, causal: fixture.causal)
    // 2e-6: some 40 roundings of 6e-8 along the longest path through two blocks.
    #expect(relativeDistance(y.value, fixture.output.tensor) < 2e-6)
    Variable.backward(from: [(y, fixture.seed.tensor)])
    // 1e-5: as above, twice the path, and layer norms that cancel leading digits.
    #expect(relativeDistance(try #require(x.gradient), fixture.inputGradient.tensor) < 1e-5)
    for (name, variable) in model.parameters {
      let gradient = try #require(variable.gradient, "\(name)")
      #expect(
        relativeDistance(gradient, try #require(fixture.gradients[name]).tensor) < 1e-5, "\(name)")
    }
  }
}
