import Autograd
import NeuralNetworks
import TensorEngine

/// The weights of a model by their names, below a prefix.
struct EncoderWeights {
  private let variables: [String: Variable]
  private let prefix: String
  private let isEmptying: Bool

  /// - Parameters:
  ///   - model: Whose weights they are.
  ///   - isEmptying: Whether the model loses each weight that is asked for.
  init(_ model: CLIP, isEmptying: Bool) {
    self.init(
      Dictionary(uniqueKeysWithValues: model.parameters.map { ($0.name, $0.variable) }),
      prefix: "", isEmptying: isEmptying)
  }

  private init(_ variables: [String: Variable], prefix: String, isEmptying: Bool) {
    self.variables = variables
    self.prefix = prefix
    self.isEmptying = isEmptying
  }

  /// The weights whose names go on behind `part`.
  func below(_ part: String) -> EncoderWeights {
    EncoderWeights(variables, prefix: prefix + part, isEmptying: isEmptying)
  }

  /// A weight that may be missing; the model keeps it.
  func find(_ name: String) -> Tensor? { variables[prefix + name]?.value }

  subscript(name: String) -> Tensor {
    guard let variable = variables[prefix + name] else {
      preconditionFailure("CLIP: the model has no weight \(prefix)\(name)")
    }
    let tensor = variable.value
    if isEmptying { variable.value = Tensor(shape: [0]) }
    return tensor
  }

  /// The norm called `name`.
  func norm(_ name: String) -> RowNormalization {
    RowNormalization(weight: self[name + ".weight"], bias: self[name + ".bias"])
  }

  /// The map called `name`, its outputs multiplied by `gain`, where one is given.
  func linear(_ name: String, gain: Tensor? = nil, _ precision: ProductPrecision) -> PackedLinear {
    let (weight, bias) = (self[name + ".weight"], self[name + ".bias"])
    guard let gain else { return PackedLinear(weight, bias: bias, precision: precision) }
    return PackedLinear(
      weight.scaledRows(by: gain), bias: .combine(bias, gain, .multiply), precision: precision)
  }

  /// A projection `[in, out]`, as CLIP keeps those into the common space.
  func projection(_ name: String) -> PackedLinear {
    PackedLinear(self[name].transposed([1, 0]), bias: nil)
  }
}
