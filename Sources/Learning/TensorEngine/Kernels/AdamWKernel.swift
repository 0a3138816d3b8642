/// The numbers of one AdamW update (Loshchilov and Hutter, arXiv:1711.05101), in torch.optim.AdamW's order.
///
/// p ← p·(1 - lr·decay); m ← m + (1 - β₁)(g - m); v ← β₂v + (1 - β₂)g²;
/// p ← p - lr/(1 - β₁ᵗ) · m / (√v/√(1 - β₂ᵗ) + ε).
public struct AdamWUpdate: Sendable {
  /// lr/(1 - β₁ᵗ).
  var stepSize: Float
  /// √(1 - β₂ᵗ).
  var secondCorrection: Float
  var epsilon: Float
  /// Multiplies the gradient first: a clipping.
  var gradientScale: Float
  private let mix, beta2, rest: Float

  /// - Parameters:
  ///   - betas: β₁ and β₂.
  ///   - stepSize: lr/(1 - β₁ᵗ).
  ///   - secondCorrection: √(1 - β₂ᵗ).
  ///   - epsilon: ε.
  ///   - gradientScale: Multiplies the gradient first: a clipping.
  public init(
    betas: (Double, Double), stepSize: Float, secondCorrection: Float, epsilon: Float,
    gradientScale: Float = 1
  ) {
    (mix, beta2, rest) = (Float(1 - betas.0), Float(betas.1), Float(1 - betas.1))
    self.stepSize = stepSize
    self.secondCorrection = secondCorrection
    self.epsilon = epsilon
    self.gradientScale = gradientScale
  }

  /// Updates one parameter and its moments in place.
  ///
  /// - Parameters:
  ///   - parameter: p.
  ///   - gradient: g.
  ///   - first: m.
  ///   - second: v.
  ///   - decayFactor: 1 - lr·decay.
  public func apply(
    to parameter: inout Tensor, gradient: Tensor, first: inout Tensor, second: inout Tensor,
    decayFactor: Float
  ) {
    let count = parameter.count
    precondition(
      count == gradient.count && count == first.count && count == second.count,
      "AdamW: parameter \(parameter.shape), gradient \(gradient.shape)")
    let (p, g, m, v) = (
      parameter.mutableFloats, gradient.floats, first.mutableFloats, second.mutableFloats
    )
    TensorThreads.split(count, grain: elementwiseGrain) { run($0, p, g, m, v, decayFactor) }
  }

  /// Updates places of four arenas of one layout in one pass over memory.
  ///
  /// - Parameters:
  ///   - parameters: p.
  ///   - gradients: g.
  ///   - first: m.
  ///   - second: v.
  ///   - stretches: Ranges of their floats in ascending order, each with 1 - lr·decay.
  public func apply(
    to parameters: TensorArena, gradients: TensorArena, first: TensorArena, second: TensorArena,
    stretches: [(range: Range<Int>, decayFactor: Float)]
  ) {
    let (p, g, m, v) = (parameters.floats, gradients.floats, first.floats, second.floats)
    TensorThreads.split(parameters.count, grain: elementwiseGrain) { part in
      for (range, decayFactor) in stretches where range.overlaps(part) {
        run(range.clamped(to: part), p, g, m, v, decayFactor)
      }
    }
  }

  @inline(__always) private func run(
    _ range: Range<Int>, _ p: Floats, _ g: Floats, _ m: Floats, _ v: Floats, _ decayFactor: Float
  ) {
    @inline(__always) func update(
      _ p: SIMD8<Float>, _ gradient: SIMD8<Float>, _ m: SIMD8<Float>, _ v: SIMD8<Float>
    ) -> (SIMD8<Float>, SIMD8<Float>, SIMD8<Float>) {
      let g = gradient * gradientScale
      let mean = m.addingProduct(g - m, SIMD8(repeating: mix))
      let square = (v * beta2).addingProduct(g * rest, g)
      let denominator = square.squareRoot() / secondCorrection + epsilon
      return (p * decayFactor - stepSize * (mean / denominator), mean, square)
    }
    eachLane(of: range) { index in
      (p[lanes: index], m[lanes: index], v[lanes: index]) = update(
        p[lanes: index], g[lanes: index], m[lanes: index], v[lanes: index])
    } tail: { index, width in
      let (value, mean, square) = update(
        p.partial(index, width: width), g.partial(index, width: width),
        m.partial(index, width: width), v.partial(index, width: width))
      p.setPartial(index, width: width, value)
      m.setPartial(index, width: width, mean)
      v.setPartial(index, width: width, square)
    }
  }
}
