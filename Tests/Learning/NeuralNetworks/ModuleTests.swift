import Autograd
import NeuralNetworks
import SeededRandom
import TensorEngine
import Testing

struct ModuleTests {
  @Test("a transformer's parameters have open_clip's names in torch's order")
  func names() {
    var random = RandomStream(seed: 1)
    let model = Transformer(
      width: 8, layers: 2, heads: 2, hidden: 32, activation: .quick, random: &random)
    let block = [
      "ln_1.weight", "ln_1.bias", "attn.in_proj_weight", "attn.in_proj_bias",
      "attn.out_proj.weight", "attn.out_proj.bias", "ln_2.weight", "ln_2.bias", "mlp.c_fc.weight",
      "mlp.c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias",
    ]
    let expected = (0..<2).flatMap { layer in block.map { "resblocks.\(layer).\($0)" } }
    #expect(model.parameters.map(\.name) == expected)
    var prefixed: [String] = []
    model.visitParameters(prefix: "transformer.") { name, _ in prefixed.append(name) }
    #expect(prefixed == expected.map { "transformer." + $0 })
    #expect(model.parameterCount == 2 * (8 * 24 + 24 + 8 * 8 + 8 + 4 * 8 + 2 * 8 * 32 + 32 + 8))
  }

  @Test("initialisers stay inside their bounds and have their spread", arguments: 0..<3)
  func initialisers(kind: Int) {
    var random = RandomStream(seed: 2)
    let shape = [200, 100]
    let (tensor, bound, deviation): (Tensor, Float, Float)
    switch kind {
    case 0:
      tensor = .xavierUniform(shape, random: &random)
      (bound, deviation) = (Float(0.02).squareRoot(), Float(0.02 / 3).squareRoot())
    case 1:
      tensor = .kaimingUniform(shape, random: &random)
      (bound, deviation) = (0.1, 0.1 / Float(3).squareRoot())
    default:
      tensor = .normal(shape, standardDeviation: 0.02, random: &random)
      (bound, deviation) = (0.12, 0.02)
    }
    #expect(tensor.values.allSatisfy { abs($0) <= bound })
    // 3 %: the spread of 20,000 draws is known to 0.5 %.
    let found = tensor.norm() / Float(20_000).squareRoot()
    #expect(abs(found / deviation - 1) < 0.03)
    #expect(abs(tensor.sum() / 20_000) < 0.03 * deviation)
  }

  @Test("the same seed gives the same model, another seed another")
  func seeds() {
    func weights(_ seed: UInt64) -> [[Float]] {
      var random = RandomStream(seed: seed)
      let model = Transformer(
        width: 8, layers: 1, heads: 2, hidden: 16, activation: .exact, random: &random)
      return model.parameters.map { $0.variable.value.values }
    }
    #expect(weights(3) == weights(3))
    #expect(weights(3) != weights(4))
  }

  @Test("packed sequences do not see each other, and a causal row sees no later one")
  func isolation() {
    var random = RandomStream(seed: 5)
    let model = Transformer(
      width: 8, layers: 2, heads: 2, hidden: 16, activation: .exact, random: &random)
    let x = Tensor.normal([7, 8], standardDeviation: 1, random: &random)
    func output(_ x: Tensor, causal: Bool) -> [[Float]] {
      let y = withoutGradient { model(Variable(x), lengths: [4, 3], causal: causal) }.value.values
      return (0..<7).map { Array(y[$0 * 8..<$0 * 8 + 8]) }
    }
    var changed = x
    changed.withMutableSpan { $0[2 * 8] += 1 }  // row 2, in the first sequence
    let (free, freeChanged) = (output(x, causal: false), output(changed, causal: false))
    #expect(free[4...] == freeChanged[4...])
    #expect((0..<4).allSatisfy { free[$0] != freeChanged[$0] })
    let (causal, causalChanged) = (output(x, causal: true), output(changed, causal: true))
    #expect(causal[..<2] == causalChanged[..<2] && causal[4...] == causalChanged[4...])
    #expect(causal[2] != causalChanged[2] && causal[3] != causalChanged[3])
  }

  @Test("pooling in the last block equals pooling behind it", arguments: [false, true])
  func pooled(causal: Bool) throws {
    var random = RandomStream(seed: 7)
    let model = Transformer(
      width: 8, layers: 2, heads: 2, hidden: 16, activation: .exact, random: &random)
    let x = Variable(
      .normal([9, 8], standardDeviation: 1, random: &random), requiresGradient: true)
    let (lengths, rows) = ([4, 1, 4], causal ? [3, 4, 8] : [0, 4, 6])
    let seed = Tensor.normal([3, 8], standardDeviation: 1, random: &random)
    func gradients(_ output: Variable) throws -> [Tensor] {
      let all = [x] + model.parameters.map(\.variable)
      for variable in all { variable.gradient = nil }
      Variable.backward(from: [(output, seed)])
      return try [output.value] + all.map { try #require($0.gradient) }
    }
    let whole = try gradients(gatherRows(model(x, lengths: lengths, causal: causal), rows))
    let part = try gradients(model.pooled(x, lengths: lengths, causal: causal, rows: rows))
    // 1e-5: the same sums in another order.
    for (a, b) in zip(part, whole) { #expect(relativeDistance(a, b) < 1e-5) }
  }

  @Test("a steady training step asks the operating system for no memory and leaves none behind")
  func steadyMemory() async {
    // In a process of its own: other tests allocate at the same time.
    await #expect(processExitsWith: .success) {
      var random = RandomStream(seed: 6)
      let model = Transformer(
        width: 16, layers: 2, heads: 2, hidden: 64, activation: .exact, random: &random)
      let x = Tensor.normal([40, 16], standardDeviation: 1, random: &random)
      func step() {
        for (_, variable) in model.parameters { variable.gradient = nil }
        let y = model(Variable(x), lengths: [20, 13, 7], causal: true)
        (y * y).mean().backward()
      }
      for _ in 0..<3 { step() }
      let before = StorageUsage.current
      for _ in 0..<3 { step() }
      precondition(StorageUsage.current == before)
    }
  }
}
