import Autograd
import TensorEngine
import Testing

/// Convolutions, pools and batch normalisation against the plainest loops and differences of the values.
struct ConvolutionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var x: [Int]
    var weight: [Int]
    var stride = 1
    var padding = 0
    var groups = 1
    var testDescription: String { "\(x) by \(weight), \(stride), \(padding), \(groups)" }
  }

  static let cases = [
    Case(x: [2, 5, 4, 3], weight: [4, 3, 3, 3], padding: 1),
    Case(x: [1, 7, 6, 2], weight: [3, 2, 3, 3], stride: 2, padding: 1),
    Case(x: [2, 3, 3, 5], weight: [9, 5, 1, 1]),
    Case(x: [1, 5, 5, 4], weight: [6, 2, 3, 3], padding: 1, groups: 2),
    Case(x: [2, 4, 4, 6], weight: [6, 1, 3, 3], padding: 1, groups: 6),
    Case(x: [1, 4, 4, 6], weight: [4, 3, 1, 1], groups: 2),
    Case(x: [1, 6, 5, 3], weight: [2, 3, 2, 4], stride: 3, padding: 2),
    Case(x: [1, 5, 7, 9], weight: [8, 9, 1, 1], stride: 2),
    // A window that lies in the border alone at the corners.
    Case(x: [1, 2, 2, 2], weight: [3, 2, 2, 2], padding: 2),
  ]

  /// Seven loops in Double.
  private func reference(_ x: Tensor, _ w: Tensor, _ bias: [Float], _ sizes: Case) -> [Double] {
    let (height, width, channels) = (sizes.x[1], sizes.x[2], sizes.x[3])
    let (outputs, each, kh, kw) = (
      sizes.weight[0], sizes.weight[1], sizes.weight[2], sizes.weight[3]
    )
    let rows = (height + 2 * sizes.padding - kh) / sizes.stride + 1
    let columns = (width + 2 * sizes.padding - kw) / sizes.stride + 1
    let (pixels, filters) = (x.values, w.values)
    var result: [Double] = []
    for picture in 0..<sizes.x[0] {
      for row in 0..<rows {
        for column in 0..<columns {
          for output in 0..<outputs {
            let group = output / (outputs / sizes.groups)
            var sum = Double(bias[output])
            for dy in 0..<kh {
              for dx in 0..<kw {
                let (py, px) = (
                  row * sizes.stride - sizes.padding + dy,
                  column * sizes.stride - sizes.padding + dx
                )
                guard (0..<height).contains(py), (0..<width).contains(px) else { continue }
                for channel in 0..<each {
                  let pixel =
                    ((picture * height + py) * width + px) * channels + group * each + channel
                  let filter = ((output * each + channel) * kh + dy) * kw + dx
                  sum += Double(pixels[pixel]) * Double(filters[filter])
                }
              }
            }
            result.append(sum)
          }
        }
      }
    }
    return result
  }

  @Test("a convolution equals seven loops", arguments: cases)
  func values(_ sizes: Case) {
    let (x, w) = (randomTensor(sizes.x, seed: 1), randomTensor(sizes.weight, seed: 2))
    let bias = randomTensor([sizes.weight[0]], seed: 3)
    let y = conv2d(
      Variable(x), Variable(w), Variable(bias), stride: sizes.stride, padding: sizes.padding,
      groups: sizes.groups)
    let expected = reference(x, w, bias.values, sizes)
    #expect(y.value.count == expected.count)
    // 1e-6: at most 50 products of order 1 in Float.
    #expect(relativeDistance(y.value.values.map(Double.init), expected) < 1e-6)
  }

  @Test("a convolution's gradients for picture, weight and bias", arguments: cases)
  func gradients(_ sizes: Case) {
    let inputs = [
      randomTensor(sizes.x, seed: 4), randomTensor(sizes.weight, seed: 5, scale: 0.3),
      randomTensor([sizes.weight[0]], seed: 6),
    ]
    expectGradients(of: inputs) {
      conv2d(
        $0[0], $0[1], $0[2], stride: sizes.stride, padding: sizes.padding, groups: sizes.groups)
    }
    expectGradients(of: Array(inputs.prefix(2))) {
      conv2d($0[0], $0[1], stride: sizes.stride, padding: sizes.padding, groups: sizes.groups)
    }
  }

  @Test("pieces of work join: a picture of several equals its rows of loops")
  func pieces() {
    // 3 · 40 · 40 places are 3 pieces of at most 2,048.
    let sizes = Case(x: [3, 40, 40, 2], weight: [3, 2, 3, 3], padding: 1)
    let (x, w) = (randomTensor(sizes.x, seed: 7), randomTensor(sizes.weight, seed: 8))
    let y = x.convolved(w, padding: 1)
    #expect(
      relativeDistance(
        y.values.map(Double.init), reference(x, w, [0, 0, 0], sizes)) < 1e-6)
    // The weight's gradient is linear in the picture: ⟨dW, W⟩ = ⟨y, dy⟩ = ⟨dx, x⟩.
    let dy = randomTensor(y.shape, seed: 9)
    let dw = x.convolutionWeightGradient(
      dy, weightShape: w.shape, stride: 1, padding: 1, groups: 1)
    let dx = Tensor.convolutionInputGradient(
      dy, weight: w, shape: x.shape, stride: 1, padding: 1, groups: 1)
    let whole = Double(y.dot(dy))
    // 14,400 products of order 10 in Float, whose sum is some 500.
    #expect(abs(Double(dw.dot(w)) - whole) < 1e-2)
    #expect(abs(Double(dx.dot(x)) - whole) < 1e-2)
  }

  @Test("the epilogue scales, shifts, adds and cuts in this order", arguments: [3, 8, 13])
  func epilogue(outputs: Int) {
    let (x, w) = (
      randomTensor([2, 3, 3, 4], seed: 10), randomTensor([outputs, 4, 1, 1], seed: 11)
    )
    let (scale, shift) = (randomTensor([outputs], seed: 12), randomTensor([outputs], seed: 13))
    let residual = randomTensor([2, 3, 3, outputs], seed: 14)
    let plain = x.convolved(w).values
    let y = x.convolved(
      w,
      epilogue: ConvolutionEpilogue(scale: scale, shift: shift, residual: residual, relu: true))
    let expected = plain.enumerated().map { index, value in
      max(
        0,
        Double(value) * Double(scale.values[index % outputs])
          + Double(shift.values[index % outputs]) + Double(residual.values[index]))
    }
    // 1e-6: three roundings.
    #expect(relativeDistance(y.values.map(Double.init), expected) < 1e-6)
    #expect(expected.contains(0) && expected.contains { $0 > 0 })
  }

  @Test(
    "average pools with leftovers and overlaps",
    arguments: [
      ([2, 4, 4, 3], 2, 2), ([1, 5, 7, 9], 2, 2), ([2, 5, 5, 2], 3, 1), ([1, 3, 3, 8], 3, 3),
    ])
  func pools(shape: [Int], size: Int, stride: Int) {
    let x = randomTensor(shape, seed: 15)
    // A mean is a convolution of each channel by itself with equal weights.
    let weight = Tensor(shape: [shape[3], 1, size, size], repeating: 1 / Float(size * size))
    let expected = x.convolved(weight, stride: stride, groups: shape[3])
    let y = averagePool2d(Variable(x), size, stride: stride).value
    #expect(y.shape == expected.shape)
    #expect(relativeDistance(y.values.map(Double.init), expected.values.map(Double.init)) < 1e-6)
    expectGradients(of: [x]) { averagePool2d($0[0], size, stride: stride) }
  }

  @Test("batch normalisation", arguments: [[7, 3], [2, 3, 3, 8], [600, 1], [3, 2, 2, 13]])
  func batchNorms(shape: [Int]) {
    let channels = shape[shape.count - 1]
    let inputs = [
      randomTensor(shape, seed: 16, scale: 2, offset: 1), randomTensor([channels], seed: 17),
      randomTensor([channels], seed: 18),
    ]
    let (mean, variance) = inputs[0].columnMoments()
    let rows = inputs[0].count / channels
    for channel in 0..<channels {
      let column = (0..<rows).map { Double(inputs[0].values[$0 * channels + channel]) }
      let average = column.reduce(0, +) / Double(rows)
      let spread = column.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(rows)
      // 1e-5: 256 additions in Float at most.
      #expect(abs(Double(mean.values[channel]) - average) < 1e-5)
      #expect(abs(Double(variance.values[channel]) / spread - 1) < 1e-5)
    }
    expectGradients(of: inputs) { batchNorm($0[0], $0[1], $0[2]).value }
    let given = Tensor(shape: [channels], (0..<channels).map { 0.5 + Float($0) * 0.1 })
    expectGradients(of: inputs) {
      batchNorm($0[0], $0[1], $0[2], mean: given, variance: given, epsilon: 0.1)
    }
  }
}
