import CaptionMatching
import Foundation
import SeededRandom
import Testing

@Suite struct SimilarityBandsTests {
  private static let all = (30...100).map { Double($0) / 100 }

  @Test("at every similarity the bands reach the recall, in few bytes", arguments: all)
  func recall(similarity: Double) {
    let bands = SimilarityBands(similarity: similarity)
    let missed = pow(1 - pow(similarity, Double(bands.rows)), Double(bands.bands))
    #expect(1 - missed >= SimilarityBands.recall)
    #expect(SimilarityBands.recall >= 0.95)
    #expect(bands.bands <= 16)
  }

  @Test("sets that share s of their members share a band as often as the formula says")
  func formula() {
    let bands = SimilarityBands(similarity: 0.8)
    for share in [0.4, 0.6, 0.8, 0.9] {
      let trials = 4000
      var found = 0
      for trial in 0..<trials {
        var random = RandomStream(seed: 3, path: UInt64(trial), UInt64(share * 100))
        // 40 members, of which as many are common as make the Jaccard similarity.
        let common = Int((80 * share / (1 + share)).rounded())
        let members = (0..<80 - common).map { _ in UInt32(truncatingIfNeeded: random.next()) }
        let left = Array(members.prefix(40))
        let right = Array(members.suffix(40))
        let (l, r) = (bands.hashes(of: left), bands.hashes(of: right))
        found += zip(l, r).contains { $0 == $1 } ? 1 : 0
      }
      let common = (80 * share / (1 + share)).rounded()
      let jaccard = common / (80 - common)
      let expected = 1 - pow(1 - pow(jaccard, Double(bands.rows)), Double(bands.bands))
      // Four standard deviations of a count of independent trials, at their most.
      let tolerance = 4 * (0.25 / Double(trials)).squareRoot()
      #expect(abs(Double(found) / Double(trials) - expected) < tolerance, "\(share)")
    }
  }

  @Test("the similarity is that of sets, or nil below the one asked for")
  func jaccard() {
    for trial in 0..<2000 {
      var random = RandomStream(seed: 4, path: UInt64(trial))
      let bands = SimilarityBands(similarity: [0.3, 0.5, 0.8, 1][trial % 4])
      let left = Set((0..<random.integer(below: 12)).map { _ in UInt32(random.integer(below: 14)) })
      let right = Set(
        (0..<random.integer(below: 12)).map { _ in UInt32(random.integer(below: 14)) })
      let union = left.union(right).count
      let expected = union == 0 ? 0 : Double(left.intersection(right).count) / Double(union)
      #expect(
        bands.similarity(left.sorted(), right.sorted())
          == (expected >= bands.similarity ? expected : nil))
    }
  }

  @Test("hashes are what they were: files depend on them, and SegmentLayout.version names them")
  func unchanged() {
    let text = NormalizedCaption.utf8(of: "A red cube on a blue ball, seen from above.")
    let shingles = CaptionShingles.hashes(of: text)
    let hashes = SimilarityBands(similarity: 0.8).hashes(of: shingles)
    #expect(shingles.prefix(3) == [265_437_614, 302_419_323, 485_853_265])
    #expect(hashes.prefix(3) == [442_689_148, 2_964_091_906, 3_885_308_683])
    #expect(
      NormalizedCaption.key(of: "")
        == CaptionKey(high: 0xe3b0_c442_98fc_1c14, low: 0x9afb_f4c8_996f_b924))
  }
}
