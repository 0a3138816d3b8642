/// How well scores tell two classes apart.
public enum AreaUnderROC {
  /// The probability that a positive scores higher than a negative, a tie counting half.
  ///
  /// The Mann–Whitney statistic by mid-ranks, n log n (Hanley and McNeil 1982).
  ///
  /// - Parameters:
  ///   - scores: One per example; none is NaN.
  ///   - positives: Whether the example at the same place is positive.
  /// - Returns: 0 ... 1, or nil when a class is empty.
  public static func value(scores: [Float], positives: [Bool]) -> Double? {
    precondition(
      scores.count == positives.count,
      "\(scores.count) scores for \(positives.count) examples")
    precondition(!scores.contains(where: \.isNaN), "a score is NaN")
    let order = scores.indices.sorted { scores[$0] < scores[$1] }
    // Twice the rank, so that the mean of tied ranks stays an integer.
    var doubledRanks = 0
    var positiveCount = 0
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
      let tiedPositives = order[start..<end].count { positives[$0] }
      doubledRanks += tiedPositives * (start + 1 + end)
      positiveCount += tiedPositives
      start = end
    }
    let negativeCount = scores.count - positiveCount
    guard positiveCount > 0, negativeCount > 0 else { return nil }
    let doubledWins = doubledRanks - positiveCount * (positiveCount + 1)
    return Double(doubledWins) / Double(2 * positiveCount * negativeCount)
  }
}
