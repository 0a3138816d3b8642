/// How the window of a convolution lies over pictures `[B, H, W, C]`, and the matrix of what it sees.
struct ConvolutionWindow: Sendable {
  let batch: Int
  let height: Int
  let width: Int
  /// Of the picture; the window sees `channels / groups` of them at a time.
  let channels: Int
  /// Of the result.
  let outputs: Int
  let kernelHeight: Int
  let kernelWidth: Int
  let stride: Int
  let padding: Int
  let groups: Int

  var channelsEach: Int { channels / groups }
  var outputsEach: Int { outputs / groups }
  var outputHeight: Int { (height + 2 * padding - kernelHeight) / stride + 1 }
  var outputWidth: Int { (width + 2 * padding - kernelWidth) / stride + 1 }
  /// Places of the window: rows of the matrix.
  var places: Int { batch * outputHeight * outputWidth }
  /// Numbers seen at one place by one group: columns of the matrix.
  var seen: Int { kernelHeight * kernelWidth * channelsEach }
  /// Whether the picture is that matrix already.
  var isPointwise: Bool { kernelHeight == 1 && kernelWidth == 1 && stride == 1 && padding == 0 }

  /// The rows of one piece of work: their matrix stays near the cache, and the weights that
  /// OpenBLAS packs anew for each piece pay off.
  var rowsPerPiece: Int { min(2048, max(256, 131_072 / max(1, seen))) }

  init(_ x: [Int], _ weight: [Int], stride: Int, padding: Int, groups: Int) {
    precondition(
      x.count == 4 && weight.count == 4 && stride > 0 && padding >= 0 && groups > 0
        && weight[2] > 0 && weight[3] > 0 && x[3] == weight[1] * groups && weight[0] % groups == 0
        && x[1] + 2 * padding >= weight[2] && x[2] + 2 * padding >= weight[3],
      "conv2d: \(x) by \(weight), stride \(stride), padding \(padding), \(groups) groups")
    (batch, height, width, channels) = (x[0], x[1], x[2], x[3])
    (outputs, kernelHeight, kernelWidth) = (weight[0], weight[2], weight[3])
    (self.stride, self.padding, self.groups) = (stride, padding, groups)
  }

  /// Writes what `group` sees at each of `places`, row by row, from the start of `matrix`.
  func gather(_ x: Floats, _ places: Range<Int>, group: Int, into matrix: Floats) {
    eachRun(places, group: group, length: seen) { target, source, length in
      if let source {
        matrix.copy(from: x, at: source, to: target, length: length)
      } else {
        matrix.fill(target..<target + length, with: 0)
      }
    }
  }

  /// Adds each row of `matrix` to the pixels that `gather` took it from.
  func scatterAdd(_ matrix: Floats, _ places: Range<Int>, group: Int, into x: Floats) {
    eachRun(places, group: group, length: seen) { from, to, length in
      guard let to else { return }
      eachLane(of: 0..<length) { index in
        x[lanes: to + index] += matrix[lanes: from + index]
      } tail: { index, width in
        for lane in index..<index + width { x[to + lane] += matrix[from + lane] }
      }
    }
  }

  /// Calls `body` with a place in the matrix, one in the picture (nil in the border) and a length.
  @inline(__always) private func eachRun(
    _ places: Range<Int>, group: Int, length: Int,
    _ body: (_ matrix: Int, _ picture: Int?, _ length: Int) -> Void
  ) {
    let each = channelsEach
    let (rows, columns) = (outputHeight, outputWidth)
    var target = 0
    for place in places {
      let left = place % columns * stride - padding
      let top = place / columns % rows * stride - padding
      let picture = place / (columns * rows) * height
      let isInside = groups == 1 && left >= 0 && left + kernelWidth <= width
      for y in top..<top + kernelHeight {
        if y < 0 || y >= height {
          body(target, nil, kernelWidth * each)
          target += kernelWidth * each
        } else if isInside {
          // Neighbours lie side by side.
          body(target, ((picture + y) * width + left) * channels, kernelWidth * each)
          target += kernelWidth * each
        } else {
          for x in left..<left + kernelWidth {
            let source = ((picture + y) * width + x) * channels + group * each
            body(target, x < 0 || x >= width ? nil : source, each)
            target += each
          }
        }
      }
    }
  }
}
