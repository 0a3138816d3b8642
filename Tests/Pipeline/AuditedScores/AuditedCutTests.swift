import AuditedScores
import SeededRandom
import Testing

@Suite struct AuditedCutTests {
  /// Scores of matched and crossed pairs, and the same with errors of up to `error`.
  static func scores(
    _ count: Int, seed: UInt64, error: Float
  ) -> (exact: [Float], rounded: [Float], uids: [String]) {
    var random = RandomStream(seed: seed)
    let exact = (0..<count).map { index in
      Float(0.25 + (index.isMultiple(of: 3) ? 0.1 : 0) + 0.05 * random.normal())
    }
    let rounded = exact.map { $0 + Float(random.uniform(in: -1..<1)) * error }
    return (exact, rounded, (0..<count).map { "uid-\(seed)-\($0)" })
  }

  static func decide(
    _ scores: [Float], uids: [String], keys: [String], cut: ScoreCut,
    rescore: ([Int]) -> [Float]
  ) -> AuditedCut.Result {
    let audit = ScoreAudit()
    var decision = AuditedCut(
      scores, ranks: uids.map(audit.rank), keys: keys, cut: cut, audit: audit)
    while !decision.open.isEmpty { decision.take(rescore(decision.open)) }
    return decision.result()
  }

  /// Of uids that all have a score.
  static func sample(_ audit: ScoreAudit, of uids: [String]) -> [Int] {
    audit.sample(uids.map(audit.rank), among: Array(uids.indices))
  }

  static let cuts: [ScoreCut] = [
    .minScore(0.28), .minScore(2), .minScore(-2), .topFraction(0.3),
    .topFraction(0.001), .topFraction(0), .topFraction(1),
  ]

  @Test("decisions are those of the exact scores", arguments: cuts, 1...8 as ClosedRange<UInt64>)
  func decisions(cut: ScoreCut, seed: UInt64) {
    let (exact, rounded, uids) = Self.scores(3000, seed: seed, error: 0.01)
    var asked = 0
    let result = Self.decide(
      rounded, uids: uids, keys: uids, cut: cut
    ) { places in
      asked += places.count
      return places.map { exact[$0] }
    }
    #expect(result.kept == cut.kept(exact, keys: uids))
    // Who cuts the table later comes to the same.
    #expect(cut.kept(result.scores, keys: uids) == result.kept)
    let report = result.report
    #expect(report.sampled == 256 && report.sampled + report.rescored == asked)
    #expect(report.bound == max(report.largestError, report.largestRescoredError) * 1.5)
    // No error of the sample's 256 beyond two thirds of the largest possible: a chance of 10⁻⁴⁵.
    #expect(report.beyondBound == 0)
    #expect(report.corrected == zip(cut.kept(rounded, keys: uids), result.kept).count { $0 != $1 })
    for (index, kind) in result.kinds.enumerated() {
      #expect(result.scores[index] == (kind == .float32 ? exact : rounded)[index])
    }
    #expect(result.kinds.count { $0 == .float32 } == asked)
  }

  @Test("only what lies within the bound of the cut is scored again")
  func thrift() {
    let (exact, rounded, uids) = Self.scores(30_000, seed: 9, error: 0.005)
    let cut = ScoreCut.topFraction(0.3)
    let result = Self.decide(
      rounded, uids: uids, keys: uids, cut: cut
    ) { places in places.map { exact[$0] } }
    let last = exact.sorted(by: >)[8999]
    let near = rounded.count { abs($0 - last) <= 1.05 * result.report.bound }
    #expect(result.report.rescored > 0 && result.report.rescored <= near)
    #expect(result.kept == cut.kept(exact, keys: uids))
  }

  @Test("an error beyond the bound widens it")
  func growing() throws {
    var (exact, rounded, uids) = Self.scores(5000, seed: 10, error: 0.001)
    let sampled = Set(Self.sample(ScoreAudit(), of: uids))
    let threshold: Float = 0.28
    // Beside the cut and outside the sample: one whose error is four times as large as it may be,
    // and one that only the wider bound reaches.
    let outside = exact.indices.filter { !sampled.contains($0) }
    (exact[outside[0]], rounded[outside[0]]) = (threshold - 0.0035, threshold + 0.0005)
    (exact[outside[1]], rounded[outside[1]]) = (threshold - 0.0005, threshold + 0.003)
    let cut = ScoreCut.minScore(threshold)
    let values = exact
    let result = Self.decide(
      rounded, uids: uids, keys: uids, cut: cut
    ) { places in places.map { values[$0] } }
    #expect(result.report.beyondBound >= 1)
    #expect(abs(result.report.bound - 0.006) < 1e-5)
    #expect(result.kept == cut.kept(exact, keys: uids))
    #expect(result.report.corrected >= 2)
  }

  @Test(
    "equal scores are ranked by key, and a run smaller than the sample is scored in Float whole")
  func smallAndEqual() {
    let rounded: [Float] = [0.5, 0.5, 0.5, 0.5]
    let cut = ScoreCut.topFraction(0.5)
    let result = Self.decide(
      rounded, uids: ["a", "b", "c", "d"], keys: ["4", "1", "3", "2"], cut: cut
    ) { places in places.map { _ in Float(0.25) } }
    #expect(result.kept == [false, true, false, true])
    #expect(result.kinds.allSatisfy { $0 == .float32 })
    let none = Self.decide([], uids: [], keys: [], cut: cut) { places in
      #expect(places.isEmpty)
      return []
    }
    #expect(none.kept.isEmpty)
  }

  @Test("pairs without a score are never asked for, and are the last of all", arguments: cuts)
  func withoutScores(cut: ScoreCut) {
    let (exact, rounded, uids) = Self.scores(3000, seed: 11, error: 0.01)
    let isMissing = exact.indices.map { $0 % 7 == 3 }
    func known(_ scores: [Float]) -> [Float] {
      zip(scores, isMissing).map { $1 ? -.infinity : $0 }
    }
    let result = Self.decide(
      known(rounded), uids: uids, keys: uids, cut: cut
    ) { places in
      #expect(!places.contains { isMissing[$0] })
      return places.map { exact[$0] }
    }
    #expect(result.kept == cut.kept(known(exact), keys: uids))
    #expect(zip(result.kinds, isMissing).allSatisfy { ($0 == nil) == $1 })
    let all = Self.decide(
      [Float](repeating: -.infinity, count: 5), uids: uids.suffix(5), keys: uids.suffix(5), cut: cut
    ) { places in
      Issue.record("there is nothing to score again")
      return places.map { exact[$0] }
    }
    #expect(all.report == ScoreAuditReport(pairs: 5))
  }

  @Test("a decision that begins anew with the scores that it had asked for asks for the same")
  func resumed() async throws {
    let (exact, rounded, uids) = Self.scores(3000, seed: 12, error: 0.01)
    let audit = ScoreAudit()
    let begin = AuditedCut(
      rounded, ranks: uids.map(audit.rank), keys: uids, cut: .topFraction(0.3), audit: audit)
    struct Killed: Error {}
    var asked: [Int: [Int]] = [:]
    for last in 0...9 {
      do {
        let result = try await begin.decide { round, places in
          #expect(asked[round] ?? places == places)
          asked[round] = places
          if round == last { throw Killed() }
          return places.map { exact[$0] }
        }
        #expect(result.kept == ScoreCut.topFraction(0.3).kept(exact, keys: uids))
        #expect(asked.count == last && last > 1)
        let footer = Dictionary(uniqueKeysWithValues: result.report.metadata.map { ($0, $1) })
        #expect(ScoreAuditReport(footer) == result.report)
        #expect(ScoreAuditReport(["audit.pairs": "3"]) == nil)
        return
      } catch is Killed {}
    }
    Issue.record("more than nine rounds")
  }

  @Test("the sample is the same pairs in any order; its size and seed are heeded")
  func sample() {
    let uids = (0..<100_000).map { "uid-\($0)" }
    let audit = ScoreAudit()
    let sample = Self.sample(audit, of: uids)
    #expect(sample.count == 1000 && sample == sample.sorted())
    let turned = Array(uids.reversed())
    #expect(Set(Self.sample(audit, of: turned).map { turned[$0] }) == Set(sample.map { uids[$0] }))
    let other = Self.sample(ScoreAudit(share: 0.001, minimum: 64, seed: 1), of: uids)
    // Both hold 100 and 1000 of 100,000: one is expected in common, ten are beyond any chance.
    #expect(other.count == 100 && Set(other).intersection(sample).count < 10)
    #expect(Self.sample(audit, of: Array(uids.prefix(300))).count == 256)
  }
}
