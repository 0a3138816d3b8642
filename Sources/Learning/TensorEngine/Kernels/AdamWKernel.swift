extension Tensor {
  /// One AdamW update in place (Loshchilov and Hutter, arXiv:1711.05101), in torch.optim.AdamW's order.
  ///
  /// p ← p·(1 - lr·decay); m ← m + (1 - β₁)(g - m); v ← β₂v + (1 - β₂)g²;
  /// p ← p - lr/(1 - β₁ᵗ) · m / (√v/√(1 - β₂ᵗ) + ε).
  ///
  /// - Parameters:
  ///   - gradient: g.
  ///   - first: m, in place.
  ///   - second: v, in place.
  ///   - decayFactor: 1 - lr·decay.
  ///   - betas: β₁ and β₂.
  ///   - stepSize: lr/(1 - β₁ᵗ).
  ///   - secondCorrection: √(1 - β₂ᵗ).
  ///   - epsilon: ε.
  public mutating func adamWUpdate(
    gradient: Tensor, first: inout Tensor, second: inout Tensor, decayFactor: Float,
    betas: (Double, Double), stepSize: Float, secondCorrection: Float, epsilon: Float
  ) {
    precondition(
      count == gradient.count && count == first.count && count == second.count,
      "adamWUpdate: parameter \(shape), gradient \(gradient.shape)")
    let (p, g, m, v) = (
      mutableFloats, gradient.floats, first.mutableFloats, second.mutableFloats
    )
    let (mix, beta2, rest) = (Float(1 - betas.0), Float(betas.1), Float(1 - betas.1))
    @Sendable @inline(__always) func update(
      _ p: SIMD8<Float>, _ g: SIMD8<Float>, _ m: SIMD8<Float>, _ v: SIMD8<Float>
    ) -> (SIMD8<Float>, SIMD8<Float>, SIMD8<Float>) {
      let mean = m.addingProduct(g - m, SIMD8(repeating: mix))
      let square = (v * beta2).addingProduct(g * rest, g)
      let denominator = square.squareRoot() / secondCorrection + epsilon
      return (p * decayFactor - stepSize * (mean / denominator), mean, square)
    }
    TensorThreads.split(count, grain: elementwiseGrain) { range in
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
}
