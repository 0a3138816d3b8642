import Autograd
import TensorEngine
import Testing

/// Every rule against differences of the values, on sizes around the eight lanes.
struct GradientTests {
  static let pairs: [([Int], [Int])] = [
    ([3, 7], [3, 7]), ([2, 3, 9], [9]), ([2, 3, 9], [3, 9]), ([5], []), ([], [4, 3]), ([1], [6]),
    ([7], [2, 7]), ([1, 1], [1]), ([17], [1]),
  ]

  @Test("+ − × ÷ with equal, repeated and scalar operands", arguments: pairs)
  func arithmetic(a: [Int], b: [Int]) {
    let (x, y) = (randomTensor(a, seed: 1), randomTensor(b, seed: 2, scale: 0.2, offset: 2))
    expectGradients(of: [x, y]) { $0[0] + $0[1] }
    expectGradients(of: [x, y]) { $0[0] - $0[1] }
    expectGradients(of: [x, y]) { $0[0] * $0[1] }
    expectGradients(of: [x, y]) { $0[0] / $0[1] }
  }

  @Test("a variable used twice collects both gradients")
  func sharedOperand() {
    expectGradients(of: [randomTensor([5], seed: 3)]) { ($0[0] * $0[0] + $0[0]) - $0[0].exp() }
  }

  @Test("functions of one variable", arguments: [[1], [7], [3, 8], [2, 3, 5]])
  func functions(shape: [Int]) {
    let x = randomTensor(shape, seed: 4)
    let positive = Tensor(shape: shape, x.values.map { abs($0) + 0.5 })
    expectGradients(of: [x]) { $0[0].exp() }
    expectGradients(of: [positive]) { $0[0].log() }
    expectGradients(of: [positive]) { $0[0].sqrt() }
    expectGradients(of: [x]) { $0[0].tanh() }
    expectGradients(of: [x]) { $0[0].sigmoid() }
    expectGradients(of: [x]) { $0[0].scaled(by: -1.5).shifted(by: 2) }
    expectGradients(of: [x]) { -$0[0] }
    expectGradients(of: [positive]) { $0[0].relu() }
    for kind in GELU.allCases { expectGradients(of: [x]) { gelu($0[0], kind) } }
  }

  @Test("ReLU passes nothing where its input is negative or 0")
  func relu() throws {
    let x = Variable(Tensor(shape: [3], [-1, 0, 2]), requiresGradient: true)
    x.relu().sum().backward()
    #expect(try #require(x.gradient).values == [0, 0, 1])
  }

  @Test("functions of rows", arguments: [[1, 1], [3, 7], [2, 33], [2, 3, 8]])
  func rows(shape: [Int]) {
    let x = randomTensor(shape, seed: 5)
    expectGradients(of: [x]) { $0[0].softmax() }
    expectGradients(of: [x]) { $0[0].logSumExp() }
    // The unit vector of one number is constant; there is nothing to compare.
    if shape[1] > 1 { expectGradients(of: [x]) { $0[0].l2Normalized() } }
  }

  @Test("matrix products with every transpose", arguments: [false, true], [false, true])
  func products(transposeA: Bool, transposeB: Bool) {
    func check(_ a: [Int], _ b: [Int]) {
      func sides(_ shape: [Int], _ swap: Bool) -> [Int] {
        swap ? shape.dropLast(2) + [shape[shape.count - 1], shape[shape.count - 2]] : shape
      }
      let x = randomTensor(sides(a, transposeA), seed: 6)
      let y = randomTensor(sides(b, transposeB), seed: 7)
      expectGradients(of: [x, y]) {
        matmul($0[0], $0[1], transposeA: transposeA, transposeB: transposeB)
      }
    }
    check([3, 5], [5, 2])
    check([1, 1], [1, 9])
    check([2, 3, 4], [2, 4, 3])
    check([2, 2, 3, 4], [2, 2, 4, 1])
    check([2, 3, 4], [4, 5])
  }

  @Test("linear maps with and without bias and activation", arguments: [[5], [3, 5], [2, 2, 5]])
  func linearMaps(shape: [Int]) {
    let (x, w) = (randomTensor(shape, seed: 8), randomTensor([9, 5], seed: 9, scale: 0.4))
    let b = randomTensor([9], seed: 10)
    expectGradients(of: [x, w]) { linear($0[0], $0[1]) }
    expectGradients(of: [x, w, b]) { linear($0[0], $0[1], $0[2]) }
    for kind in GELU.allCases {
      expectGradients(of: [x, w, b]) { linear($0[0], $0[1], $0[2], activation: kind) }
      expectGradients(of: [x, w]) { linear($0[0], $0[1], nil, activation: kind) }
    }
  }

  @Test("layer norm of odd widths", arguments: [[1, 3], [3, 7], [4, 40], [2, 3, 8]])
  func layerNorms(shape: [Int]) {
    let width = shape[shape.count - 1]
    let inputs = [
      randomTensor(shape, seed: 11, scale: 2, offset: 1), randomTensor([width], seed: 12),
      randomTensor([width], seed: 13),
    ]
    expectGradients(of: inputs) { layerNorm($0[0], $0[1], $0[2]) }
    expectGradients(of: Array(inputs.prefix(2))) {
      layerNorm($0[0], $0[1], nil, epsilon: 0.1)
    }
  }

  @Test("norms of what a GELU gives, read by what needs their value")
  func normsOfGELUs() {
    let (x, gain) = (randomTensor([9, 7], seed: 23), randomTensor([7], seed: 24, offset: 1))
    let w = randomTensor([4, 7], seed: 25)
    // Each reader has the norm made again, before the norm's own rule wants the GELU's value. 1e-3: they bend more.
    expectGradients(of: [x, gain, w], tolerance: 1e-3) {
      let y = layerNorm(gelu($0[0], .exact), $0[1], nil)
      return linear(y, $0[2]) + linear(y * y, $0[2])
    }
    expectGradients(of: [x, gain, w], tolerance: 1e-3) {
      linear(batchNorm(gelu($0[0], .tanh), $0[1], $0[1]).value, $0[2], nil, activation: .quick)
    }
    let square = randomTensor([7, 7], seed: 26, scale: 0.4)
    expectGradients(of: [x, gain, square], tolerance: 1e-3) {
      let y = linear($0[0], $0[2], $0[1], activation: .exact)
      return linear(layerNorm(layerNorm(y, $0[1], $0[1]), $0[1], nil), $0[2]) + y
    }
  }

  @Test(
    "attention over packed sequences", arguments: [[1], [2, 1, 5], [9], [3, 8]], [false, true])
  func selfAttention(lengths: [Int], causal: Bool) {
    let qkv = randomTensor([lengths.reduce(0, +), 3 * 6], seed: 14)
    for heads in [1, 2, 3] {
      expectGradients(of: [qkv]) {
        attention($0[0], lengths: lengths, heads: heads, causal: causal)
      }
    }
  }

  @Test("attention of queries over other rows", arguments: [false, true])
  func crossAttention(causal: Bool) {
    let (queries, keys) = ([2, 1, 3], [4, 1, 9])
    let inputs = [
      randomTensor([6, 4], seed: 15), randomTensor([14, 4], seed: 16),
      randomTensor([14, 4], seed: 17),
    ]
    expectGradients(of: inputs) {
      attention(
        $0[0], $0[1], $0[2], queryLengths: queries, keyLengths: keys, heads: 2, causal: causal)
    }
    expectGradients(of: [inputs[0], randomTensor([14, 8], seed: 18)]) {
      attention(
        $0[0], keysAndValues: $0[1], queryLengths: queries, keyLengths: keys, heads: 2,
        causal: causal)
    }
  }

  @Test("sums and means", arguments: 0..<3)
  func sums(axis: Int) {
    let x = randomTensor([3, 2, 9], seed: 18)
    expectGradients(of: [x]) { $0[0].sum() }
    expectGradients(of: [x]) { $0[0].mean() }
    expectGradients(of: [x]) { $0[0].sum(axis: axis) }
    expectGradients(of: [x]) { $0[0].mean(axis: axis) }
    expectGradients(of: [x]) { $0[0].repeated(2, axis: axis) }
  }

  @Test("moves of elements")
  func moves() {
    let x = randomTensor([3, 2, 5], seed: 19)
    expectGradients(of: [x]) { $0[0].reshaped([5, -1]) }
    for axes in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
      expectGradients(of: [x]) { $0[0].transposed(axes) }
    }
    expectGradients(of: [x]) { $0[0].transposed() }
    for axis in 0..<3 {
      expectGradients(of: [x, x]) { concatenated([$0[0], $0[1], $0[0]], axis: axis) }
      expectGradients(of: [x]) { $0[0].slice(axis: axis, 1..<2) }
    }
    expectGradients(of: [x]) { gatherRows($0[0], [2, 0, 2, 2] as [Int]) }
    expectGradients(of: [randomTensor([3, 5], seed: 20), randomTensor([2, 5], seed: 21)]) {
      addRows($0[0], $0[1], [1, 0, 1])
    }
  }

  @Test("cross-entropy", arguments: [[1, 1], [3, 7], [2, 33]])
  func crossEntropies(shape: [Int]) {
    let targets = (0..<shape[0]).map { Int32($0 * 5 % shape[1]) }
    // With one class the loss is constant.
    if shape[1] > 1 {
      expectGradients(of: [randomTensor(shape, seed: 22)]) { crossEntropy($0[0], targets) }
    }
  }
}

/// The operations of what comes after CLIP.
struct LaterOperationTests {
  @Test("a step of an LSTM, of widths around the eight lanes", arguments: [1, 3, 8, 13])
  func lstm(width: Int) {
    let (gates, cell) = (
      randomTensor([3, 4 * width], seed: 1), randomTensor([3, width], seed: 2)
    )
    expectGradients(of: [gates, cell]) { lstmStep(gates: $0[0], cell: $0[1]).hidden }
    expectGradients(of: [gates, cell]) { lstmStep(gates: $0[0], cell: $0[1]).cell }
    expectGradients(of: [gates, cell]) {
      let step = lstmStep(gates: $0[0], cell: $0[1])
      return step.hidden + step.cell * step.cell
    }
  }

  @Test("group norm, of one group, several, and one channel each", arguments: [1, 2, 6])
  func groupNorms(groups: Int) {
    let inputs = [
      randomTensor([2, 3, 1, 6], seed: 3), randomTensor([6], seed: 4), randomTensor([6], seed: 5),
    ]
    expectGradients(of: inputs, tolerance: 2e-3) {
      groupNorm($0[0], $0[1], $0[2], groups: groups, epsilon: 1e-2)
    }
  }

  @Test("resampling up and down, and rows put in their places")
  func resampling() {
    expectGradients(of: [randomTensor([2, 2, 3, 3], seed: 6)]) { upsampledNearest($0[0], 2) }
    let weights = randomTensor([5, 3], seed: 7)
    for axis in [0, 1, 2] {
      var shape = [2, 4, 2]
      shape[axis] = 3
      expectGradients(of: [randomTensor(shape, seed: 8)]) {
        resampled($0[0], axis: axis, weights: weights)
      }
    }
    expectGradients(of: [randomTensor([3, 4], seed: 9)]) {
      scatteredRows($0[0], at: [4, 1, 4], count: 6)
    }
    let rows = scatteredRows(
      Variable(Tensor(shape: [3, 1], [1, 2, 4])), at: [2, 0, 2], count: 4)
    #expect(rows.value.values == [2, 0, 5, 0])
  }
}
