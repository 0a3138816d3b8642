public import Autograd
public import TensorEngine

/// An exponential moving average of parameters: a ← decay · a + (1 − decay) · p after every step.
///
/// - Source: Polyak and Juditsky 1992; as timm's `ModelEmaV3`, without its warm-up.
public final class MovingAverage {
  public let decay: Float
  private let parameters: [(name: String, variable: Variable)]
  private var averages: [Tensor]

  /// Begins with the parameters as they are.
  public init(of parameters: [(name: String, variable: Variable)], decay: Float) {
    precondition(decay >= 0 && decay < 1, "moving average: a decay of \(decay)")
    self.decay = decay
    self.parameters = parameters
    averages = parameters.map(\.variable.value)
  }

  /// Takes in the parameters as they are now.
  ///
  /// Costs one pass over them.
  public func update() {
    for index in averages.indices {
      averages[index].scale(by: decay)
      averages[index].add(parameters[index].variable.value, scaledBy: 1 - decay)
    }
  }

  /// The averages under the parameters' names.
  public var state: [(name: String, tensor: Tensor)] {
    zip(parameters, averages).map { ($0.name, $1) }
  }

  /// Takes up where a saved state ended; nothing changes when it does not fit.
  public func load(_ state: [(name: String, tensor: Tensor)]) throws(OptimizerStateError) {
    let saved = Dictionary(state.map { ($0.name, $0.tensor) }, uniquingKeysWith: { $1 })
    var loaded: [Tensor] = []
    for (name, variable) in parameters {
      guard let tensor = saved[name] else { throw .init(tensor: name, reason: .missing) }
      guard tensor.shape == variable.shape else {
        throw .init(
          tensor: name, reason: .shape(expected: variable.shape, found: tensor.shape))
      }
      loaded.append(tensor)
    }
    averages = loaded
  }

  /// Runs `body` with the averages in the parameters' place.
  public func withAverages<R>(_ body: () throws -> R) rethrows -> R {
    let own = parameters.map(\.variable.value)
    for (parameter, average) in zip(parameters, averages) { parameter.variable.value = average }
    defer { for (parameter, value) in zip(parameters, own) { parameter.variable.value = value } }
    return try body()
  }
}
