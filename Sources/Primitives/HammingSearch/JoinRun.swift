import Synchronization
import WorkerThreads

/// One join: groups equal words, partitions what is large with all threads at once, and gives what is
/// small to one thread each.
struct JoinRun: ~Copyable {
  private let elements: JoinElements
  private let radius: Int
  private let threads: Int
  private let check: @Sendable () throws -> Void
  private let stop = JoinStop()

  /// Buckets of a thread's own: small beside the whole, so that no thread is left with a long one.
  private let mostForOne: Int
  /// Words in a side of a tile: both sides fit the first cache.
  private static let tile = 512

  /// Reads the words.
  ///
  /// - Parameters:
  ///   - words: Where they come from.
  ///   - radius: Bits that may differ in a pair.
  ///   - threads: How many work at once.
  ///   - check: Called now and then by every thread; an error ends the join.
  /// - Throws: What reading throws, and the first error of `check`.
  init(
    _ words: some WordSource, radius: Int, threads: Int,
    check: @escaping @Sendable () throws -> Void
  ) throws {
    precondition((0...64).contains(radius), "a radius of \(radius) among words of 64 bits")
    precondition(threads > 0, "a join by \(threads) threads")
    precondition(
      words.count < JoinElement.alone, "\(words.count) words are more than a join can number")
    elements = JoinElements(count: words.count)
    self.radius = radius
    self.threads = threads
    self.check = check
    mostForOne = max(1 << 14, words.count / (8 * threads))
    try words.copy(to: elements, threads: threads, check: check)
  }

  /// Joins the words, which are gone afterwards.
  ///
  /// - Parameter found: Given pairs as they are found; nil to count them only.
  /// - Returns: The pairs by distance; zeros where `found` took them.
  /// - Throws: The first error of `check` and `found`.
  func counts(found: PairSink.Receiver?) throws -> [Int] {
    groupEqualWords()
    try stop.rethrow()
    let groups = EqualWords(compacting: elements)
    let workers = (0..<threads).map { _ in
      JoinWorker(
        elements, radius: radius,
        sink: PairSink(radius: radius, groups: groups, found: found, stop: stop))
    }
    forEach(groups.count) { lane, group in workers[lane].sink.addPairs(ofGroup: group) }
    if radius > 0, groups.distinct > 1 {
      let whole = JoinBucket(range: 0..<groups.distinct, isBack: false, free: .max, errors: radius)
      search(whole, differing: [], workers: workers)
    }
    for worker in workers { worker.sink.flush() }
    try stop.rethrow()
    return workers.reduce(into: [Int](repeating: 0, count: radius + 1)) { sums, worker in
      for (distance, count) in worker.sink.counts.enumerated() { sums[distance] += count }
    }
  }

  private func groupEqualWords() {
    let range = 0..<elements.count
    let start = unsafe elements.side(isBack: false)
    let varying = unsafe BitBlocks.varying(start, count: range.count)
    guard varying != 0 else { return }
    var block: UInt64 = 0
    unsafe BitBlocks.deal(
      varying, of: start, count: range.count, number: 1,
      width: WordGrouping.width(count: range.count, varying: varying), blocks: &block)
    let buckets = Self.ranges(
      Partitioning.move(elements, range, toBack: true, block: block, threads: threads),
      from: 0, atLeast: 1)
    let elements = elements
    let groupings = (0..<threads).map { _ in WordGrouping(elements) }
    forEach(buckets.count) { lane, index in
      groupings[lane].group(buckets[index], isBack: true)
    }
  }

  /// Searches a large bucket.
  private func search(_ bucket: JoinBucket, differing: [UInt64], workers: [JoinWorker]) {
    if threads == 1 || bucket.range.count <= mostForOne {
      return forEach(1) { _, _ in workers[0].search(bucket, differing: differing) }
    }
    let start = unsafe elements.side(isBack: bucket.isBack) + bucket.range.lowerBound
    let cut = unsafe bucket.cut(start, radius: radius)
    guard cut.width > 0 else {
      return compareAll(bucket, differing: differing, workers: workers)
    }
    var blocks = [UInt64](repeating: 0, count: cut.errors + 1)
    unsafe BitBlocks.deal(
      cut.free, of: start, count: bucket.range.count, number: blocks.count, width: cut.width,
      blocks: &blocks)
    var free = cut.free
    var isBack = bucket.isBack
    for (choice, block) in blocks.enumerated() where !stop.isStopped {
      free &= ~block
      let ends = Partitioning.move(
        elements, bucket.range, toBack: !isBack, block: block, threads: threads)
      isBack.toggle()
      let differing = differing + blocks[..<choice]
      let children = Self.ranges(ends, from: bucket.range.lowerBound, atLeast: 2).map {
        JoinBucket(range: $0, isBack: isBack, free: free, errors: cut.errors - choice)
      }
      let (large, small) = (
        children.filter { $0.range.count > mostForOne },
        children.filter { $0.range.count <= mostForOne }
      )
      for child in large { search(child, differing: differing, workers: workers) }
      forEach(small.count) { lane, index in
        workers[lane].search(small[index], differing: differing)
      }
    }
    if isBack != bucket.isBack { bucket.restore(elements) }
  }

  /// Compares all pairs of a large bucket, tile by tile.
  private func compareAll(_ bucket: JoinBucket, differing: [UInt64], workers: [JoinWorker]) {
    let tiles = stride(from: bucket.range.lowerBound, to: bucket.range.upperBound, by: Self.tile)
      .map { $0..<min($0 + Self.tile, bucket.range.upperBound) }
    forEach(tiles.count) { lane, row in
      for column in tiles[row...] {
        workers[lane].compareTile(
          bucket, rows: tiles[row], columns: column, differing: differing)
      }
    }
  }

  private static func ranges(_ ends: [Int], from lower: Int, atLeast count: Int) -> [Range<Int>] {
    var start = 0
    return ends.compactMap { end in
      defer { start = end }
      return end - start < count ? nil : lower + start..<lower + end
    }
  }

  /// Calls `body` for each index, on the next free thread, until the join is stopped.
  private func forEach(_ count: Int, _ body: @Sendable (_ lane: Int, _ index: Int) -> Void) {
    let next = Atomic(0)
    Parallel.forEach(threads, threads: threads) { [stop, check] lane in
      while !stop.isStopped {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        stop.attempt(check)
        if !stop.isStopped { body(lane, index) }
      }
    }
  }
}
