import Autograd
import DistributedTraining
import RankThreads
import SeededRandom
import TensorEngine
import Testing

@Suite struct GatheredRowsTests {
  static func features(_ rows: Int, _ seed: UInt64) -> Tensor {
    var random = RandomStream(seed: seed)
    return Tensor(shape: [rows, 3], (0..<rows * 3).map { _ in Float(random.normal()) })
  }

  /// Own rows against all rows, as one side of a contrastive loss.
  static func share(_ own: Variable, _ all: Variable, first: Int) -> Variable {
    let logits = matmul(own, all, transposeB: true)
    let targets = (0..<own.shape[0]).map { Int32(first + $0) }
    // The mean over own rows, weighed to the sum.
    return crossEntropy(logits, targets).scaled(by: Float(own.shape[0]))
  }

  @Test("gradients of all ranks come back to the rows they belong to", arguments: [1, 2, 3])
  func gradient(world: Int) throws {
    let (x, y) = (Self.features(7, 1), Self.features(7, 2))
    // The whole batch in one graph.
    let (wholeX, wholeY) = (
      Variable(x, requiresGradient: true), Variable(y, requiresGradient: true)
    )
    Self.share(wholeX, wholeY, first: 0).backward()
    let expected = [try #require(wholeX.gradient).values, try #require(wholeY.gradient).values]

    let bounds = (0...world).map { 7 * $0 / world }
    let parts = try Ranks.run(world) { group in
      let rows = bounds[group.rank]..<bounds[group.rank + 1]
      let own = [x, y].map { Variable($0.slice(axis: 0, rows), requiresGradient: true) }
      let all = try GatheredRows(own[1], in: group)
      #expect(all.first == rows.lowerBound && all.value.value.values == y.values)
      Self.share(own[0], all.value, first: all.first).backward()
      try all.check()
      return try own.map { try #require($0.gradient).values }
    }.map { try $0.get() }
    for side in 0..<2 {
      let found = parts.flatMap { $0[side] }
      // The same terms, summed by rank.
      #expect(zip(found, expected[side]).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  @Test("a rank that is lost in the backward pass is an error of the check")
  func lostRank() throws {
    let results = try Ranks.run(2, operationDeadline: 5) { group in
      let own = Variable(Self.features(2, 3), requiresGradient: true)
      let all = try GatheredRows(own, in: group)
      if group.rank == 1 { return true }
      all.value.sum().backward()
      try all.check()
      return true
    }
    #expect((try? results[1].get()) == true)
    #expect(throws: (any Error).self) { try results[0].get() }
  }
}
