extension MergeTable {
  /// What ``encode(_:)`` gives, for pieces of any length.
  ///
  /// Takes time in proportion to n·log n, where the plain way takes n². Pairs wait in a queue by rank and place.
  /// No pair that a merge makes has a lower rank than that merge, for a table names symbols only after they
  /// are made; so to join the first pair of the queue again and again is to join the lowest rank everywhere
  /// it stands, from the left.
  func encodeLong(_ piece: [UInt8]) -> [Int32] {
    var symbols = Self.byteSymbols(of: piece)
    let count = symbols.count
    // A symbol stands where its first byte was; −1 marks what was joined to the left.
    var next = (0..<count).map { Int32($0 + 1) }
    var previous = (0..<count).map { Int32($0 - 1) }
    var queue = PairQueue()
    for place in 0..<max(0, count - 1) {
      if let rank = rank(symbols[place], symbols[place + 1]) { queue.insert(rank, at: place) }
    }
    while let (rank, left) = queue.removeFirst() {
      // The queue also holds pairs of which a part was joined to another meanwhile.
      let right = Int(next[left])
      guard symbols[left] >= 0, right < count,
        self.rank(symbols[left], symbols[right]) == rank
      else { continue }
      symbols[left] = Int32(Self.byteSymbols) + rank
      symbols[right] = -1
      let after = Int(next[right])
      next[left] = Int32(after)
      if after < count {
        previous[after] = Int32(left)
        if let rank = self.rank(symbols[left], symbols[after]) { queue.insert(rank, at: left) }
      }
      let before = Int(previous[left])
      if before >= 0, let rank = self.rank(symbols[before], symbols[left]) {
        queue.insert(rank, at: before)
      }
    }
    return symbols.filter { $0 >= 0 }
  }
}

/// Pairs of symbols, the lowest rank first, of equal ones the leftmost: a binary heap.
private struct PairQueue {
  /// Rank and place in one number that sorts like both.
  private var heap: [UInt64] = []

  mutating func insert(_ rank: Int32, at place: Int) {
    let item = UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(place))
    var hole = heap.count
    heap.append(item)
    while hole > 0, heap[(hole - 1) / 2] > item {
      heap[hole] = heap[(hole - 1) / 2]
      hole = (hole - 1) / 2
    }
    heap[hole] = item
  }

  mutating func removeFirst() -> (rank: Int32, place: Int)? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    if !heap.isEmpty {
      var hole = 0
      while 2 * hole + 1 < heap.count {
        var child = 2 * hole + 1
        if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
        guard heap[child] < last else { break }
        heap[hole] = heap[child]
        hole = child
      }
      heap[hole] = last
    }
    return (Int32(truncatingIfNeeded: first >> 32), Int(first & 0xFFFF_FFFF))
  }
}
