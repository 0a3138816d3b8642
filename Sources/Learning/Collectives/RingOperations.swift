/// The operations of a group, P ranks, S bytes of data each.
extension ProcessGroup {
  private enum Kind {
    static let allReduce: UInt32 = 1, allGather: UInt32 = 2, broadcast: UInt32 = 3
  }

  /// Sums `buffer` over all ranks, element by element; every rank ends with the same bits.
  ///
  /// Ring of reduce-scatter and all-gather in chunks of 256 KiB (Patarasuk and Yuan 2009):
  /// 2·(P−1) steps, 2·(P−1)/P·S bytes sent by each rank, 24 more for each chunk.
  ///
  /// The order of summation is fixed. The buffer of n elements is cut at ⌊k·n/P⌋ into segments k =
  /// 0 ..< P; segment k is (((x_k + x_{k+1}) + x_{k+2}) + …) over ranks modulo P, in Float32. Two
  /// runs with the same P are bit-identical.
  ///
  /// - Parameter buffer: As long on every rank.
  /// - Throws: ``CollectiveError``; the buffer then holds partial sums and is of no use.
  public func allReduceSum(_ buffer: inout [Float]) throws(CollectiveError) {
    var span = buffer.mutableSpan
    try allReduceSum(&span)
  }

  /// As ``allReduceSum(_:)-([Float])``, of floats that live elsewhere, in their place.
  public func allReduceSum(_ buffer: inout MutableSpan<Float>) throws(CollectiveError) {
    let segments = (0..<worldSize).map { k in
      (k * buffer.count / worldSize)..<((k + 1) * buffer.count / worldSize)
    }
    let (departures, ready, arrivals) = ringPlan(segments, steps: 2 * (worldSize - 1)) {
      $0 < self.worldSize - 1
    }
    try operate(nil) { (ring, deadline) throws(CollectiveError) in
      try ring.run(
        "all-reduce", kind: Kind.allReduce, buffer: &buffer, departures: departures, ready: ready,
        arrivals: arrivals, deadline: deadline)
    }
  }

  /// Every rank's `local`, by rank; lengths may differ.
  ///
  /// Two rings: the lengths, then the data. 2·(P−1) steps; each rank sends all parts but its
  /// successor's: (P−1)·S bytes for equal lengths, 24 more for each chunk.
  ///
  /// - Parameter local: This rank's part; may be empty, and holds at most 2^28 floats.
  /// - Returns: The parts of all ranks, bit for bit.
  /// - Throws: ``CollectiveError``.
  public func allGather(_ local: [Float]) throws(CollectiveError) -> [[Float]] {
    guard worldSize > 1 else { return [local] }
    precondition(local.count <= Int(Wire.longestPart), "\(local.count) floats to all-gather")
    // A length travels as the bits of a Float, which are only copied, never computed with.
    var lengths = [Float](repeating: 0, count: worldSize)
    lengths[rank] = Float(bitPattern: UInt32(local.count))
    try gather(&lengths, (0..<worldSize).map { $0..<($0 + 1) }, nil)
    for (other, length) in lengths.enumerated() where length.bitPattern > Wire.longestPart {
      throw .protocolViolation(rank: other, "a part of \(length.bitPattern) floats to all-gather")
    }
    var end = 0
    let parts = lengths.map { length in
      let start = end
      end += Int(length.bitPattern)
      return start..<end
    }
    var all = [Float](repeating: 0, count: end)
    all.replaceSubrange(parts[rank], with: local)
    try gather(&all, parts, nil)
    return parts.map { Array(all[$0]) }
  }

  /// Returns when every rank has called it.
  ///
  /// P−1 steps around the ring; each rank sends 28·(P−1) bytes.
  ///
  /// - Throws: ``CollectiveError``.
  public func barrier() throws(CollectiveError) { try barrier(deadline: nil) }

  func barrier(deadline: Deadline?) throws(CollectiveError) {
    var tokens = [Float](repeating: 0, count: worldSize)
    try gather(&tokens, (0..<worldSize).map { $0..<($0 + 1) }, deadline)
  }

  /// Puts the root's `buffer` in the place of every other rank's.
  ///
  /// A chain along the ring in chunks of 256 KiB: P−1 steps and the chunks behind each other; every
  /// rank but the last sends S bytes, 24 more for each chunk.
  ///
  /// - Parameters:
  ///   - buffer: As long on every rank.
  ///   - root: The rank whose data it is.
  /// - Throws: ``CollectiveError``.
  public func broadcast(_ buffer: inout [Float], from root: Int) throws(CollectiveError) {
    precondition((0..<worldSize).contains(root), "root \(root) of \(worldSize)")
    let chunks = Ring.chunks(0..<buffer.count)
    let isLast = (rank + 1) % worldSize == root
    let departures = isLast ? [] : chunks
    let arrivals = rank == root ? [] : chunks.map { Ring.Arrival(range: $0, adds: false) }
    let ready = rank == root ? chunks.count : 0
    var buffer = buffer.mutableSpan
    try operate(nil) { (ring, deadline) throws(CollectiveError) in
      try ring.run(
        "broadcast", kind: Kind.broadcast, buffer: &buffer, departures: departures, ready: ready,
        arrivals: arrivals, deadline: deadline)
    }
  }

  private func gather(
    _ buffer: inout [Float], _ parts: [Range<Int>], _ deadline: Deadline?
  ) throws(CollectiveError) {
    let (departures, ready, arrivals) = ringPlan(parts, steps: worldSize - 1, adds: { _ in false })
    var buffer = buffer.mutableSpan
    try operate(deadline) { (ring, deadline) throws(CollectiveError) in
      try ring.run(
        "all-gather", kind: Kind.allGather, buffer: &buffer, departures: departures, ready: ready,
        arrivals: arrivals, deadline: deadline)
    }
  }

  /// At step t a rank sends segment (rank − t) and receives (rank − t − 1), modulo P.
  ///
  /// What arrives at step t leaves at step t + 1.
  private func ringPlan(
    _ segments: [Range<Int>], steps: Int, adds: (Int) -> Bool
  ) -> (departures: [Range<Int>], ready: Int, arrivals: [Ring.Arrival]) {
    var departures: [Range<Int>] = []
    var arrivals: [Ring.Arrival] = []
    let last = 2 * worldSize  // keeps the dividend positive
    for step in 0..<steps {
      departures += Ring.chunks(segments[(rank - step + last) % worldSize])
      arrivals += Ring.chunks(segments[(rank - step - 1 + last) % worldSize]).map {
        Ring.Arrival(range: $0, adds: adds(step))
      }
    }
    return (departures, Ring.chunks(segments[rank]).count, arrivals)
  }
}
