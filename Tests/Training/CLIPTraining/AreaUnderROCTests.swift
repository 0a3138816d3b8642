import CLIPTraining
import SeededRandom
import Testing

@Suite struct AreaUnderROCTests {
  @Test("Agrees with counting every pair of a positive and a negative", arguments: 0..<200)
  func definition(seed: Int) {
    var random = RandomStream(seed: UInt64(seed))
    let count = 2 + random.integer(below: 60)
    // Few distinct values, so that most scores are tied.
    let levels = 1 + random.integer(below: 12)
    let scores = (0..<count).map { _ in Float(random.integer(below: levels)) / 7 }
    let positives = (0..<count).map { _ in random.integer(below: 3) == 0 }
    var wins = 0.0
    var pairs = 0.0
    for i in 0..<count where positives[i] {
      for j in 0..<count where !positives[j] {
        pairs += 1
        wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0
      }
    }
    let value = AreaUnderROC.value(scores: scores, positives: positives)
    if pairs == 0 {
      #expect(value == nil)
    } else {
      // Both are ratios of integers below 2⁵³; only the last division rounds.
      #expect(abs((value ?? -1) - wins / pairs) < 1e-15)
    }
  }

  @Test("1 when every positive is above, 0 when below, a half when all are tied")
  func extremes() {
    let positives = [true, true, false]
    #expect(AreaUnderROC.value(scores: [2, 3, 1], positives: positives) == 1)
    #expect(AreaUnderROC.value(scores: [1, 0, 2], positives: positives) == 0)
    #expect(AreaUnderROC.value(scores: [1, 1, 1], positives: positives) == 0.5)
    #expect(AreaUnderROC.value(scores: [], positives: []) == nil)
  }
}
