import SeededRandom

/// The order in which samples are trained on, the same for every number of ranks.
///
/// Epoch e visits all pairs in the order `RandomStream(seed, e).permutation(of: count)`. The epochs
/// follow each other without a gap; position p of this endless sequence is what a cursor counts, and
/// global batch b of N is positions b·N ..< (b+1)·N. No pair is left out at the end of an epoch.
public struct PairOrder: Sendable {
  public let count: Int
  public let seed: UInt64
  private var epoch = -1
  private var permutation: [Int] = []

  public init(count: Int, seed: UInt64) {
    precondition(count > 0, "an order needs pairs")
    self.count = count
    self.seed = seed
  }

  /// The pair at a position and the epoch that this visit belongs to.
  ///
  /// Costs O(count) when the position lies in another epoch than the one before.
  public mutating func visit(at position: Int) -> (index: Int, epoch: Int) {
    let wanted = position / count
    if wanted != epoch {
      var stream = RandomStream(seed: seed, path: UInt64(wanted))
      permutation = stream.permutation(of: count)
      epoch = wanted
    }
    return (permutation[position % count], wanted)
  }

  /// The contiguous part of a global batch that one rank takes; sizes differ by at most one.
  public static func slice(of globalBatch: Int, rank: Int, worldSize: Int) -> Range<Int> {
    (rank * globalBatch / worldSize)..<((rank + 1) * globalBatch / worldSize)
  }
}
