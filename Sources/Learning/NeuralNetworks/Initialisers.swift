public import Autograd
public import SeededRandom
public import TensorEngine

extension Tensor {
  /// Draws from N(0, standardDeviation²).
  public static func normal(
    _ shape: [Int], standardDeviation: Double, random: inout RandomStream
  ) -> Tensor {
    drawn(shape) { random.normal() * standardDeviation }
  }

  /// Draws from the uniform distribution on ±bound.
  public static func uniform(_ shape: [Int], bound: Double, random: inout RandomStream) -> Tensor {
    drawn(shape) { (random.uniform() * 2 - 1) * bound }
  }

  /// Draws uniformly on ±√(6 / (fanIn + fanOut)) (Glorot and Bengio 2010).
  ///
  /// - Parameters:
  ///   - shape: `[out, in, …]`; sides after the second count for both fans.
  ///   - random: The stream.
  /// - Returns: A tensor of `shape`.
  public static func xavierUniform(_ shape: [Int], random: inout RandomStream) -> Tensor {
    let (fanIn, fanOut) = fans(shape)
    return uniform(shape, bound: (6 / Double(fanIn + fanOut)).squareRoot(), random: &random)
  }

  /// Draws uniformly on ±1/√fanIn: torch's `kaiming_uniform_(a=√5)`, its default for layers.
  ///
  /// - Parameters:
  ///   - shape: `[out, in, …]`.
  ///   - random: The stream.
  /// - Returns: A tensor of `shape`.
  public static func kaimingUniform(_ shape: [Int], random: inout RandomStream) -> Tensor {
    uniform(shape, bound: 1 / Double(fans(shape).fanIn).squareRoot(), random: &random)
  }

  private static func fans(_ shape: [Int]) -> (fanIn: Int, fanOut: Int) {
    precondition(shape.count >= 2, "initialiser: \(shape) has no fan-in and fan-out")
    let field = shape[2...].reduce(1, *)
    return (max(1, shape[1] * field), max(1, shape[0] * field))
  }

  private static func drawn(_ shape: [Int], _ draw: () -> Double) -> Tensor {
    if Initialisation.isSkipped { return Tensor(uninitialized: shape) }
    var result = Tensor(shape: shape)
    let count = result.count
    result.withMutableSpan { span in
      for index in 0..<count { span[index] = Float(draw()) }
    }
    return result
  }
}

/// Whether initialisers draw.
package enum Initialisation {
  @TaskLocal static var isSkipped = false

  /// Runs `body`, in which initialisers draw nothing and leave their floats unset.
  ///
  /// For a model whose every parameter is overwritten before it is read: drawing the 986 million of ViT-H-14
  /// takes seconds.
  package static func skipped<R>(_ body: () throws -> R) rethrows -> R {
    try $isSkipped.withValue(true) { try body() }
  }
}

extension Variable {
  /// A trainable leaf.
  public static func parameter(_ value: Tensor) -> Variable {
    Variable(value, requiresGradient: true)
  }
}
