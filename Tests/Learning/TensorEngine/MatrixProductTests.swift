import SeededRandom
import TensorEngine
import Testing

/// OpenBLAS picks a kernel per processor at run time: this is the proof for the one at hand.
struct MatrixProductTests {
  private func random(_ shape: [Int], _ stream: inout RandomStream) -> Tensor {
    Tensor(
      shape: shape, (0..<shape.reduce(1, *)).map { _ in Float(stream.uniform(in: -1..<1)) })
  }

  @Test("sgemm agrees with three loops in Double, at 300 odd sizes and with every transpose")
  func agreesWithLoops() {
    var stream = RandomStream(seed: 20)
    let sides = [1, 2, 3, 5, 7, 8, 13, 16, 17, 31, 33, 50, 64, 65, 100]
    for _ in 0..<300 {
      let (m, n, k) = (
        sides[stream.integer(below: 15)], sides[stream.integer(below: 15)],
        sides[stream.integer(below: 15)]
      )
      let (ta, tb) = (stream.integer(below: 2) == 1, stream.integer(below: 2) == 1)
      let a = random(ta ? [k, m] : [m, k], &stream)
      let b = random(tb ? [n, k] : [k, n], &stream)
      let start = random([m, n], &stream)
      let product = Tensor.matmul(a, b, transposeA: ta, transposeB: tb, alpha: -0.5)
      var sum = start
      sum.addMatmul(a, b, transposeA: ta, transposeB: tb, alpha: 2)
      let (x, y, z) = (a.values, b.values, start.values)
      let (p, s) = (product.values, sum.values)
      var worst = 0.0
      for i in 0..<m {
        for j in 0..<n {
          var exact = 0.0
          for l in 0..<k {
            exact +=
              Double(ta ? x[l * m + i] : x[i * k + l]) * Double(tb ? y[j * k + l] : y[l * n + j])
          }
          worst = max(worst, abs(Double(p[i * n + j]) + 0.5 * exact))
          worst = max(worst, abs(Double(s[i * n + j]) - 2 * exact - Double(z[i * n + j])))
        }
      }
      // 2e-5: 100 products below 1, doubled, each rounded at 6e-8 of a partial sum below 30.
      #expect(worst < 2e-5, "\(m)×\(n)×\(k) \(ta) \(tb) on \(LinearAlgebra.coreName)")
    }
  }

  @Test("a product shared by several threads is one thread's", arguments: [2, 3, 7])
  func shared(threads: Int) {
    var stream = RandomStream(seed: 23)
    // Tall, wide, square, about the grain and uneven; the last is too small to share.
    let sizes = [
      (1001, 70, 33), (65, 1003, 47), (300, 300, 300), (97, 49, 512), (2, 4097, 129), (5, 6, 7),
    ]
    for ((m, n, k), transposed) in sizes.flatMap({ size in (0..<4).map { (size, $0) } }) {
      let (ta, tb) = (transposed & 1 == 1, transposed & 2 == 2)
      let a = random(ta ? [k, m] : [m, k], &stream)
      let b = random(tb ? [n, k] : [k, n], &stream)
      let start = random([m, n], &stream)
      func result() -> [Float] {
        var sum = start
        sum.addMatmul(a, b, transposeA: ta, transposeB: tb, alpha: 0.5)
        return sum.values
      }
      let one = TensorThreads.within(1, result)
      let several = TensorThreads.within(threads, result)
      let worst = zip(one, several).reduce(0) { max($0, abs($1.0 - $1.1)) }
      // 2e-5: 512 products below 1, each rounded at 6e-8 of a partial sum below 60, in another order.
      #expect(worst < 2e-5, "\(m)×\(n)×\(k) \(ta) \(tb) on \(LinearAlgebra.coreName)")
    }
  }

  @Test("a batch gives each matrix's own product", arguments: [false, true], [false, true])
  func batched(transposeA: Bool, transposeB: Bool) {
    var stream = RandomStream(seed: 21)
    let a = random(transposeA ? [2, 3, 5, 4] : [2, 3, 4, 5], &stream)
    let b = random(transposeB ? [2, 3, 6, 5] : [2, 3, 5, 6], &stream)
    let shared = b.slice(axis: 0, 0..<1).slice(axis: 1, 1..<2).reshaped(Array(b.shape.suffix(2)))
    let all = Tensor.matmul(a, b, transposeA: transposeA, transposeB: transposeB)
    let common = Tensor.matmul(a, shared, transposeA: transposeA, transposeB: transposeB)
    #expect(all.shape == [2, 3, 4, 6])
    for (i, j) in [(0, 0), (0, 1), (1, 2)] {
      func part(_ t: Tensor) -> Tensor {
        t.slice(axis: 0, i..<i + 1).slice(axis: 1, j..<j + 1).reshaped(Array(t.shape.suffix(2)))
      }
      let one = Tensor.matmul(part(a), part(b), transposeA: transposeA, transposeB: transposeB)
      let other = Tensor.matmul(part(a), shared, transposeA: transposeA, transposeB: transposeB)
      // 1e-6: OpenBLAS may use another kernel for another height.
      #expect(Tensor.combine(part(all), one, .subtract).norm() < 1e-6)
      #expect(Tensor.combine(part(common), other, .subtract).norm() < 1e-6)
    }
  }

  @Test("an empty inner side gives zeros")
  func emptySides() {
    let zero = Tensor.matmul(Tensor(shape: [2, 0]), Tensor(shape: [0, 3]))
    #expect(zero.shape == [2, 3] && zero.values == [Float](repeating: 0, count: 6))
    #expect(Tensor.matmul(Tensor(shape: [0, 2]), Tensor(shape: [2, 3])).shape == [0, 3])
  }
}
