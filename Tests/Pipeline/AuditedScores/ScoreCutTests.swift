import AuditedScores
import Testing

@Suite struct ScoreCutTests {
  @Test(
    "a fraction f of n pairs keeps ceil(f·n)",
    arguments: [
      (0.1, 30, 3), (0.3, 10, 3), (0.31, 10, 4), (0, 5, 0), (1, 5, 5), (0.5, 0, 0), (0.01, 1, 1),
    ])
  func fraction(_ fraction: Double, _ count: Int, _ expected: Int) {
    let kept = ScoreCut.topFraction(fraction).kept(
      (0..<count).map(Float.init), keys: (0..<count).map(String.init))
    #expect(kept.count { $0 } == expected)
  }

  @Test("equal scores are kept in order of their keys; a threshold keeps what equals it")
  func ties() {
    let scores: [Float] = [0.5, 0.5, 0.9, 0.5]
    func kept(_ cut: ScoreCut) -> [Bool] { cut.kept(scores, keys: ["d", "a", "c", "b"]) }
    #expect(kept(.topFraction(0.5)) == [false, true, true, false])
    #expect(kept(.minScore(0.5)) == [true, true, true, true])
    #expect(kept(.minScore(0.6)) == [false, false, true, false])
  }

  @Test("a pair without a score is never kept, and counts among the pairs")
  func withoutScore() {
    let scores: [Float] = [-.infinity, -1, -.infinity]
    func kept(_ cut: ScoreCut) -> [Bool] { cut.kept(scores, keys: ["c", "b", "a"]) }
    #expect(kept(.minScore(-1)) == [false, true, false])
    #expect(kept(.topFraction(0.3)) == [false, true, false])
    #expect(kept(.topFraction(0.5)) == [false, true, false])
    #expect(kept(.topFraction(1)) == [false, true, false])
    let half: [Float] = [-.infinity, 0.1, 0.2, -.infinity]
    let ofAll = ScoreCut.topFraction(0.5).kept(half, keys: ["a", "b", "c", "d"])
    #expect(ofAll == [false, true, true, false])
  }
}
