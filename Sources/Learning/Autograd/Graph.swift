public import TensorEngine

/// How a variable was made: its operands that require a gradient, and the backward rule.
final class Origin {
  private(set) var operands: [GradientTarget]
  private var rule: ((Tensor) -> Void)?
  /// One more than the deepest operand, so that descending depth is a topological order.
  let depth: Int

  init(operands: [GradientTarget], rule: @escaping (Tensor) -> Void) {
    self.operands = operands
    self.rule = rule
    depth = 1 + (operands.map { $0.origin?.depth ?? 0 }.max() ?? 0)
  }

  /// Runs the rule and drops what it holds.
  func propagate(_ gradient: Tensor) {
    rule?(gradient)
    rule = nil
    operands = []
  }

  /// Frees a graph in a loop: a chain of operations that frees its operands one inside the other
  /// would overflow the stack.
  static func release(_ origin: consuming Origin) {
    if let queue = ReleaseQueue.current {
      queue.pending.append(consume origin)
      return
    }
    let queue = ReleaseQueue()
    queue.pending.append(consume origin)
    ReleaseQueue.$current.withValue(queue) {
      while queue.pending.popLast() != nil {}
    }
  }
}

private final class ReleaseQueue: @unchecked Sendable {
  // Sendable: lives inside one call of `Origin.release`, on that call's thread.
  @TaskLocal static var current: ReleaseQueue?
  var pending: [Origin] = []
}

/// Whether operations record how they came about.
enum Recording {
  @TaskLocal static var isOn = true
}

/// Runs `body` without building graphs: for evaluation, in less memory and time.
///
/// Results made inside require no gradient.
public func withoutGradient<R>(_ body: () throws -> R) rethrows -> R {
  try Recording.$isOn.withValue(false) { try body() }
}

/// Whether an operation on `operands` joins the graph; a rule may then keep what backward needs.
public func recordsGraph(_ operands: [Variable]) -> Bool {
  operands.contains(where: \.requiresGradient) && Recording.isOn
}

extension Variable {
  /// Adds d(this)/d(x) to the gradient of every x that this scalar depends on, and frees the graph.
  public func backward() {
    precondition(value.count == 1, "backward: \(shape) is no scalar; give a seed")
    Variable.backward(from: [(self, Tensor(shape: shape, repeating: 1))])
  }

  /// Adds the gradients of Σ ⟨root, seed⟩ to all that the roots depend on, and frees the graph.
  ///
  /// Results of operations drop their gradient as soon as it has been passed on, unless they
  /// `keepsGradient`. The order of additions depends on the graph alone. No part of a graph runs twice: what several
  /// roots share needs them in one pass.
  ///
  /// - Parameter roots: Variables with a seed of the same shape, all run in one pass.
  public static func backward(from roots: [(Variable, Tensor)]) {
    for (root, seed) in roots {
      precondition(
        root.shape == seed.shape, "backward: seed \(seed.shape) for a root \(root.shape)")
      root.accumulate(seed)
    }
    for target in descending(from: roots.map(\.0.target)) {
      guard let origin = target.origin else { continue }
      // The graph behind this result goes, even when its gradient is nil.
      target.origin = nil
      target.wasRun = true
      guard let gradient = target.gradient else { continue }
      if !target.keepsGradient { target.gradient = nil }
      origin.propagate(gradient)
    }
  }

  /// The results that the roots depend on, each after all results that use it.
  private static func descending(from roots: [GradientTarget]) -> [GradientTarget] {
    var seen = Set<ObjectIdentifier>()
    var byDepth: [[GradientTarget]] = []
    var pending = roots
    while let target = pending.popLast() {
      // Its gradient would go nowhere.
      precondition(!target.wasRun, "backward: this part of the graph was already run and freed")
      guard let origin = target.origin, seen.insert(ObjectIdentifier(target)).inserted else {
        continue
      }
      while byDepth.count <= origin.depth { byDepth.append([]) }
      byDepth[origin.depth].append(target)
      pending += origin.operands
    }
    return byDepth.reversed().flatMap { $0 }
  }
}
