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
  /// Where its gradient arrives.
  public let target: GradientTarget
  private let remaking: Remaking?
  private var ownForm: Kept?

  public init(_ value: Tensor, requiresGradient: Bool = false) {
    self.value = value
    target = GradientTarget(shape: value.shape, requiresGradient: requiresGradient)
    remaking = nil
    ownForm = nil
  }

  /// The result of an operation: the way to write a new one, in this module or in another.
  ///
  /// - Parameters:
  ///   - result: The value computed.
  ///   - operands: What the gradient may flow to. When none requires one, or inside
  ///     `withoutGradient`, no graph is made and `rule` is dropped.
  ///   - rule: Gets the gradient of the result and calls `accumulate` or `updateGradient` on the
  ///     ``target`` of each operand; it runs at most once. Of an operand's value it should hold
  ///     ``kept()`` or nothing: a rule that holds a variable holds its value.
  public convenience init(
    result: Tensor, of operands: [Variable], rule: @escaping (_ gradient: Tensor) -> Void
  ) {
    self.init(result: result, of: operands, kept: nil, rule: rule)
  }

  /// As the other, of a result that `rule` holds itself as `kept`, or that can be made again from what it holds.
  init(
    result: Tensor, of operands: [Variable], again: Remaking? = nil, kept: Kept? = nil,
    rule: @escaping (_ gradient: Tensor) -> Void
  ) {
    value = result
    let isRecorded = recordsGraph(operands)
    target = GradientTarget(
      shape: result.shape, requiresGradient: isRecorded,
      origin: isRecorded
        ? Origin(operands: operands.map(\.target).filter(\.requiresGradient), rule: rule) : nil)
    remaking = isRecorded ? again : nil
    ownForm = kept
  }

  public var shape: [Int] { value.shape }

  public var requiresGradient: Bool { target.requiresGradient }

  /// The derivative of the roots by this, once `backward` has run.
  ///
  /// Results of operations have one only when they
  /// `keepsGradient`; nil means that nothing has flowed here yet.
  public var gradient: Tensor? {
    get { target.gradient }
    set { target.gradient = newValue }
  }

  /// Whether a result of an operation keeps the gradient that passes through it.
  public var keepsGradient: Bool {
    get { target.keepsGradient }
    set { target.keepsGradient = newValue }
  }

  /// This value for a backward rule, which runs later: in the form that takes the least memory.
  public func kept() -> Kept {
    if let remaking { return Kept(remaking) }
    if let ownForm { return ownForm }
    guard target.origin != nil, ActivationStorage.isRounded, Recording.isOn else {
      return Kept(living: value)
    }
    let new = Kept(value)
    ownForm = new
    return new
  }

  /// Makes a leaf collect no gradient from now on: operations on it alone keep nothing for a backward pass.
  public func freeze() { target.freeze() }

  /// The same value without a history.
  public func detached() -> Variable { Variable(value) }

  /// Adds to the gradient; does nothing for a variable that requires none.
  public func accumulate(_ gradient: @autoclosure () -> Tensor) {
    target.accumulate(gradient())
  }

  /// Changes the gradient in place, which is zero at first; not called for a variable that requires
  /// none.
  public func updateGradient(_ body: (inout Tensor) -> Void) { target.updateGradient(body) }
}
