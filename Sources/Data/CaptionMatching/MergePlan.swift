/// Which segments are put together, so that few are left to look into and each caption is written again
/// only a few times.
///
/// Segments fall into tiers by their bytes, each four times the last. As soon as the newest ones up to
/// some tier make up one of the next, they are merged: a caption is written again once for each tier,
/// and a lookup reads a handful of segments of each. The last few batches stay apart, for those are what
/// is taken back when a chunk is done again; and no merged segment gets larger than what may be held in
/// memory while it is made.
package enum MergePlan {
  package static let batchesApart = 4
  package static let mostBytes = 128 << 20
  private static let smallestTier = 1 << 10

  /// What to do next.
  ///
  /// - Parameter sizes: Bytes of the segments, oldest first.
  /// - Returns: The neighbours to merge; nil where all is well.
  package static func next(sizes: [Int]) -> Range<Int>? {
    let end = sizes.count - batchesApart
    guard end > 1 else { return nil }
    var best: Range<Int>?
    var tierBytes = smallestTier
    while tierBytes < mostBytes {
      let start = (sizes[..<end].lastIndex { $0 >= tierBytes } ?? -1) + 1
      let total = sizes[start..<end].reduce(0, +)
      if end - start > 1, total >= tierBytes, total <= mostBytes { best = start..<end }
      tierBytes *= 4
    }
    return best
  }
}
