import SeededRandom

/// The order in which samples are trained on, the same for every number of ranks.
///
/// Epoch e visits the pairs of all sources in the order `RandomStream(seed, e).permutation(of: visits)`. The
/// epochs follow each other without a gap; position p of this endless sequence is what a cursor counts,
/// and global batch b of N is positions b·N ..< (b+1)·N. No pair is left out at the end of an epoch.
///
/// A source of n pairs and weight w has m = round(w·n) visits in each epoch: those numbered e·m ..< (e+1)·m of
/// its own endless sequence, which goes over all its pairs in rounds. So no pair is visited once more than
/// another of its source before that one's turn has come.
public struct PairOrder: Sendable {
  /// One source's share.
  public struct Part: Sendable, Equatable {
    /// The number of its first pair.
    public var start: Int
    /// Its pairs.
    public var count: Int
    /// Of an epoch; at least 1.
    public var visits: Int

    public init(start: Int, count: Int, weight: Double) {
      precondition(count > 0, "an order needs pairs")
      self.start = start
      self.count = count
      visits = max(1, Int((Double(count) * weight).rounded()))
    }
  }

  /// Visits in an epoch, of all parts.
  public let count: Int
  public let seed: UInt64
  private let parts: [Part]
  private var epoch = -1
  private var permutation: [Int] = []
  /// Orders of the rounds that the epoch cuts, by part and round.
  private var rounds: [[Int: [Int]]]

  public init(parts: [Part], seed: UInt64) {
    precondition(!parts.isEmpty, "an order needs pairs")
    self.parts = parts
    self.seed = seed
    count = parts.reduce(0) { $0 + $1.visits }
    rounds = Array(repeating: [:], count: parts.count)
  }

  /// All pairs of one source, each once in an epoch.
  public init(count: Int, seed: UInt64) {
    self.init(parts: [Part(start: 0, count: count, weight: 1)], seed: seed)
  }

  /// The pair at a position, and how often its source was gone over before.
  ///
  /// Costs O(count) when the position lies in another epoch than the one before.
  public mutating func visit(at position: Int) -> PairVisit {
    let wanted = position / count
    if wanted != epoch { begin(wanted) }
    var place = permutation[position % count]
    var part = 0
    while place >= parts[part].visits {
      place -= parts[part].visits
      part += 1
    }
    let number = wanted * parts[part].visits + place
    let (round, turn) = number.quotientAndRemainder(dividingBy: parts[part].count)
    return PairVisit(
      index: parts[part].start + (rounds[part][round]?[turn] ?? turn), epoch: round)
  }

  private mutating func begin(_ wanted: Int) {
    var stream = RandomStream(seed: seed, path: UInt64(wanted))
    permutation = stream.permutation(of: count)
    epoch = wanted
    for (number, part) in parts.enumerated() {
      // Of a round that lies whole in the epoch every pair comes, shuffled by the epoch.
      let first = wanted * part.visits
      var cut: [Int: [Int]] = [:]
      for edge in [first, first + part.visits] where edge % part.count != 0 {
        let round = edge / part.count
        // "round": keeps these draws apart from those of epochs and crops.
        cut[round] =
          rounds[number][round]
          ?? {
            var stream = RandomStream(
              seed: seed, path: UInt64(round), UInt64(number), 0x72_6F75_6E64)
            return stream.permutation(of: part.count)
          }()
      }
      rounds[number] = cut
    }
  }

  /// The contiguous part of a global batch that one rank takes; sizes differ by at most one.
  public static func slice(of globalBatch: Int, rank: Int, worldSize: Int) -> Range<Int> {
    (rank * globalBatch / worldSize)..<((rank + 1) * globalBatch / worldSize)
  }
}
