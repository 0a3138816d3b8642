extension Tensor {
  /// One step of long short-term memory: the gates open, the cell moves.
  ///
  /// With i, f, o = σ and g = tanh of the four quarters: c' = f·c + i·g and h' = o·tanh(c').
  ///
  /// - Parameters:
  ///   - gates: `[N, 4·H]`: columns of i, then f, g and o, before their functions.
  ///   - cell: `[N, H]`, c.
  /// - Returns: h' and c', `[N, H]` each, and the gates behind their functions, which the gradient needs.
  /// - Source: Hochreiter and Schmidhuber 1997 with forget gates, in torch's `nn.LSTM` order.
  public static func lstmStep(gates: Tensor, cell: Tensor) -> (
    hidden: Tensor, cell: Tensor, gates: Tensor
  ) {
    let width = cell.columns
    precondition(
      cell.shape.count == 2 && gates.shape == [cell.shape[0], 4 * width],
      "lstmStep: gates \(gates.shape) for a cell \(cell.shape)")
    var hidden = Tensor(uninitialized: cell.shape)
    var next = Tensor(uninitialized: cell.shape)
    var open = Tensor(uninitialized: gates.shape)
    let (x, c) = (gates.floats, cell.floats)
    let (h, moved, a) = (hidden.mutableFloats, next.mutableFloats, open.mutableFloats)
    TensorThreads.split(cell.shape[0], grain: max(1, elementwiseGrain / (8 * max(1, width)))) {
      for row in $0 {
        let (gate, state) = (row * 4 * width, row * width)
        eachPart(of: width) { index, lanes in
          let i = Lanes.sigmoid(x.part(gate + index, lanes))
          let f = Lanes.sigmoid(x.part(gate + width + index, lanes))
          let g = Lanes.tanh(x.part(gate + 2 * width + index, lanes))
          let o = Lanes.sigmoid(x.part(gate + 3 * width + index, lanes))
          let new = (i * g).addingProduct(f, c.part(state + index, lanes))
          a.setPart(gate + index, lanes, i)
          a.setPart(gate + width + index, lanes, f)
          a.setPart(gate + 2 * width + index, lanes, g)
          a.setPart(gate + 3 * width + index, lanes, o)
          moved.setPart(state + index, lanes, new)
          h.setPart(state + index, lanes, o * Lanes.tanh(new))
        }
      }
    }
    return (hidden, next, open)
  }

  /// The gradients of `lstmStep`.
  ///
  /// - Parameters:
  ///   - hiddenGradient: `[N, H]`, of h'.
  ///   - cellGradient: `[N, H]`, of c'.
  ///   - gates: Behind their functions.
  ///   - cell: c, before the step.
  ///   - next: c', behind it.
  /// - Returns: Of the gates before their functions, `[N, 4·H]`, and of c, `[N, H]`.
  public static func lstmStepGradient(
    hiddenGradient: Tensor, cellGradient: Tensor, gates: Tensor, cell: Tensor, next: Tensor
  ) -> (gates: Tensor, cell: Tensor) {
    let width = cell.columns
    var gateGradient = Tensor(uninitialized: gates.shape)
    var before = Tensor(uninitialized: cell.shape)
    let (dh, dn, a, c, n) = (
      hiddenGradient.floats, cellGradient.floats, gates.floats, cell.floats, next.floats
    )
    let (dx, dc) = (gateGradient.mutableFloats, before.mutableFloats)
    TensorThreads.split(cell.shape[0], grain: max(1, elementwiseGrain / (8 * max(1, width)))) {
      for row in $0 {
        let (gate, state) = (row * 4 * width, row * width)
        eachPart(of: width) { index, lanes in
          let i = a.part(gate + index, lanes)
          let f = a.part(gate + width + index, lanes)
          let g = a.part(gate + 2 * width + index, lanes)
          let o = a.part(gate + 3 * width + index, lanes)
          let bent = Lanes.tanh(n.part(state + index, lanes))
          let upstream = dh.part(state + index, lanes)
          let total = dn.part(state + index, lanes)
            .addingProduct(upstream * o, 1 - bent * bent)
          let old = c.part(state + index, lanes)
          dx.setPart(gate + index, lanes, total * g * i * (1 - i))
          dx.setPart(gate + width + index, lanes, total * old * f * (1 - f))
          dx.setPart(gate + 2 * width + index, lanes, total * i * (1 - g * g))
          dx.setPart(gate + 3 * width + index, lanes, upstream * bent * o * (1 - o))
          dc.setPart(state + index, lanes, total * f)
        }
      }
    }
    return (gateGradient, before)
  }
}

/// Calls `body` for each eight lanes of a row, and for what is left with how many these are.
@inline(__always) private func eachPart(of width: Int, _ body: (_ index: Int, _ lanes: Int) -> Void)
{
  for index in stride(from: 0, to: width, by: 8) { body(index, min(8, width - index)) }
}

extension Floats {
  @inline(__always) fileprivate func part(_ index: Int, _ lanes: Int) -> SIMD8<Float> {
    lanes == 8 ? self[lanes: index] : partial(index, width: lanes)
  }

  @inline(__always) fileprivate func setPart(_ index: Int, _ lanes: Int, _ value: SIMD8<Float>) {
    if lanes == 8 { self[lanes: index] = value } else { setPartial(index, width: lanes, value) }
  }
}
