import CaptionMatching
import SeededRandom
import Testing

@Suite struct MergePlanTests {
  @Test(
    "segments stay few, are written again a few times, and the last ones stay apart",
    arguments: [100, 30_000, 240_000])
  func tiers(batchBytes: Int) {
    var random = RandomStream(seed: 31, path: UInt64(batchBytes))
    var sizes: [Int] = []
    var (added, written, most) = (0, 0, 0)
    for _ in 0..<4000 {
      sizes.append(batchBytes / 2 + random.integer(below: batchBytes))
      added += sizes.last ?? 0
      while let range = MergePlan.next(sizes: sizes) {
        #expect(range.count > 1)
        #expect(range.upperBound <= sizes.count - MergePlan.batchesApart)
        let merged = sizes[range].reduce(0, +)
        #expect(merged <= MergePlan.mostBytes)
        written += merged
        sizes.replaceSubrange(range, with: [merged])
      }
      // Besides the largest, of which more do not go into one.
      most = max(most, sizes.count { $0 < MergePlan.mostBytes / 4 })
    }
    // From 1 kB to 128 MB there are nine tiers. What is left of one is less than one of the next: four
    // segments, or of the lowest, where they have 50 bytes at least, twenty.
    #expect(most <= 9 * 4 + 20 + MergePlan.batchesApart)
    // Once for each tier that it passes.
    #expect(written <= 9 * added, "\(Double(written) / Double(added)) times")
  }

  @Test("few segments, or large ones, are left alone")
  func alone() {
    #expect(MergePlan.next(sizes: []) == nil)
    #expect(
      MergePlan.next(sizes: [Int](repeating: 1 << 20, count: MergePlan.batchesApart + 1)) == nil)
    #expect(MergePlan.next(sizes: [Int](repeating: MergePlan.mostBytes, count: 50)) == nil)
  }
}
