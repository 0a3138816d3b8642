import Foundation
import SeededRandom
import TensorEngine
import Testing

private func random(_ shape: [Int], seed: UInt64, scale: Double = 1) -> Tensor {
  var random = RandomStream(seed: seed)
  return Tensor(
    shape: shape, (0..<shape.reduce(1, *)).map { _ in Float(random.normal() * scale) })
}

/// Lengths around one lane group, four of them, and none.
private let lengths = [0, 1, 7, 8, 9, 31, 32, 33, 100]

struct KernelTests {
  /// A grid over `range` and its float neighbours.
  private func grid(_ range: ClosedRange<Double>) -> [Float] {
    (0...200_000).map { step in
      Float(range.lowerBound + (range.upperBound - range.lowerBound) * Double(step) / 200_000)
    }
  }

  private func largest(
    _ x: [Float], _ y: Tensor, _ error: (_ x: Double, _ y: Double) -> Double
  ) -> Double {
    zip(x, y.values).reduce(0.0) { max($0, abs(error(Double($1.0), Double($1.1)))) }
  }

  @Test("exp errs by less than 1.5e-7 of the value")
  func expAccuracy() {
    let x = grid(-86.6...88.7)
    let y = Tensor(shape: [x.count], x).exp()
    #expect(largest(x, y) { $1 / Foundation.exp($0) - 1 } < 1.5e-7)
  }

  @Test("exp reaches 0 and infinity, and keeps NaN")
  func expEdges() {
    let x: [Float] = [-.infinity, -200, -88, 0, 89, .infinity, .nan, 1]
    let y = Tensor(shape: [8], x).exp().values
    #expect(y[0] == 0 && y[1] == 0 && y[2] == 0 && y[3] == 1)
    #expect(y[4] == .infinity && y[5] == .infinity && y[6].isNaN)
  }

  @Test("tanh errs by less than 2.5e-7 of the value")
  func tanhAccuracy() {
    let x = grid(-12...12).filter { $0 != 0 }
    let y = Tensor(shape: [x.count], x).tanh()
    #expect(largest(x, y) { $1 / Foundation.tanh($0) - 1 } < 2.5e-7)
    #expect(Tensor(shape: [3], [-.infinity, 0, .infinity]).tanh().values == [-1, 0, 1])
  }

  @Test("erf errs by less than 4e-7")
  func erfAccuracy() {
    let x = grid(-6...6)
    let y = Tensor(shape: [x.count], x).erf()
    #expect(largest(x, y) { $1 - Foundation.erf($0) } < 4e-7)
    #expect(Tensor(shape: [3], [-.infinity, 0, .infinity]).erf().values[1] == 0)
  }

  @Test("the GELUs err by less than 2e-6, and so do their slopes")
  func geluAccuracy() throws {
    let x = grid(-9...9)
    let reference: [GELU: (Double) -> Double] = [
      .exact: { $0 * 0.5 * erfc(-$0 / 2.0.squareRoot()) },
      .quick: { $0 / (1 + Foundation.exp(-1.702 * $0)) },
      .tanh: { x in
        0.5 * x * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
      },
    ]
    for (kind, function) in reference {
      var slope = Tensor(shape: [x.count], x)
      let value = slope.geluLeavingSlope(kind)
      // 2e-6 absolute: 9 times half the error of erf, 4e-7.
      #expect(largest(x, value) { $1 - function($0) } < 2e-6, "\(kind)")
      let h = 1e-5
      #expect(
        largest(x, slope) {
          $1 - (function($0 + h) - function($0 - h)) / (2 * h)
        } < 2e-6, "\(kind)")
      #expect(
        Tensor(shape: [x.count], x).gelu(kind).values == value.values)
    }
  }

  @Test("sums, products and norms agree with Double loops", arguments: lengths)
  func reductions(length: Int) {
    let (x, y) = (random([length], seed: 1), random([length], seed: 2))
    let pairs = zip(x.values, y.values).map { (Double($0), Double($1)) }
    // 1e-5: 100 additions of numbers around 1.
    #expect(abs(Double(x.sum()) - pairs.reduce(0) { $0 + $1.0 }) < 1e-5)
    #expect(abs(Double(x.dot(y)) - pairs.reduce(0) { $0 + $1.0 * $1.1 }) < 1e-5)
    #expect(abs(x.squaredNorm() - pairs.reduce(0) { $0 + $1.0 * $1.0 }) < 1e-4)
  }

  @Test("column sums agree with Double loops", arguments: [1, 8, 31, 32, 33, 70], [1, 3, 40])
  func rowSums(columns: Int, rows: Int) {
    let x = random([rows, columns], seed: 3)
    var sum = random([columns], seed: 4)
    let before = sum.values
    sum.addRowSum(of: x)
    for column in 0..<columns {
      let exact = (0..<rows).reduce(Double(before[column])) {
        $0 + Double(x.values[$1 * columns + column])
      }
      // 1e-5: 40 additions of numbers around 1.
      #expect(abs(Double(sum.values[column]) - exact) < 1e-5)
    }
  }

  @Test("softmax and log-sum-exp agree with Double loops", arguments: [1, 7, 8, 9, 50])
  func softmax(columns: Int) {
    // Some logits beyond ±100, whose exponentials do not fit Float.
    let x = random([3, columns], seed: 5, scale: 60)
    let (y, lse) = (x.softmax().values, x.logSumExp().values)
    for row in 0..<3 {
      let logits = (0..<columns).map { Double(x.values[row * columns + $0]) }
      let top = logits.max() ?? 0
      let sum = logits.reduce(0) { $0 + Foundation.exp($1 - top) }
      // 1e-6 relative: exp's error, and the rounding of the logits' difference below 200.
      #expect(abs(Double(lse[row]) / (top + log(sum)) - 1) < 1e-6)
      for column in 0..<columns {
        let exact = Foundation.exp(logits[column] - top) / sum
        #expect(abs(Double(y[row * columns + column]) - exact) < 1e-5 * exact + 1e-9)
      }
    }
  }

  @Test("layer norm agrees with a Double loop far from zero", arguments: [1, 7, 16, 33])
  func layerNorm(columns: Int) {
    let x = random([2, columns], seed: 6).shifted(by: 100)
    let (w, b) = (random([columns], seed: 7), random([columns], seed: 8))
    let y = x.layerNorm(weight: w, bias: b, epsilon: 1e-5).value.values
    for row in 0..<2 {
      let values = (0..<columns).map { Double(x.values[row * columns + $0]) }
      let mean = values.reduce(0, +) / Double(columns)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
      for column in 0..<columns {
        let exact =
          (values[column] - mean) / (variance + 1e-5).squareRoot() * Double(w.values[column])
          + Double(b.values[column])
        // 1e-4: the mean of numbers around 100 is known to 8e-6 in Float.
        #expect(abs(Double(y[row * columns + column]) - exact) < 1e-4)
      }
    }
  }

  @Test("attention agrees with a Double loop", arguments: [false, true])
  func attention(causal: Bool) throws {
    let (queries, keys, heads, width) = ([2, 1, 9], [3, 1, 17], 2, 6)
    let (q, k, v) = (
      random([12, 6], seed: 9), random([21, 6], seed: 10), random([21, 6], seed: 11)
    )
    let layout = AttentionLayout(
      heads: heads, queryLengths: queries, keyLengths: keys, causal: causal, scale: 0.7)
    let y = Tensor.attention(
      AttentionColumns(q), AttentionColumns(k), AttentionColumns(v), width: width, layout: layout)
    var (queryStart, keyStart) = (0, 0)
    for (m, n) in zip(queries, keys) {
      for (head, row) in (0..<heads).flatMap({ h in (0..<m).map { (h, $0) } }) {
        let seen = causal ? n - m + row + 1 : n
        func at(_ t: Tensor, _ r: Int, _ c: Int) -> Double {
          Double(t.values[r * 6 + head * 3 + c])
        }
        let scores = (0..<seen).map { key in
          Foundation.exp(
            0.7
              * (0..<3).reduce(0.0) {
                $0 + at(q, queryStart + row, $1) * at(k, keyStart + key, $1)
              })
        }
        for c in 0..<3 {
          let exact =
            (0..<seen).reduce(0.0) { $0 + scores[$1] * at(v, keyStart + $1, c) }
            / scores.reduce(0, +)
          // 2e-6: a weighted mean of numbers around 1 in Float.
          #expect(abs(at(y, queryStart + row, c) - exact) < 2e-6)
        }
      }
      queryStart += m
      keyStart += n
    }
  }
}
