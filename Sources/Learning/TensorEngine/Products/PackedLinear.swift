/// How the products of an inference are computed.
public enum ProductPrecision: String, Sendable, CaseIterable, Codable {
  case float32
  /// Weights of 8 bits with a scale per output, activations of 8 bits with a scale per row; sums are
  /// exact, and all else stays in Float.
  case int8
}

/// An affine map x·weightᵀ + bias whose weights are laid out once, for products without gradients.
///
/// A row of the result has the same bits whatever other rows are computed with it, with any number of
/// threads and on any processor: in Float, an element is Σ over k, in this order, by fused
/// multiply-adds. OpenBLAS promises neither.
/// Letters: M rows, K inputs, N outputs.
public struct PackedLinear: Sendable {
  public let inputs: Int
  public let outputs: Int
  public let precision: ProductPrecision
  let layout: MatrixTiles.Layout
  /// Panels of `layout.columns` outputs, the last one filled with zeros.
  let panels: Tensor
  /// Outputs rounded up to whole panels, zeros behind the last.
  let bias: Tensor
  /// Of int8: the largest |weight| of each output / 127.
  let scales: Tensor

  /// Lays out weights; takes as long as reading them twice.
  ///
  /// - Parameters:
  ///   - weight: `[N, K]`, torch's layout.
  ///   - bias: `[N]` or nil.
  ///   - precision: Of the products.
  public init(_ weight: Tensor, bias: Tensor?, precision: ProductPrecision = .float32) {
    precondition(
      weight.shape.count == 2 && (bias.map { $0.shape == [weight.shape[0]] } ?? true),
      "packed: a weight \(weight.shape) with a bias \(bias.map(\.shape) ?? [])")
    (outputs, inputs) = (weight.shape[0], weight.shape[1])
    self.precision = precision
    let instructions = VectorInstructions.current
    layout = precision == .float32 ? .floats(instructions) : .bytes(instructions)
    let width = (outputs + layout.columns - 1) / layout.columns * layout.columns
    var padded = Tensor(shape: [width])
    if let bias { padded.mutableFloats.copy(from: bias.floats, at: 0, to: 0, length: outputs) }
    self.bias = padded
    (panels, scales) =
      precision == .float32
      ? (Self.floatPanels(weight, layout), Tensor(shape: [0]))
      : Self.bytePanels(weight, layout)
  }

  private static func floatPanels(_ weight: Tensor, _ layout: MatrixTiles.Layout) -> Tensor {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let count = (outputs + layout.columns - 1) / layout.columns
    var panels = Tensor(uninitialized: [count * layout.columns * inputs])
    let (w, p) = (weight.floats, panels.mutableFloats)
    TensorThreads.split(count, grain: 1) { range in
      for panel in range {
        let first = panel * layout.columns
        MatrixTiles.interleave(
          w, at: first * inputs, stride: inputs, rows: min(layout.columns, outputs - first),
          units: inputs, into: p, at: first * inputs, width: layout.columns)
      }
    }
    return panels
  }

  private static func bytePanels(
    _ weight: Tensor, _ layout: MatrixTiles.Layout
  ) -> (panels: Tensor, scales: Tensor) {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let count = (outputs + layout.columns - 1) / layout.columns
    let units = layout.units(of: inputs)
    // One byte a weight.
    let size = units * layout.columns * layout.group / 4
    var panels = Tensor(uninitialized: [count * size])
    var scales = Tensor(shape: [count * layout.columns])
    let (w, p, s) = (weight.floats, panels.mutableFloats, scales.mutableFloats)
    TensorThreads.split(count, grain: 1) { range in
      var row = Tensor(uninitialized: [inputs / 4 + 2])
      let bytes = row.mutableFloats
      for panel in range {
        for lane in 0..<layout.columns {
          let output = panel * layout.columns + lane
          var scale: Float = 0
          if output < outputs {
            scale = MatrixTiles.quantizeWeights(w, at: output * inputs, count: inputs, into: bytes)
          } else {
            bytes.fill(0..<bytes.count, with: 0)
          }
          s[output] = scale
          MatrixTiles.placeWeights(
            bytes, count: inputs, lane: lane, layout: layout, into: p, at: panel * size,
            units: units)
        }
      }
    }
    return (panels, scales)
  }

  /// Bytes of the weights as they are laid out.
  public var byteCount: Int { (panels.count + scales.count + bias.count) * 4 }
}
