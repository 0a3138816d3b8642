/// What follows a convolution while its results are still in the cache, in this order:
/// y·scale + shift + residual, then max(y, 0).
public struct ConvolutionEpilogue: Sendable {
  /// One factor per channel.
  public var scale: Tensor?
  /// One addend per channel; a bias, where there is no scale.
  public var shift: Tensor?
  /// Of the shape of the result.
  public var residual: Tensor?
  public var relu: Bool

  public init(
    scale: Tensor? = nil, shift: Tensor? = nil, residual: Tensor? = nil, relu: Bool = false
  ) {
    (self.scale, self.shift, self.residual, self.relu) = (scale, shift, residual, relu)
  }

  func check(outputs: Int, count: Int) {
    precondition(
      scale?.count ?? outputs == outputs && shift?.count ?? outputs == outputs
        && residual?.count ?? count == count,
      "conv2d: \(outputs) channels, scale \(scale?.shape ?? []), shift \(shift?.shape ?? []), "
        + "residual \(residual?.shape ?? [])")
  }

  var isEmpty: Bool { scale == nil && shift == nil && residual == nil && !relu }

  func apply(to y: Floats, rows: Range<Int>, columns: Int) {
    if isEmpty { return }
    let (factors, addends, others) = (scale?.floats, shift?.floats, residual?.floats)
    for row in rows {
      let start = row * columns
      eachLane(of: 0..<columns) { index in
        var lanes = y[lanes: start + index]
        let addend = addends.map { $0[lanes: index] } ?? .zero
        lanes = factors.map { addend.addingProduct(lanes, $0[lanes: index]) } ?? lanes + addend
        if let others { lanes += others[lanes: start + index] }
        y[lanes: start + index] = relu ? lanes.replacing(with: 0, where: lanes .< 0) : lanes
      } tail: { index, width in
        for lane in index..<index + width {
          var value = y[start + lane] * (factors?[lane] ?? 1) + (addends?[lane] ?? 0)
          if let others { value += others[start + lane] }
          y[start + lane] = relu && value < 0 ? 0 : value
        }
      }
    }
  }
}

extension Tensor {
  /// A two-dimensional convolution (cross-correlation, as torch calls it) of pictures, channels last.
  ///
  /// Windows are gathered piece by piece into a matrix that stays near the cache and multiplied by
  /// sgemm; with a window of one pixel the picture is that matrix. The same bits for any number of threads
  /// where there is more than one piece of work.
  ///
  /// - Parameters:
  ///   - weight: `[O, C / groups, kernelHeight, kernelWidth]`, torch's layout.
  ///   - stride: Pixels from window to window, in both directions.
  ///   - padding: Pixels of 0 around the picture.
  ///   - groups: Parts of the channels that do not see each other.
  ///   - epilogue: What follows; a bias is its shift.
  /// - Returns: `[B, H', W', O]` from `[B, H, W, C]`, H' = (H + 2·padding − kernelHeight) / stride + 1.
  public func convolved(
    _ weight: Tensor, stride: Int = 1, padding: Int = 0, groups: Int = 1,
    epilogue: ConvolutionEpilogue = ConvolutionEpilogue()
  ) -> Tensor {
    let window = ConvolutionWindow(
      shape, weight.shape, stride: stride, padding: padding, groups: groups)
    let (outputs, seen) = (window.outputs, window.seen)
    var result = Tensor(
      uninitialized: [window.batch, window.outputHeight, window.outputWidth, outputs])
    epilogue.check(outputs: outputs, count: result.count)
    let filters = weight.channelsLastFilters
    let (x, w, y) = (floats, filters.floats, result.mutableFloats)
    window.eachPiece { places in
      var matrix = Tensor(uninitialized: [window.isPointwise ? 0 : places.count * seen])
      let gathered = matrix.mutableFloats
      for group in 0..<groups {
        var left = BLAS.Matrix(floats: gathered, stride: seen)
        if window.isPointwise {
          left = BLAS.Matrix(
            floats: x, offset: places.lowerBound * window.channels + group * window.channelsEach,
            stride: window.channels)
        } else {
          window.gather(x, places, group: group, into: gathered)
        }
        BLAS.sgemm(
          m: places.count, n: window.outputsEach, k: seen, left,
          BLAS.Matrix(floats: w, offset: group * window.outputsEach * seen, stride: seen),
          transposeB: true,
          into: BLAS.Matrix(
            floats: y, offset: places.lowerBound * outputs + group * window.outputsEach,
            stride: outputs))
      }
      epilogue.apply(to: y, rows: places, columns: outputs)
    }
    return result
  }

  /// The gradient of `convolved` with respect to the picture, which has the shape `shape`.
  public static func convolutionInputGradient(
    _ gradient: Tensor, weight: Tensor, shape: [Int], stride: Int, padding: Int, groups: Int
  ) -> Tensor {
    let window = ConvolutionWindow(
      shape, weight.shape, stride: stride, padding: padding, groups: groups)
    let (outputs, seen) = (window.outputs, window.seen)
    var result = Tensor(shape: shape)
    let filters = weight.channelsLastFilters
    let (dy, w, dx) = (gradient.floats, filters.floats, result.mutableFloats)
    let perPicture = window.outputHeight * window.outputWidth
    // Windows overlap inside a picture only.
    TensorThreads.forEach(window.batch) { picture in
      let end = (picture + 1) * perPicture
      for start in Swift.stride(from: picture * perPicture, to: end, by: window.rowsPerPiece) {
        let places = start..<min(end, start + window.rowsPerPiece)
        var matrix = Tensor(uninitialized: [places.count * seen])
        let spread = matrix.mutableFloats
        for group in 0..<groups {
          BLAS.sgemm(
            m: places.count, n: seen, k: window.outputsEach,
            BLAS.Matrix(
              floats: dy, offset: places.lowerBound * outputs + group * window.outputsEach,
              stride: outputs),
            BLAS.Matrix(floats: w, offset: group * window.outputsEach * seen, stride: seen),
            into: BLAS.Matrix(floats: spread, stride: seen))
          window.scatterAdd(spread, places, group: group, into: dx)
        }
      }
    }
    return result
  }

  /// The gradient of `convolved` with respect to the weight, which has the shape `weightShape`.
  public func convolutionWeightGradient(
    _ gradient: Tensor, weightShape: [Int], stride: Int, padding: Int, groups: Int
  ) -> Tensor {
    let window = ConvolutionWindow(
      shape, weightShape, stride: stride, padding: padding, groups: groups)
    let (outputs, seen) = (window.outputs, window.seen)
    var sums = Tensor(
      shape: [outputs, window.kernelHeight, window.kernelWidth, window.channelsEach])
    let (x, dy, dw) = (floats, gradient.floats, sums.mutableFloats)
    // Pieces add up in order; the threads share each product.
    for start in Swift.stride(from: 0, to: window.places, by: window.rowsPerPiece) {
      let places = start..<min(window.places, start + window.rowsPerPiece)
      var matrix = Tensor(uninitialized: [places.count * seen])
      let gathered = matrix.mutableFloats
      for group in 0..<groups {
        window.gather(x, places, group: group, into: gathered)
        BLAS.sharedSgemm(
          m: window.outputsEach, n: seen, k: places.count,
          BLAS.Matrix(
            floats: dy, offset: start * outputs + group * window.outputsEach, stride: outputs),
          transposeA: true, BLAS.Matrix(floats: gathered, stride: seen), beta: 1,
          into: BLAS.Matrix(
            floats: dw, offset: group * window.outputsEach * seen, stride: seen))
      }
    }
    return sums.transposed([0, 3, 1, 2])
  }

  /// `[O, kernelHeight, kernelWidth, C]` from torch's `[O, C, kernelHeight, kernelWidth]`.
  private var channelsLastFilters: Tensor {
    let (channels, field) = (shape[1], shape[2] * shape[3])
    if field == 1 || channels == 1 { return self }
    var result = Tensor(uninitialized: [shape[0], shape[2], shape[3], channels])
    let (x, y) = (floats, result.mutableFloats)
    let length = channels * field
    TensorThreads.split(shape[0], grain: max(1, elementwiseGrain / length)) { range in
      for output in range {
        for place in 0..<field {
          let (from, to) = (output &* length &+ place, output &* length &+ place &* channels)
          for channel in 0..<channels { y[to &+ channel] = x[from &+ channel &* field] }
        }
      }
    }
    return result
  }
}

extension ConvolutionWindow {
  /// Runs `body` over all places in pieces whose cut does not depend on the number of threads.
  fileprivate func eachPiece(_ body: @Sendable (Range<Int>) -> Void) {
    let rows = rowsPerPiece
    TensorThreads.forEach((places + rows - 1) / rows) { piece in
      body(piece * rows..<min(places, (piece + 1) * rows))
    }
  }
}
