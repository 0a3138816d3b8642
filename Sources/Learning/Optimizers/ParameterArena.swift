public import Autograd
public import TensorEngine

/// Parameters in one block of memory and their gradients in another, in the order in which gradients come.
///
/// That is the reverse of the model's: the last layer's gradient is the first, so that a stretch of the block is
/// complete while the backward pass still runs. Parameters stay ordinary values: one that is replaced, or copied and
/// then changed, lives elsewhere until the next ``settle()``, and all results are the same bits.
public final class ParameterArena {
  /// In the arena's order.
  public let parameters: [(name: String, variable: Variable)]
  /// The place of a parameter in ``parameters`` of each in the model's order.
  public let places: [Int]
  public let values: TensorArena
  public let gradients: TensorArena

  /// Moves the parameters in and makes their gradients begin here.
  ///
  /// - Parameter parameters: In the model's order. Where two arenas are made of one parameter, its gradients
  ///   begin in the later one.
  public init(_ parameters: [(name: String, variable: Variable)]) {
    self.parameters = parameters.reversed()
    places = (0..<parameters.count).reversed()
    let shapes = self.parameters.map(\.variable.shape)
    (values, gradients) = (TensorArena(shapes: shapes), TensorArena(shapes: shapes))
    for (index, (_, variable)) in self.parameters.enumerated() {
      _ = values.settle(&variable.value, at: index)
      variable.target.setPlace { [weak gradients] in gradients?.claim(index) }
    }
    // Where the parameters were, much is too small for activations: it would stay behind, unused.
    StorageUsage.trim()
  }

  /// Moves parameters and gradients that live elsewhere to their places.
  ///
  /// - Returns: Whether parameter and gradient of each place may be used there; false also where there is no
  ///   gradient.
  func settle() -> [Bool] {
    parameters.indices.map { index in
      let variable = parameters[index].variable
      let value = values.settle(&variable.value, at: index)
      return settleGradient(index) && value
    }
  }

  /// Moves the gradient of one place there.
  ///
  /// - Returns: Whether it may be used there; false also where there is none.
  public func settleGradient(_ index: Int) -> Bool {
    let variable = parameters[index].variable
    guard var gradient = variable.gradient else { return false }
    // The variable must not hold a second reference while this one is looked at.
    variable.gradient = nil
    defer { variable.gradient = gradient }
    return gradients.settle(&gradient, at: index)
  }

  /// The Euclidean norm of all gradients together, the same bits as ``gradientNorm(_:)``.
  public func gradientNorm() -> Float {
    let settled = parameters.indices.filter(settleGradient)
    let squares = Dictionary(
      uniqueKeysWithValues: zip(settled, gradients.squaredNorms(settled)))
    let sum = places.reduce(0.0) { sum, place in
      sum + (squares[place] ?? parameters[place].variable.gradient?.squaredNorm() ?? 0)
    }
    return Float(sum.squareRoot())
  }
}
