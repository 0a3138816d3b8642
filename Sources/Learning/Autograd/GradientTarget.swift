public import TensorEngine

/// Where the gradient of a variable arrives: all that a backward rule holds of an operand.
///
/// It outlives the variable: a result that nobody holds any more gives up its value, but keeps its place in the
/// graph. A rule that needs values holds them as ``Kept``.
public final class GradientTarget {
  public let shape: [Int]
  /// What has arrived; nil means that nothing has.
  public internal(set) var gradient: Tensor?
  public private(set) var requiresGradient: Bool
  /// Whether a result of an operation keeps the gradient that passes through it.
  var keepsGradient = false
  var origin: Origin?
  /// Whether a backward pass came by, and freed the graph behind.
  var wasRun = false
  /// Gives floats to a gradient that begins, when a leaf's has a place of its own; they are not set.
  private var place: (() -> Tensor?)?

  init(shape: [Int], requiresGradient: Bool, origin: Origin? = nil) {
    self.shape = shape
    self.requiresGradient = requiresGradient
    self.origin = origin
  }

  /// Makes the gradient of a leaf begin in floats that `place` gives, which need not be set, or where it likes when
  /// it gives none.
  public func setPlace(_ place: @escaping () -> Tensor?) { self.place = place }

  func freeze() {
    precondition(origin == nil, "freeze: the result of an operation is no leaf")
    requiresGradient = false
    gradient = nil
  }

  /// Adds to the gradient; does nothing where none is required.
  public func accumulate(_ gradient: @autoclosure () -> Tensor) {
    guard requiresGradient else { return }
    let addition = gradient()
    precondition(
      addition.shape == shape, "accumulate: gradient \(addition.shape) for a variable \(shape)")
    guard self.gradient == nil else {
      self.gradient?.add(addition)
      return
    }
    guard var own = place?() else {
      self.gradient = addition
      return
    }
    own.copyValues(of: addition)
    self.gradient = own
  }

  /// Changes the gradient in place, which is zero at first; not called where none is required.
  public func updateGradient(_ body: (inout Tensor) -> Void) {
    guard requiresGradient else { return }
    var sum = gradient ?? zeros()
    gradient = nil
    body(&sum)
    gradient = sum
  }

  /// Adds the product op(a)·op(b), see `Tensor.addMatmul`.
  ///
  /// The first product is written, not added to zeros, which saves two passes over a weight's gradient.
  public func accumulateMatmul(
    _ a: @autoclosure () -> Tensor, _ b: @autoclosure () -> Tensor, transposeA: Bool = false,
    transposeB: Bool = false
  ) {
    guard requiresGradient else { return }
    let isFirst = gradient == nil
    var sum = gradient ?? place?() ?? Tensor(uninitialized: shape)
    gradient = nil
    sum.addMatmul(
      a(), b(), transposeA: transposeA, transposeB: transposeB, beta: isFirst ? 0 : 1)
    gradient = sum
  }

  private func zeros() -> Tensor {
    guard var own = place?() else { return Tensor(shape: shape) }
    own.fill(with: 0)
    return own
  }

  deinit {
    // Taken out first: the queue must hold the last reference.
    if let last = origin.take() { Origin.release(consume last) }
  }
}
