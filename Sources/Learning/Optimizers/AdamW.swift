public import Autograd
import Glibc
public import TensorEngine

/// The numbers of AdamW; the defaults are torch's, but the betas and ε are those of CLIP's ViTs.
public struct AdamWOptions: Codable, Sendable, Equatable {
  public var learningRate: Double
  public var beta1: Double
  public var beta2: Double
  public var epsilon: Double
  public var weightDecay: Double

  public init(
    learningRate: Double = 5e-4, beta1: Double = 0.9, beta2: Double = 0.98,
    epsilon: Double = 1e-6, weightDecay: Double = 0.2
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }
}

/// Why a saved optimizer state does not fit.
public struct OptimizerStateError: Error, Equatable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    case missing
    case unexpected
    case shape(expected: [Int], found: [Int])
  }
  public var tensor: String
  public var reason: Reason

  public var description: String {
    switch reason {
    case .missing: "the saved optimizer state lacks \(tensor); is it that of another model?"
    case .unexpected: "the saved optimizer state holds \(tensor), which this model has not"
    case .shape(let expected, let found):
      "\(tensor) of the saved optimizer state has shape \(found), the model needs \(expected)"
    }
  }
}

/// Adam with decoupled weight decay, step by step as `torch.optim.AdamW` does it.
///
/// - Source: Loshchilov and Hutter 2019 (arXiv:1711.05101), algorithm 2; torch/optim/adamw.py.
public final class AdamW {
  public let options: AdamWOptions
  /// The steps done, which the bias corrections need.
  public private(set) var stepCount = 0
  /// The parameters and gradients.
  public let arena: ParameterArena
  private let decays: [Bool]
  private var first: ArenaTensors
  private var second: ArenaTensors

  /// - Parameters:
  ///   - parameters: What to train; they move to one block of memory, and so will their gradients.
  ///   - options: The numbers.
  ///   - decays: Whether the parameter of this name and shape decays.
  public init(
    parameters: [(name: String, variable: Variable)], options: AdamWOptions,
    decays: (String, [Int]) -> Bool = AdamW.clipDecays
  ) {
    self.options = options
    arena = ParameterArena(parameters)
    self.decays = arena.parameters.map { decays($0, $1.shape) }
    first = ArenaTensors(zeros: arena.values.shapes)
    second = ArenaTensors(zeros: arena.values.shapes)
  }

  /// open_clip's rule: nothing one-dimensional, no norm, no bias and no logit scale decays.
  public static func clipDecays(_ name: String, _ shape: [Int]) -> Bool {
    shape.count >= 2 && !["bn", "ln", "bias", "logit_scale"].contains(where: name.contains)
  }

  /// Moves every parameter that has a gradient; the others keep value and state, as in torch.
  ///
  /// One pass over memory: 28 bytes a parameter are read and written.
  ///
  /// - Parameters:
  ///   - learningRate: Of this step.
  ///   - gradientScale: Multiplies the gradients, see ``clippingFactor(norm:maxNorm:)``; they stay what they are.
  public func step(learningRate: Float, gradientScale: Float = 1) {
    stepCount += 1
    let rate = Double(learningRate)
    let firstCorrection = 1 - pow(options.beta1, Double(stepCount))
    let secondCorrection = (1 - pow(options.beta2, Double(stepCount))).squareRoot()
    let update = AdamWUpdate(
      betas: (options.beta1, options.beta2), stepSize: Float(rate / firstCorrection),
      secondCorrection: Float(secondCorrection), epsilon: Float(options.epsilon),
      gradientScale: gradientScale)
    let decayFactor = Float(1 - rate * options.weightDecay)
    var stretches: [(range: Range<Int>, decayFactor: Float)] = []
    for (index, isSettled) in arena.settle().enumerated() {
      let factor = decays[index] ? decayFactor : 1
      // Not short-circuited: both have to move.
      let moments = [first.settle(index), second.settle(index)]
      if isSettled, moments == [true, true] {
        stretches.append((arena.values.ranges[index], factor))
      } else {
        updateAlone(index, update, factor)
      }
    }
    update.apply(
      to: arena.values, gradients: arena.gradients, first: first.arena, second: second.arena,
      stretches: stretches)
  }

  /// A parameter of which somebody holds a copy, or that has no gradient.
  private func updateAlone(_ index: Int, _ update: AdamWUpdate, _ decayFactor: Float) {
    let variable = arena.parameters[index].variable
    guard let gradient = variable.gradient else { return }
    update.apply(
      to: &variable.value, gradient: gradient, first: &first.tensors[index],
      second: &second.tensors[index], decayFactor: decayFactor)
  }

  /// One step at the options' learning rate.
  public func step() { step(learningRate: Float(options.learningRate)) }

  /// Drops the gradients, so that the next backward pass starts from none.
  public func dropGradients() {
    for (_, variable) in arena.parameters { variable.gradient = nil }
  }

  /// The moments, "exp_avg.NAME" and "exp_avg_sq.NAME" for each parameter.
  public var state: [(name: String, tensor: Tensor)] {
    arena.places.flatMap { place in
      let name = arena.parameters[place].name
      return [
        ("exp_avg." + name, first.tensors[place]), ("exp_avg_sq." + name, second.tensors[place]),
      ]
    }
  }

  /// Takes up where a saved state ended; nothing changes when it does not fit.
  public func load(state: [(name: String, tensor: Tensor)], stepCount: Int) throws {
    var saved = Dictionary(state.map { ($0.name, $0.tensor) }, uniquingKeysWith: { $1 })
    var (firsts, seconds) = (first.tensors, second.tensors)
    func take(_ name: String, _ shape: [Int]) throws -> Tensor {
      guard let tensor = saved.removeValue(forKey: name) else {
        throw OptimizerStateError(tensor: name, reason: .missing)
      }
      guard tensor.shape == shape else {
        throw OptimizerStateError(
          tensor: name, reason: .shape(expected: shape, found: tensor.shape))
      }
      return tensor
    }
    for place in arena.places {
      let (name, variable) = arena.parameters[place]
      firsts[place] = try take("exp_avg." + name, variable.shape)
      seconds[place] = try take("exp_avg_sq." + name, variable.shape)
    }
    if let stranger = saved.keys.min() {
      throw OptimizerStateError(tensor: stranger, reason: .unexpected)
    }
    (first.tensors, second.tensors) = (firsts, seconds)
    self.stepCount = stepCount
  }
}

/// Tensors and the arena that they live in, unless they were replaced.
private struct ArenaTensors {
  let arena: TensorArena
  var tensors: [Tensor]

  init(zeros shapes: [[Int]]) {
    let arena = TensorArena(shapes: shapes)
    self.arena = arena
    tensors = shapes.enumerated().map { index, shape in
      var tensor = arena.claim(index) ?? Tensor(uninitialized: shape)
      tensor.fill(with: 0)
      return tensor
    }
  }

  /// Whether the tensor is in its place and may be written there.
  mutating func settle(_ index: Int) -> Bool { arena.settle(&tensors[index], at: index) }
}
