import CVectorIntrinsics
import WorkerThreads

/// Moves elements into buckets by some bits of their words, stably.
enum Partitioning {
  /// The most bits at once: more buckets than 2¹¹ and their ends no longer stay in the caches.
  static let mostBits = 11

  /// The bits of `word` that `block` names, side by side.
  @inline(__always)
  static func digit(_ word: UInt64, _ block: UInt64) -> Int {
    Int(truncatingIfNeeded: _pext_u64(word, block))
  }

  /// Moves `count` elements; `ends` has room for 2^bits numbers and is told where each bucket ends.
  static func move(
    _ source: UnsafeMutablePointer<JoinElement>, to target: UnsafeMutablePointer<JoinElement>,
    count: Int, block: UInt64, ends: UnsafeMutablePointer<UInt32>
  ) {
    let size = 1 << block.nonzeroBitCount
    unsafe ends.update(repeating: 0, count: size)
    for index in 0..<count { unsafe ends[digit(source[index].word, block)] &+= 1 }
    var place: UInt32 = 0
    for bucket in 0..<size {
      let next = unsafe place &+ ends[bucket]
      unsafe ends[bucket] = place
      place = next
    }
    unsafe scatter(source, to: target, range: 0..<count, block: block, places: ends)
  }

  @inline(__always)
  private static func scatter(
    _ source: UnsafeMutablePointer<JoinElement>, to target: UnsafeMutablePointer<JoinElement>,
    range: Range<Int>, block: UInt64, places: UnsafeMutablePointer<UInt32>
  ) {
    for index in range {
      let element = unsafe source[index]
      let bucket = digit(element.word, block)
      let place = unsafe places[bucket]
      unsafe places[bucket] = place &+ 1
      unsafe target[Int(place)] = element
    }
  }

  /// ``move(_:to:count:block:ends:)`` of a range by several threads, each of which takes a part.
  ///
  /// - Returns: Where each bucket ends, counted from the range's begin.
  static func move(
    _ elements: JoinElements, _ range: Range<Int>, toBack: Bool, block: UInt64, threads: Int
  ) -> [Int] {
    let size = 1 << block.nonzeroBitCount
    let places = JoinCounters(count: size * threads)
    Parallel.forEach(threads, threads: threads) { part in
      let source = unsafe elements.side(isBack: !toBack) + range.lowerBound
      let counts = unsafe places.base + part * size
      for index in Self.part(part, of: range.count, parts: threads) {
        unsafe counts[digit(source[index].word, block)] &+= 1
      }
    }
    var ends: [Int] = []
    var place: UInt32 = 0
    for bucket in 0..<size {
      for part in 0..<threads {
        let next = unsafe place &+ places.base[part * size + bucket]
        unsafe places.base[part * size + bucket] = place
        place = next
      }
      ends.append(Int(place))
    }
    Parallel.forEach(threads, threads: threads) { part in
      unsafe scatter(
        elements.side(isBack: !toBack) + range.lowerBound,
        to: elements.side(isBack: toBack) + range.lowerBound,
        range: Self.part(part, of: range.count, parts: threads), block: block,
        places: places.base + part * size)
    }
    return ends
  }

  static func part(_ part: Int, of count: Int, parts: Int) -> Range<Int> {
    count * part / parts..<count * (part + 1) / parts
  }
}

/// Numbers that start at zero, for counting by several threads.
@safe final class JoinCounters: @unchecked Sendable {
  // Sendable: each thread has a part of its own.
  let base: UnsafeMutablePointer<UInt32>

  init(count: Int) {
    unsafe base = .allocate(capacity: count)
    unsafe base.initialize(repeating: 0, count: count)
  }

  deinit { unsafe base.deallocate() }
}
