/// How a join cuts the bits of its words.
enum BitBlocks {
  /// Nanoseconds, measured; only their ratios matter.
  private enum Cost {
    static let comparison = 0.35
    static let comparisonAmongMany = 0.15
    static let move = 2.5
    static let bucket = 1.0

    /// Of all pairs of `count` words.
    static func comparing(_ count: Double) -> Double {
      let each = count < Double(NearWords.leastCount) ? comparison : comparisonAmongMany
      return each * count * count / 2
    }
  }

  /// How many bits to partition by.
  ///
  /// Of `errors` + 1 blocks one is free of errors. Words are partitioned by each of the blocks in
  /// turn, and what then shares a bucket is compared.
  ///
  /// - Parameters:
  ///   - count: The words.
  ///   - bits: The bits that blocks may take.
  ///   - errors: How many of those may differ.
  /// - Returns: The bits of a block, 0 where comparing all pairs is cheaper; and what it costs.
  static func plan(count: Int, bits: Int, errors: Int) -> (bits: Int, cost: Double) {
    let count = Double(count)
    let comparing = Cost.comparing(count)
    var best = (bits: 0, cost: comparing)
    let most = min(bits / (errors + 1), Partitioning.mostBits)
    guard most > 0 else { return best }
    for width in 1...most {
      let buckets = Double(1 << width)
      let cost =
        Double(errors + 1)
        * (count * Cost.move + buckets * (Cost.bucket + Cost.comparing(count / buckets)))
      if cost < best.cost { best = (width, cost) }
    }
    return best
  }
}
