import SeededRandom
import Testing

@Suite struct RandomStreamTests {
  @Test("the same seed and path give the same numbers, any other path gives others")
  func addressed() {
    var a = RandomStream(seed: 7, path: 1, 2)
    var b = RandomStream(seed: 7, path: 1, 2)
    var c = RandomStream(seed: 7, path: 2, 1)
    var d = RandomStream(seed: 8, path: 1, 2)
    let first = (0..<4).map { _ in a.next() }
    #expect(first == (0..<4).map { _ in b.next() })
    #expect(first != (0..<4).map { _ in c.next() })
    #expect(first != (0..<4).map { _ in d.next() })
  }

  @Test("normal draws have mean 0 and variance 1 within five standard errors of 40,000 draws")
  func normal() {
    var stream = RandomStream(seed: 3)
    let draws = (0..<40_000).map { _ in stream.normal() }
    let mean = draws.reduce(0, +) / 40_000
    let variance = draws.reduce(0) { $0 + $1 * $1 } / 40_000
    #expect(abs(mean) < 5 / 200)
    #expect(abs(variance - 1) < 5 * 2.0.squareRoot() / 200)
  }

  @Test("a permutation holds each number once", arguments: [0, 1, 2, 100])
  func permutation(count: Int) {
    var stream = RandomStream(seed: 5)
    #expect(stream.permutation(of: count).sorted() == Array(0..<count))
  }
}
