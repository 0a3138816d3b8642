import BatchLoading
import SeededRandom
import Testing

@Suite struct PairOrderTests {
  /// The visits of one epoch.
  static func epoch(_ number: Int, of order: inout PairOrder) -> [PairVisit] {
    let start = number * order.count
    return (start..<start + order.count).map { order.visit(at: $0) }
  }

  @Test("one source of weight 1 goes by the permutation of the epoch", arguments: [1, 2, 7, 64])
  func plain(count: Int) {
    var plain = PairOrder(count: count, seed: 9)
    var weighted = PairOrder(
      parts: [PairOrder.Part(start: 0, count: count, weight: 1)], seed: 9)
    for number in [0, 1, 5, 2] {
      var stream = RandomStream(seed: 9, path: UInt64(number))
      let naive = stream.permutation(of: count).map { PairVisit(index: $0, epoch: number) }
      #expect(Self.epoch(number, of: &plain) == naive)
      #expect(Self.epoch(number, of: &weighted) == naive)
    }
  }

  @Test("a weight is how often an epoch visits each pair", arguments: [0.25, 0.5, 1, 1.5, 2, 3])
  func weights(weight: Double) {
    // A second source, so that numbers and places differ.
    var order = PairOrder(
      parts: [
        PairOrder.Part(start: 0, count: 5, weight: 1),
        PairOrder.Part(start: 5, count: 12, weight: weight),
      ], seed: 4)
    var visits: [Int: Int] = [:]
    var addresses: Set<[Int]> = []
    for number in 0..<8 {
      let epoch = Self.epoch(number, of: &order)
      #expect(epoch.count { $0.index < 5 } == 5)
      #expect(epoch.count { $0.index >= 5 } == Int(weight * 12))
      for visit in epoch {
        visits[visit.index, default: 0] += 1
        #expect(
          addresses.insert([visit.index, visit.epoch]).inserted, "one draws the same crop twice")
      }
      // No pair is ahead of another of its source by more than one visit.
      let counts = (5..<17).map { visits[$0] ?? 0 }
      #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
    }
    #expect((5..<17).allSatisfy { visits[$0] == Int(weight * 8) })
    #expect((0..<5).allSatisfy { visits[$0] == 8 })
  }

  @Test("sources are shuffled together, and halves are drawn by chance")
  func shuffled() {
    var order = PairOrder(
      parts: [
        PairOrder.Part(start: 0, count: 100, weight: 0.5),
        PairOrder.Part(start: 100, count: 50, weight: 1),
      ], seed: 1)
    let first = Self.epoch(0, of: &order)
    // By chance 25 of the first 50 are of either source; 5 deviations of 3.6 are 18.
    #expect((7...43).contains(first.prefix(50).count { $0.index < 100 }))
    let half = Set(first.map(\.index).filter { $0 < 100 })
    #expect(half.count == 50 && half != Set(0..<50))
    // Any position is the same from any other, backwards too.
    var other = order
    for position in [299, 0, 150, 449, 149] {
      var fresh = PairOrder(
        parts: [
          PairOrder.Part(start: 0, count: 100, weight: 0.5),
          PairOrder.Part(start: 100, count: 50, weight: 1),
        ], seed: 1)
      #expect(other.visit(at: position) == fresh.visit(at: position))
    }
  }
}
