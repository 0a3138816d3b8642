import Autograd
import Foundation
import Optimizers
import TensorEngine
import Testing

/// What torch and open_clip computed, see Fixtures/make_optimizers.py.
private struct OptimizerFixture: Decodable {
  struct Step: Decodable {
    var gradients, clipped, parameters, first, second: [String: [Float]]
    var norm: Float
  }
  var maxNorm: Float
  var rates: [Float]
  var shapes: [String: [Int]]
  var start: [String: [Float]]
  var steps: [Step]
  var schedule: [Float]

  static func load() throws -> OptimizerFixture {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appendingPathComponent("Fixtures/optimizers.json"))
    return try JSONDecoder().decode(OptimizerFixture.self, from: data)
  }

  func parameters() -> [(name: String, variable: Variable)] {
    start.keys.sorted().map { name in
      let value = Tensor(shape: shapes[name] ?? [], start[name] ?? [])
      return (name, Variable(value, requiresGradient: true))
    }
  }
}

/// The largest |a - b| / (|b| + floor).
private func distance(_ a: [Float], _ b: [Float]?, floor: Float = 1e-3) -> Float {
  guard let b, a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1) / (abs($1.1) + floor)) }
}

struct OptimizerTests {
  private let options = AdamWOptions(learningRate: 1e-3, weightDecay: 0.2)

  @Test("five clipped steps of two groups equal torch's, parameters and moments")
  func equalsTorch() throws {
    let fixture = try OptimizerFixture.load()
    let parameters = fixture.parameters()
    let optimizer = AdamW(
      parameters: parameters, options: options, decays: { _, shape in shape.count >= 2 })
    for (step, rate) in zip(fixture.steps, fixture.rates) {
      for (name, variable) in parameters {
        variable.gradient = Tensor(shape: variable.shape, step.gradients[name] ?? [])
      }
      // 1e-6 relative throughout: a few Float roundings, fused or not.
      #expect(abs(clipGradientNorm(parameters, maxNorm: fixture.maxNorm) / step.norm - 1) < 1e-6)
      for (name, variable) in parameters {
        #expect(distance(variable.gradient?.values ?? [], step.clipped[name]) < 1e-6)
      }
      optimizer.step(learningRate: rate)
      let state = Dictionary(uniqueKeysWithValues: optimizer.state.map { ($0.name, $0.tensor) })
      for (name, variable) in parameters {
        #expect(distance(variable.value.values, step.parameters[name]) < 2e-6, "\(name)")
        #expect(distance(state["exp_avg." + name]?.values ?? [], step.first[name]) < 2e-6)
        #expect(distance(state["exp_avg_sq." + name]?.values ?? [], step.second[name]) < 2e-6)
      }
    }
  }

  @Test("a reloaded optimizer goes on bit for bit")
  func resumes() throws {
    let fixture = try OptimizerFixture.load()
    func run(
      _ steps: Range<Int>, _ optimizer: AdamW, _ parameters: [(name: String, variable: Variable)]
    ) {
      for step in steps {
        for (name, variable) in parameters {
          variable.gradient = Tensor(
            shape: variable.shape, fixture.steps[step].gradients[name] ?? [])
        }
        optimizer.step()
      }
    }
    let (whole, halves) = (fixture.parameters(), fixture.parameters())
    run(0..<5, AdamW(parameters: whole, options: options), whole)
    let first = AdamW(parameters: halves, options: options)
    run(0..<2, first, halves)
    let second = AdamW(parameters: halves, options: options)
    try second.load(state: first.state, stepCount: first.stepCount)
    run(2..<5, second, halves)
    for (a, b) in zip(whole, halves) { #expect(a.variable.value.values == b.variable.value.values) }
  }

  @Test("a state that does not fit is refused by name and changes nothing")
  func refusesState() throws {
    let parameters = try OptimizerFixture.load().parameters()
    let optimizer = AdamW(parameters: parameters, options: options)
    let state = optimizer.state
    func refusal(_ state: [(name: String, tensor: Tensor)]) -> OptimizerStateError? {
      #expect(throws: OptimizerStateError.self) { try optimizer.load(state: state, stepCount: 3) }
    }
    #expect(refusal(Array(state.dropFirst()))?.reason == .missing)
    #expect(refusal(state + [("exp_avg.other", Tensor(0))])?.tensor == "exp_avg.other")
    let wrong = state.map { ($0.name, $0.name == "exp_avg.table" ? Tensor(0) : $0.tensor) }
    #expect(refusal(wrong)?.reason == .shape(expected: [5, 4], found: []))
    #expect(optimizer.stepCount == 0)
  }

  @Test("a parameter without a gradient stays where it is")
  func skipsMissingGradients() {
    let variable = Variable(Tensor(shape: [2, 2], repeating: 1), requiresGradient: true)
    AdamW(parameters: [("w", variable)], options: options).step()
    #expect(variable.value.values == [1, 1, 1, 1])
  }

  @Test("what decays is what open_clip decays")
  func decayRule() {
    #expect(AdamW.clipDecays("transformer.resblocks.0.attn.in_proj_weight", [12, 4]))
    #expect(AdamW.clipDecays("positional_embedding", [77, 4]))
    #expect(!AdamW.clipDecays("visual.class_embedding", [4]))
    #expect(!AdamW.clipDecays("visual.ln_pre.weight", [4]))
    #expect(!AdamW.clipDecays("transformer.resblocks.0.attn.in_proj_bias", [12]))
    #expect(!AdamW.clipDecays("logit_scale", []))
  }

  @Test("the schedule equals open_clip's cosine_lr")
  func schedule() throws {
    let expected = try OptimizerFixture.load().schedule
    let schedule = LearningRateSchedule(base: 5e-4, warmup: 10, total: 40)
    // Both round one Double to Float.
    #expect(expected.indices.map { schedule.learningRate(step: $0) } == expected)
  }

  @Test("gradients below the limit are left alone, and a norm counts all of them")
  func clipping() throws {
    let (a, b) = (
      Variable(Tensor(shape: [2]), requiresGradient: true),
      Variable(Tensor(shape: [1]), requiresGradient: true)
    )
    a.gradient = Tensor(shape: [2], [2, 3])
    b.gradient = Tensor(shape: [1], [6])
    let parameters = [("a", a), ("b", b)].map { (name: $0.0, variable: $0.1) }
    #expect(clipGradientNorm(parameters, maxNorm: 8) == 7)
    #expect(a.gradient?.values == [2, 3])
    #expect(clipGradientNorm(parameters, maxNorm: 0.7) == 7)
    // 1e-6: torch's epsilon beside a norm of 7.
    #expect(abs(gradientNorm(parameters) - 0.7) < 1e-6)
  }
}
