public import TensorEngine

/// A tensor that remembers how it came about, so that `backward` can find gradients.
///
/// A leaf is made by `init`; with `requiresGradient` it collects a gradient, be it a parameter, an
/// input or a latent. Results of operations require a gradient when an operand does. Gradients add up
/// over backward passes until `gradient` is set to nil. Not Sendable: a graph belongs to one thread.
public final class Variable {
  /// The numbers themselves.
  ///
  /// Writing it (an optimizer does) does not reach results computed before.
  public var value: Tensor
  /// The derivative of the roots by this, once `backward` has run.
  ///
  /// Results of operations have one only when they
  /// `keepsGradient`; nil means that nothing has flowed here yet.
  public var gradient: Tensor?
  public let requiresGradient: Bool
  /// Whether a result of an operation keeps the gradient that passes through it.
  public var keepsGradient = false
  var origin: Origin?

  public init(_ value: Tensor, requiresGradient: Bool = false) {
    self.value = value
    self.requiresGradient = requiresGradient
  }

  /// The result of an operation: the way to write a new one, in this module or in another.
  ///
  /// - Parameters:
  ///   - result: The value computed.
  ///   - operands: What the gradient may flow to. When none requires one, or inside
  ///     `withoutGradient`, no graph is made and `rule` is dropped.
  ///   - rule: Gets the gradient of the result and calls `accumulate` or `updateGradient` on each
  ///     operand that `requiresGradient`; it runs at most once.
  public init(
    result: Tensor, of operands: [Variable], rule: @escaping (_ gradient: Tensor) -> Void
  ) {
    value = result
    requiresGradient = recordsGraph(operands)
    if requiresGradient {
      origin = Origin(operands: operands.filter(\.requiresGradient), rule: rule)
    }
  }

  public var shape: [Int] { value.shape }

  /// The same value without a history.
  public func detached() -> Variable { Variable(value) }

  /// Adds to the gradient; does nothing for a variable that requires none.
  public func accumulate(_ gradient: @autoclosure () -> Tensor) {
    guard requiresGradient else { return }
    let addition = gradient()
    precondition(
      addition.shape == value.shape,
      "accumulate: gradient \(addition.shape) for a variable \(value.shape)")
    if self.gradient == nil {
      self.gradient = addition
    } else {
      self.gradient?.add(addition)
    }
  }

  /// Changes the gradient in place, which is zero at first; not called for a variable that requires
  /// none.
  public func updateGradient(_ body: (inout Tensor) -> Void) {
    guard requiresGradient else { return }
    var sum = gradient ?? Tensor(shape: value.shape)
    gradient = nil
    body(&sum)
    gradient = sum
  }

  deinit {
    // Taken out first: the queue must hold the last reference.
    if let last = origin.take() { Origin.release(consume last) }
  }
}
