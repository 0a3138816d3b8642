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
  private struct Slot {
    var name: String
    var variable: Variable
    var decays: Bool
    var first: Tensor
    var second: Tensor

    mutating func update(
      _ options: AdamWOptions, rate: Double, firstCorrection: Double, secondCorrection: Float
    ) {
      guard let gradient = variable.gradient else { return }
      variable.value.adamWUpdate(
        gradient: gradient, first: &first, second: &second,
        decayFactor: decays ? Float(1 - rate * options.weightDecay) : 1,
        betas: (options.beta1, options.beta2), stepSize: Float(rate / firstCorrection),
        secondCorrection: secondCorrection, epsilon: Float(options.epsilon))
    }
  }

  public let options: AdamWOptions
  /// The steps done, which the bias corrections need.
  public private(set) var stepCount = 0
  private var slots: [Slot]

  /// - Parameters:
  ///   - parameters: What to train.
  ///   - options: The numbers.
  ///   - decays: Whether the parameter of this name and shape decays.
  public init(
    parameters: [(name: String, variable: Variable)], options: AdamWOptions,
    decays: (String, [Int]) -> Bool = AdamW.clipDecays
  ) {
    self.options = options
    slots = parameters.map { name, variable in
      Slot(
        name: name, variable: variable, decays: decays(name, variable.shape),
        first: Tensor(shape: variable.shape), second: Tensor(shape: variable.shape))
    }
  }

  /// open_clip's rule: nothing one-dimensional, no norm, no bias and no logit scale decays.
  public static func clipDecays(_ name: String, _ shape: [Int]) -> Bool {
    shape.count >= 2 && !["bn", "ln", "bias", "logit_scale"].contains(where: name.contains)
  }

  /// Moves every parameter that has a gradient; the others keep value and state, as in torch.
  public func step(learningRate: Float) {
    stepCount += 1
    let rate = Double(learningRate)
    let firstCorrection = 1 - pow(options.beta1, Double(stepCount))
    let secondCorrection = (1 - pow(options.beta2, Double(stepCount))).squareRoot()
    for index in slots.indices {
      slots[index].update(
        options, rate: rate, firstCorrection: firstCorrection,
        secondCorrection: Float(secondCorrection))
    }
  }

  /// One step at the options' learning rate.
  public func step() { step(learningRate: Float(options.learningRate)) }

  /// Drops the gradients, so that the next backward pass starts from none.
  public func dropGradients() {
    for slot in slots { slot.variable.gradient = nil }
  }

  /// The moments, "exp_avg.NAME" and "exp_avg_sq.NAME" for each parameter.
  public var state: [(name: String, tensor: Tensor)] {
    slots.flatMap { slot in
      [("exp_avg." + slot.name, slot.first), ("exp_avg_sq." + slot.name, slot.second)]
    }
  }

  /// Takes up where a saved state ended; nothing changes when it does not fit.
  public func load(state: [(name: String, tensor: Tensor)], stepCount: Int) throws {
    var saved = Dictionary(state.map { ($0.name, $0.tensor) }, uniquingKeysWith: { $1 })
    var loaded = slots
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
    for index in loaded.indices {
      let shape = loaded[index].variable.shape
      loaded[index].first = try take("exp_avg." + loaded[index].name, shape)
      loaded[index].second = try take("exp_avg_sq." + loaded[index].name, shape)
    }
    if let stranger = saved.keys.min() {
      throw OptimizerStateError(tensor: stranger, reason: .unexpected)
    }
    slots = loaded
    self.stepCount = stepCount
  }
}
