import Autograd
import Optimizers
import SeededRandom
import TensorEngine
import Testing

/// Parameters in one block: what is written, and what never changes.
struct ArenaTests {
  private static let shapes = [[3, 5], [5], [17, 9], [], [1], [40_000]]

  private static func draws(_ seed: UInt64) -> [Tensor] {
    var random = RandomStream(seed: seed)
    return shapes.map { shape in
      Tensor(shape: shape, (0..<shape.reduce(1, *)).map { _ in Float(random.normal()) })
    }
  }

  private static func parameters() -> [(name: String, variable: Variable)] {
    draws(1).enumerated().map {
      ("p\($0)", Variable($1, requiresGradient: true))
    }
  }

  private static let options = AdamWOptions(learningRate: 1e-2, weightDecay: 0.1)

  /// Loshchilov and Hutter's three lines, in Float and torch's order.
  private struct Reference {
    var values: [[Float]], first: [[Float]], second: [[Float]]
    var steps = 0

    mutating func step(_ gradients: [[Float]?], rate: Double, scale: Float) {
      steps += 1
      let size = Float(rate / (1 - power(0.9, steps)))
      let correction = Float((1 - power(0.98, steps)).squareRoot())
      for (index, gradient) in gradients.enumerated() {
        guard let gradient else { continue }
        let decay = ArenaTests.shapes[index].count >= 2 ? Float(1 - rate * 0.1) : 1
        for place in gradient.indices {
          let g = gradient[place] * scale
          let m = first[index][place].addingProduct(g - first[index][place], Float(1 - 0.9))
          let v = (second[index][place] * Float(0.98)).addingProduct(g * Float(1 - 0.98), g)
          (first[index][place], second[index][place]) = (m, v)
          values[index][place] =
            values[index][place] * decay - size * (m / (v.squareRoot() / correction + 1e-6))
        }
      }
    }

    private func power(_ base: Double, _ exponent: Int) -> Double {
      (0..<exponent).reduce(1) { product, _ in product * base }
    }
  }

  private static func reference() -> Reference {
    Reference(
      values: draws(1).map(\.values), first: draws(1).map { $0.values.map { _ in 0 } },
      second: draws(1).map { $0.values.map { _ in 0 } })
  }

  private func expectEqual(
    _ parameters: [(name: String, variable: Variable)], _ reference: Reference
  ) {
    for (index, (name, variable)) in parameters.enumerated() {
      // 1e-6 relative: powers of β by products here, by pow there.
      let worst = zip(variable.value.values, reference.values[index])
        .reduce(Float(0)) { max($0, abs($1.0 - $1.1) / (abs($1.1) + 1e-2)) }
      #expect(worst < 1e-6, "\(name)")
    }
  }

  @Test("one pass over the arena equals the three lines, with gradients that come and go")
  func equalsThreeLines() {
    let parameters = Self.parameters()
    let optimizer = AdamW(
      parameters: parameters, options: Self.options, decays: { _, shape in shape.count >= 2 })
    var reference = Self.reference()
    for step in 0..<6 {
      optimizer.dropGradients()
      let gradients = Self.draws(UInt64(step + 10))
      let given = gradients.enumerated().map { ($0 + step) % 5 == 0 ? nil : $1 }
      for (index, gradient) in given.enumerated() {
        guard let gradient else { continue }
        // Half of them begin in the arena, half are put there.
        let variable = parameters[index].variable
        if index % 2 == 0 { variable.accumulate(gradient) } else { variable.gradient = gradient }
      }
      optimizer.step(learningRate: 1e-2, gradientScale: 0.5)
      reference.step(given.map { $0?.values }, rate: Double(Float(1e-2)), scale: 0.5)
      expectEqual(parameters, reference)
    }
  }

  @Test("copies of parameters, gradients and moments keep their values while training goes on")
  func copiesStay() {
    let parameters = Self.parameters()
    let optimizer = AdamW(parameters: parameters, options: Self.options, decays: { _, _ in false })
    var copies: [(Tensor, [Float])] = []
    func copy(_ tensor: Tensor) { copies.append((tensor, tensor.values)) }
    for step in 0..<4 {
      for (index, gradient) in Self.draws(UInt64(step + 20)).enumerated() {
        parameters[index].variable.gradient = nil
        parameters[index].variable.accumulate(gradient)
      }
      for (_, variable) in parameters {
        copy(variable.value)
        if let gradient = variable.gradient { copy(gradient) }
      }
      for (_, tensor) in optimizer.state { copy(tensor) }
      optimizer.step()
    }
    #expect(copies.allSatisfy { $0.values == $1 })
  }

  @Test("whether somebody holds copies, replaces a value or not, the bits are the same")
  func sameBits() {
    func run(disturbed: Bool) -> [[UInt32]] {
      let parameters = Self.parameters()
      let optimizer = AdamW(parameters: parameters, options: Self.options)
      var held: [Tensor] = []
      for step in 0..<5 {
        optimizer.dropGradients()
        for (index, gradient) in Self.draws(UInt64(step + 30)).enumerated() {
          let variable = parameters[index].variable
          variable.accumulate(gradient)
          guard disturbed else { continue }
          switch step {
          case 1: held += [variable.value] + optimizer.state.map(\.tensor)
          case 2: held = []
          case 3: variable.value = Tensor(shape: variable.shape, variable.value.values)
          default: break
          }
        }
        optimizer.step()
      }
      return parameters.map { $0.variable.value.values.map(\.bitPattern) }
    }
    #expect(run(disturbed: true) == run(disturbed: false))
  }

  @Test("the norm over the arena has the bits of the norm over the tensors")
  func norm() {
    let parameters = Self.parameters()
    let optimizer = AdamW(parameters: parameters, options: Self.options)
    for (index, gradient) in Self.draws(40).enumerated() where index != 1 {
      parameters[index].variable.accumulate(gradient)
    }
    let plain = gradientNorm(parameters)
    #expect(optimizer.arena.gradientNorm() == plain && plain > 100)
    // One that lives elsewhere counts as well.
    parameters[1].variable.gradient = Tensor(shape: [5], repeating: 300)
    #expect(optimizer.arena.gradientNorm() == gradientNorm(parameters))
    #expect(gradientNorm(parameters) > plain)
  }

  @Test("a clipping factor is never above 1, and no number stays none")
  func factors() {
    #expect(clippingFactor(norm: 0.5, maxNorm: 1) == 1)
    #expect(clippingFactor(norm: 4, maxNorm: 1) == 1 / (4 + 1e-6))
    #expect(clippingFactor(norm: .infinity, maxNorm: 1) == 0)
    #expect(clippingFactor(norm: .nan, maxNorm: 1).isNaN)
  }
}
