/// Which of an index's last segments are made one when another comes.
///
/// Segments are of tiers by their entries, each four times as large as the one before. Where four of a
/// tier stand at the end, or eight of it and below, they become one. So there are a few of each tier, three
/// where batches are about equal, and each entry is written once for every tier that it goes through:
/// about 8 times in an index of 10 million that grows by 1,000.
enum MergePolicy {
  static let width = 4
  private static let smallest = 2048

  static func tier(of entries: Int) -> Int {
    var tier = 0
    var bound = smallest
    while entries >= bound, bound <= Int.max / width {
      tier += 1
      bound *= width
    }
    return tier
  }

  /// The first of the last segments that become one.
  ///
  /// - Parameter sizes: Of all segments, the new one last.
  /// - Returns: Its place in `sizes`: the last one where nothing is merged.
  static func firstMerged(of sizes: [Int]) -> Int {
    var first = sizes.count - 1
    var merged = sizes[first]
    while true {
      let tier = tier(of: merged)
      var start = first
      var equal = 1
      while start > 0, Self.tier(of: sizes[start - 1]) <= tier {
        start -= 1
        if Self.tier(of: sizes[start]) == tier { equal += 1 }
      }
      guard start < first, equal >= width || first - start + 1 >= 2 * width else { return first }
      merged += sizes[start..<first].reduce(0, +)
      first = start
    }
  }
}
