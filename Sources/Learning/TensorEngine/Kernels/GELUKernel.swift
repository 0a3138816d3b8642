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
  /// The elements through a GELU.
  ///
  /// - Parameters:
  ///   - kind: Which GELU.
  ///   - bias: `[D]`, added to the last axis first.
  /// - Returns: The shape of this tensor.
  public func gelu(_ kind: GELU, bias: Tensor? = nil) -> Tensor {
    var value = Tensor(uninitialized: shape)
    let y = value.mutableFloats
    // One loop per kind: the switch must not sit inside it.
    switch kind {
    case .exact: geluLoop(floats, bias) { y.set($0, $1, GELU.exact.value($2)) }
    case .quick: geluLoop(floats, bias) { y.set($0, $1, GELU.quick.value($2)) }
    case .tanh: geluLoop(floats, bias) { y.set($0, $1, GELU.tanh.value($2)) }
    }
    return value
  }

  /// The elements through a GELU; this tensor becomes the derivative at each of them.
  ///
  /// - Parameters:
  ///   - kind: Which GELU.
  ///   - bias: `[D]`, added to the last axis first.
  /// - Returns: The same bits as ``gelu(_:bias:)``.
  public mutating func geluLeavingSlope(_ kind: GELU, bias: Tensor? = nil) -> Tensor {
    var value = Tensor(uninitialized: shape)
    let (x, y) = (mutableFloats, value.mutableFloats)
    @Sendable @inline(__always) func set(
      _ index: Int, _ width: Int, _ pair: (SIMD8<Float>, SIMD8<Float>)
    ) {
      y.set(index, width, pair.0)
      x.set(index, width, pair.1)
    }
    switch kind {
    case .exact: geluLoop(x, bias) { set($0, $1, GELU.exact.valueAndSlope($2)) }
    case .quick: geluLoop(x, bias) { set($0, $1, GELU.quick.valueAndSlope($2)) }
    case .tanh: geluLoop(x, bias) { set($0, $1, GELU.tanh.valueAndSlope($2)) }
    }
    return value
  }

  /// Calls `body` with an index, a width of at most eight and that many elements with their bias.
  @inline(__always) private func geluLoop(
    _ x: Floats, _ bias: Tensor?, _ body: @Sendable (Int, Int, SIMD8<Float>) -> Void
  ) {
    let columns = columns
    precondition(
      bias.map { $0.shape == [columns] } ?? true,
      "gelu: \(shape) with a bias of \(bias.map(\.shape) ?? [])")
    let b = bias?.floats
    TensorThreads.split(rows, grain: max(1, elementwiseGrain / 4 / max(1, columns))) { range in
      for row in range {
        let start = row * columns
        eachLane(of: 0..<columns) { index in
          var lanes = x[lanes: start + index]
          if let b { lanes += b[lanes: index] }
          body(start + index, 8, lanes)
        } tail: { index, width in
          var lanes = x.partial(start + index, width: width)
          if let b { lanes += b.partial(index, width: width) }
          body(start + index, width, lanes)
        }
      }
    }
  }
}

extension Floats {
  /// Writes the first `width` of eight lanes.
  @inline(__always) fileprivate func set(_ index: Int, _ width: Int, _ lanes: SIMD8<Float>) {
    if width == 8 { self[lanes: index] = lanes } else { setPartial(index, width: width, lanes) }
  }
}
