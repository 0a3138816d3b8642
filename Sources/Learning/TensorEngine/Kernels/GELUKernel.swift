/// Which Gaussian error linear unit (Hendrycks and Gimpel, arXiv:1606.08415).
public enum GELU: String, Codable, Sendable, CaseIterable {
  /// x·Φ(x) by the error function: open_clip's default.
  case exact
  /// x·σ(1.702x): OpenAI's CLIP weights.
  case quick
  /// The tanh formula: GPT-2.
  case tanh

  /// The value, and the derivative there.
  @inline(__always) func valueAndSlope(_ x: SIMD8<Float>) -> (SIMD8<Float>, SIMD8<Float>) {
    switch self {
    case .exact:
      let phi = 0.5 + 0.5 * Lanes.erf(x * 0.707_106_781)
      let density = 0.398_942_28 * Lanes.exp(x * x * -0.5)
      return (x * phi, phi.addingProduct(x, density))
    case .quick:
      let gate = Lanes.sigmoid(1.702 * x)
      return (x * gate, gate.addingProduct(1.702 * x * gate, 1 - gate))
    case .tanh:
      let cube = x * x * x
      let t = Lanes.tanh(0.797_884_56 * x.addingProduct(cube, SIMD8(repeating: 0.044_715)))
      let inner = 0.797_884_56 * (1 + 0.134_145 * x * x)
      let half = 0.5 + 0.5 * t
      return (x * half, half.addingProduct(0.5 * x * (1 - t * t), inner))
    }
  }

  /// The value alone.
  @inline(__always) func value(_ x: SIMD8<Float>) -> SIMD8<Float> {
    switch self {
    case .exact: x * (0.5 + 0.5 * Lanes.erf(x * 0.707_106_781))
    case .quick: x * Lanes.sigmoid(1.702 * x)
    case .tanh:
      x
        * (0.5 + 0.5
          * Lanes.tanh(
            0.797_884_56 * x.addingProduct(x * x * x, SIMD8(repeating: 0.044_715))))
    }
  }
}

extension Tensor {
  /// The elements through a GELU, and on demand the derivative at each of them.
  ///
  /// The backward pass is then one product. The derivative takes no more memory than the input that it
  /// would otherwise be computed from, and costs least while that is in a register.
  ///
  /// - Parameters:
  ///   - kind: Which GELU.
  ///   - bias: `[D]`, added to the last axis first.
  ///   - wantsSlope: Whether a backward pass follows.
  /// - Returns: Value and derivative, both of this tensor's shape.
  public func gelu(_ kind: GELU, bias: Tensor? = nil, wantsSlope: Bool) -> (
    value: Tensor, slope: Tensor?
  ) {
    // One loop per kind: the switch must not sit inside it.
    switch kind {
    case .exact: geluLoop(.exact, bias, wantsSlope)
    case .quick: geluLoop(.quick, bias, wantsSlope)
    case .tanh: geluLoop(.tanh, bias, wantsSlope)
    }
  }

  @inline(__always) private func geluLoop(_ kind: GELU, _ bias: Tensor?, _ wantsSlope: Bool) -> (
    value: Tensor, slope: Tensor?
  ) {
    let columns = columns
    precondition(
      bias.map { $0.shape == [columns] } ?? true,
      "gelu: \(shape) with a bias of \(bias.map(\.shape) ?? [])")
    var value = Tensor(uninitialized: shape)
    var slope = Tensor(uninitialized: wantsSlope ? shape : [0])
    let (x, y, d, b) = (
      floats, value.mutableFloats, slope.mutableFloats, bias?.floats
    )
    TensorThreads.split(rows, grain: max(1, elementwiseGrain / 4 / max(1, columns))) { range in
      for row in range {
        let start = row * columns
        eachLane(of: 0..<columns) { index in
          var lanes = x[lanes: start + index]
          if let b { lanes += b[lanes: index] }
          if wantsSlope {
            (y[lanes: start + index], d[lanes: start + index]) = kind.valueAndSlope(lanes)
          } else {
            y[lanes: start + index] = kind.value(lanes)
          }
        } tail: { index, width in
          var lanes = x.partial(start + index, width: width)
          if let b { lanes += b.partial(index, width: width) }
          let (result, derivative) = kind.valueAndSlope(lanes)
          y.setPartial(start + index, width: width, result)
          if wantsSlope { d.setPartial(start + index, width: width, derivative) }
        }
      }
    }
    return (value, wantsSlope ? slope : nil)
  }
}
