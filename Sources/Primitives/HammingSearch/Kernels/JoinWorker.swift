/// One thread's part of a join.
///
/// The recursion rests on this: where at most e of some bits differ, one of e + 1 blocks of these bits
/// is the first that does not differ at all. So each pair is found under exactly one block: words are
/// partitioned by the block, and pairs count only if every block before it differs. Those blocks take
/// an error each, so of the bits that are left, fewer may differ; and so on in each bucket, until it
/// is cheaper to compare all that it holds. Nothing has to be remembered of the pairs found.
@safe final class JoinWorker: @unchecked Sendable {
  // Sendable: one thread at a time uses a worker.
  private let elements: JoinElements
  private let radius: Int
  private let ends: JoinCounters
  /// The blocks of each depth.
  private let plans: UnsafeMutablePointer<UInt64>
  /// Blocks that must differ in a pair of the bucket at hand.
  private let mustDiffer: UnsafeMutablePointer<UInt64>
  private let columnWords = NearWords()
  let sink: PairSink

  private static let deepest = 65
  private static let mostBlocks = 65

  init(_ elements: JoinElements, radius: Int, sink: PairSink) {
    self.elements = elements
    self.radius = radius
    self.sink = sink
    ends = JoinCounters(count: Self.deepest << Partitioning.mostBits)
    unsafe plans = .allocate(capacity: Self.deepest * Self.mostBlocks)
    // A block has a bit at least, and the blocks are disjoint until a bucket begins anew, which
    // happens once a depth at most.
    unsafe mustDiffer = .allocate(capacity: Self.deepest * Self.mostBlocks)
  }

  deinit {
    unsafe plans.deallocate()
    unsafe mustDiffer.deallocate()
  }

  /// Finds the pairs of a bucket whose blocks `differing` all differ.
  func search(_ bucket: JoinBucket, differing: [UInt64]) {
    for (index, block) in differing.enumerated() { unsafe mustDiffer[index] = block }
    search(bucket, masks: differing.count, depth: 0)
  }

  /// Finds the pairs of a bucket in which the first `masks` blocks of ``mustDiffer`` differ.
  private func search(_ bucket: JoinBucket, masks: Int, depth: Int) {
    guard !sink.isStopped else { return }
    let count = bucket.range.count
    let start = unsafe elements.side(isBack: bucket.isBack) + bucket.range.lowerBound
    let cut = unsafe bucket.cut(start, radius: radius)
    guard cut.width > 0 else {
      return compare(bucket, rows: bucket.range, columns: bucket.range, masks: masks)
    }
    let blocks = unsafe plans + depth * Self.mostBlocks
    unsafe BitBlocks.deal(
      cut.free, of: start, count: count, number: cut.errors + 1, width: cut.width, blocks: blocks)
    let ends = unsafe self.ends.base + depth << Partitioning.mostBits
    var free = cut.free
    var isBack = bucket.isBack
    for choice in 0...cut.errors {
      let block = unsafe blocks[choice]
      free &= ~block
      unsafe Partitioning.move(
        elements.side(isBack: isBack) + bucket.range.lowerBound,
        to: elements.side(isBack: !isBack) + bucket.range.lowerBound,
        count: count, block: block, ends: ends)
      isBack.toggle()
      var lower = bucket.range.lowerBound
      for number in 0..<1 << cut.width {
        let upper = unsafe bucket.range.lowerBound + Int(ends[number])
        if upper - lower > 1 {
          let child = JoinBucket(
            range: lower..<upper, isBack: isBack, free: free, errors: cut.errors - choice)
          if upper - lower < JoinBucket.leastToCut {
            compare(child, rows: child.range, columns: child.range, masks: masks + choice)
          } else {
            search(child, masks: masks + choice, depth: depth + 1)
          }
        }
        lower = upper
      }
      unsafe mustDiffer[masks + choice] = block
    }
    if isBack != bucket.isBack { bucket.restore(elements) }
  }

  /// Compares each of `rows` with those of `columns` after it.
  func compare(_ bucket: JoinBucket, rows: Range<Int>, columns: Range<Int>, masks: Int) {
    let side = unsafe elements.side(isBack: bucket.isBack)
    if columns.count >= NearWords.leastCount {
      return unsafe compareMany(side, rows: rows, columns: columns, masks: masks)
    }
    for row in rows {
      let word = unsafe side[row].word
      var column = max(row + 1, columns.lowerBound)
      while column < columns.upperBound {
        let difference = unsafe word ^ side[column].word
        if difference.nonzeroBitCount <= radius {
          unsafe found(side[row], side[column], difference: difference, masks: masks)
        }
        column &+= 1
      }
    }
  }

  /// The same with the columns' words side by side, several at a time.
  private func compareMany(
    _ side: UnsafeMutablePointer<JoinElement>, rows: Range<Int>, columns: Range<Int>, masks: Int
  ) {
    for tile in stride(from: columns.lowerBound, to: columns.upperBound, by: NearWords.mostCount) {
      let count = min(NearWords.mostCount, columns.upperBound - tile)
      unsafe columnWords.load(side + tile, count: count)
      for row in rows where row < tile + count - 1 {
        let word = unsafe side[row].word
        var column = max(row + 1 - tile, 0)
        while let near = columnWords.next(after: column, near: word, radius: radius) {
          unsafe found(
            side[row], side[tile + near], difference: word ^ side[tile + near].word, masks: masks)
          column = near + 1
        }
      }
    }
  }

  /// Compares what a tile of a bucket too large for the caches holds; stops when asked.
  func compareTile(
    _ bucket: JoinBucket, rows: Range<Int>, columns: Range<Int>, differing: [UInt64]
  ) {
    guard !sink.isStopped else { return }
    for (index, block) in differing.enumerated() { unsafe mustDiffer[index] = block }
    compare(bucket, rows: rows, columns: columns, masks: differing.count)
  }

  private func found(
    _ first: JoinElement, _ second: JoinElement, difference: UInt64, masks: Int
  ) {
    for mask in 0..<masks where unsafe difference & mustDiffer[mask] == 0 { return }
    sink.add(first, second, distance: difference.nonzeroBitCount)
  }
}
