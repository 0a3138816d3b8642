import Autograd
import Foundation
import NeuralNetworks
import SeededRandom
import TensorEngine
import Testing

/// What torch and transformers computed, see Fixtures/make_layers.py.
private struct LayerFixture: Decodable {
  typealias Entry = TransformerFixture.Entry
  struct Recurrent: Decodable {
    var layers: Int
    var bidirectional: Bool
    var lengths: [Int]
    var inputs, width: Int
    var input, outputs, hidden, cell, inputGradient: Entry
    var seeds: [Entry]
    var parameters, gradients: [String: Entry]
  }
  struct Pictures: Decodable {
    var name: String
    var input, output, seed, inputGradient: Entry
    var parameters, gradients: [String: Entry]
  }
  struct Decoder: Decodable {
    var lengths: [Int]
    var width, heads: Int
    var input, output, seed, inputGradient: Entry
    var parameters, gradients: [String: Entry]
  }
  var lstm: [Recurrent]
  var pictures: [Pictures]
  var gpt2: Decoder

  static func load() throws -> LayerFixture {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appendingPathComponent("Fixtures/layers.json"))
    return try JSONDecoder().decode(LayerFixture.self, from: data)
  }
}

extension Module {
  /// Takes a fixture's values over; the names must be the same.
  fileprivate func take(_ values: [String: LayerFixture.Entry]) throws {
    #expect(Set(parameters.map(\.name)) == Set(values.keys))
    for (name, variable) in parameters {
      let entry = try #require(values[name])
      #expect(variable.shape == entry.shape, "\(name)")
      variable.value = entry.tensor
    }
  }

  fileprivate func expectGradients(_ expected: [String: LayerFixture.Entry]) throws {
    for (name, variable) in parameters {
      let gradient = try #require(variable.gradient, "\(name)")
      // 1e-5: some tens of roundings of 6e-8 along the path there and back.
      #expect(
        relativeDistance(gradient, try #require(expected[name]).tensor) < 1e-5, "\(name)")
    }
  }
}

@Suite struct LayerFixtureTests {
  @Test(
    "an LSTM is torch's on packed sequences, its last states and gradients too", arguments: 0..<2)
  func lstm(index: Int) throws {
    let fixture = try LayerFixture.load().lstm[index]
    var random = RandomStream(seed: 1)
    let model = LSTM(
      fixture.inputs, fixture.width, layers: fixture.layers, bidirectional: fixture.bidirectional,
      random: &random)
    try model.take(fixture.parameters)
    let x = Variable(fixture.input.tensor, requiresGradient: true)
    let result = model(x, lengths: fixture.lengths)
    // 2e-6: some 40 roundings along the path.
    #expect(relativeDistance(result.outputs.value, fixture.outputs.tensor) < 2e-6)
    #expect(relativeDistance(result.hidden.value, fixture.hidden.tensor) < 2e-6)
    #expect(relativeDistance(result.cell.value, fixture.cell.tensor) < 2e-6)
    let roots = [result.outputs, result.hidden, result.cell]
    Variable.backward(from: zip(roots, fixture.seeds).map { ($0, $1.tensor) })
    #expect(relativeDistance(try #require(x.gradient), fixture.inputGradient.tensor) < 1e-5)
    try model.expectGradients(fixture.gradients)
  }

  @Test("sequences of no rows end in zeros, and change nothing for the others")
  func emptySequences() throws {
    var random = RandomStream(seed: 2)
    let model = LSTM(3, 4, layers: 2, bidirectional: true, random: &random)
    let x = Variable(.normal([5, 3], standardDeviation: 1, random: &random))
    let (with, without) = (model(x, lengths: [0, 2, 0, 3, 0]), model(x, lengths: [2, 3]))
    #expect(with.outputs.value.values == without.outputs.value.values)
    let hidden = with.hidden.value
    #expect(hidden.shape == [4, 5, 4])
    for layer in 0..<4 {
      for (sequence, other) in [(0, nil), (1, 0), (2, nil), (3, 1), (4, nil)] as [(Int, Int?)] {
        let own = (0..<4).map { hidden.values[(layer * 5 + sequence) * 4 + $0] }
        let expected = other.map { other in
          (0..<4).map { without.hidden.value.values[(layer * 2 + other) * 4 + $0] }
        }
        #expect(own == expected ?? [0, 0, 0, 0])
      }
    }
    let none = model(Variable(Tensor(shape: [0, 3])), lengths: [0, 0])
    #expect(
      none.outputs.shape == [0, 8] && none.hidden.value.values == [Float](repeating: 0, count: 32))
  }

  @Test("group norm and nearest upsampling are torch's", arguments: 0..<2)
  func pictures(index: Int) throws {
    let fixture = try LayerFixture.load().pictures[index]
    let norm = GroupNorm(6, groups: 3, epsilon: 1e-6)
    let isNorm = fixture.name == "groupNorm"
    if isNorm { try norm.take(fixture.parameters) }
    let x = Variable(fixture.input.tensor, requiresGradient: true)
    let y = isNorm ? norm(x) : upsampledNearest(x, 3)
    #expect(relativeDistance(y.value, fixture.output.tensor) < 1e-6)
    Variable.backward(from: [(y, fixture.seed.tensor)])
    #expect(relativeDistance(try #require(x.gradient), fixture.inputGradient.tensor) < 1e-5)
    if isNorm { try norm.expectGradients(fixture.gradients) }
  }

  @Test("a GPT-2 block is transformers', under its names")
  func gpt2() throws {
    let fixture = try LayerFixture.load().gpt2
    var random = RandomStream(seed: 1)
    let block = GPT2Block(width: fixture.width, heads: fixture.heads, random: &random)
    try block.take(fixture.parameters)
    let x = Variable(fixture.input.tensor, requiresGradient: true)
    let y = block(x, lengths: fixture.lengths)
    #expect(relativeDistance(y.value, fixture.output.tensor) < 2e-6)
    Variable.backward(from: [(y, fixture.seed.tensor)])
    #expect(relativeDistance(try #require(x.gradient), fixture.inputGradient.tensor) < 1e-5)
    try block.expectGradients(fixture.gradients)
  }

  @Test("a cache of keys and values goes on where the sequences stand, with the same gradients")
  func cache() throws {
    let fixture = try LayerFixture.load().gpt2
    var random = RandomStream(seed: 1)
    let block = GPT2Block(width: fixture.width, heads: fixture.heads, random: &random)
    try block.take(fixture.parameters)
    let x = Variable(fixture.input.tensor, requiresGradient: true)
    var cache = KeyValueCache(sequences: 3)
    // Sequences of 4, 1 and 6 rows in three calls; the second ends at once, the first pauses.
    let starts = [0, 4, 5]
    var taken = [0, 0, 0]
    var parts: [Variable] = []
    var rows: [Int] = []
    for lengths in [[2, 1, 1], [0, 0, 3], [2, 0, 2]] {
      var own: [Int] = []
      for (sequence, length) in lengths.enumerated() {
        own += (0..<length).map { starts[sequence] + taken[sequence] + $0 }
        taken[sequence] += length
      }
      parts.append(block(gatherRows(x, own), lengths: lengths, cache: &cache))
      rows += own
    }
    #expect(cache.lengths == [4, 1, 6])
    var places = [Int](repeating: 0, count: rows.count)
    for (place, row) in rows.enumerated() { places[row] = place }
    let y = gatherRows(concatenated(parts, axis: 0), places)
    #expect(relativeDistance(y.value, fixture.output.tensor) < 2e-6)
    Variable.backward(from: [(y, fixture.seed.tensor)])
    #expect(relativeDistance(try #require(x.gradient), fixture.inputGradient.tensor) < 1e-5)
    try block.expectGradients(fixture.gradients)
  }

  @Test("a gradient reaches the keys and values of a cache")
  func cacheGradient() throws {
    var random = RandomStream(seed: 4)
    let block = GPT2Block(width: 8, heads: 2, random: &random)
    let (keys, values) = (
      Tensor.normal([3, 8], standardDeviation: 1, random: &random),
      Tensor.normal([3, 8], standardDeviation: 1, random: &random)
    )
    let x = Tensor.normal([1, 8], standardDeviation: 1, random: &random)
    let seed = Tensor.normal([1, 8], standardDeviation: 1, random: &random)
    func output(_ keys: Variable, _ values: Variable) -> Variable {
      var cache = KeyValueCache(keys: keys, values: values, lengths: [3])
      return block(Variable(x), lengths: [1], cache: &cache)
    }
    let (k, v) = (Variable(keys, requiresGradient: true), Variable(values, requiresGradient: true))
    Variable.backward(from: [(output(k, v), seed)])
    for (isKey, gradient) in [(true, try #require(k.gradient)), (false, try #require(v.gradient))] {
      for index in stride(from: 0, to: 24, by: 5) {
        func value(_ h: Float) -> Double {
          var (a, b) = (keys, values)
          if isKey {
            a.withMutableSpan { $0[index] += h }
          } else {
            b.withMutableSpan { $0[index] += h }
          }
          let y = withoutGradient { output(Variable(a), Variable(b)).value }
          return zip(y.values, seed.values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        }
        // h = 1/32: differences of values of order 1 err by some 1e-5, gradients are of order 0.01.
        let numeric = (value(1.0 / 32) - value(-1.0 / 32)) * 16
        #expect(abs(Double(gradient.values[index]) - numeric) < 1e-4)
      }
    }
  }
}
