import Synchronization
import WorkerThreads

/// The loops over the bytes of ``WordTables``.
enum WordTableKernels {
  /// One block's table, or the plain words, as pointers into bytes that the caller lends.
  @unsafe private struct Run {
    let words: UnsafePointer<UInt64>
    let ids: UnsafePointer<UInt32>
  }

  // MARK: Building

  static func build(_ room: inout MutableRawSpan, _ layout: WordTableLayout, threads: Int) {
    unsafe room.withUnsafeMutableBytes { buffer in
      guard let address = buffer.baseAddress else { return }
      // Sendable: each block is written by one thread, and the plain words are read only.
      nonisolated(unsafe) let base = unsafe address
      Parallel.forEach(WordBlocks.count, threads: threads) { block in
        unsafe build(block, base, layout)
      }
    }
  }

  /// Sorts the words by a block's value, by counting.
  private static func build(
    _ block: Int, _ base: UnsafeMutableRawPointer, _ layout: WordTableLayout
  ) {
    let from = unsafe run(UnsafeRawPointer(base), words: 0, ids: layout.ids)
    let offsets = unsafe (base + layout.offsets(of: block)).assumingMemoryBound(to: UInt32.self)
    let words = unsafe (base + layout.words(of: block)).assumingMemoryBound(to: UInt64.self)
    let ids = unsafe (base + layout.ids(of: block)).assumingMemoryBound(to: UInt32.self)
    var next = [UInt32](repeating: 0, count: WordBlocks.values)
    for index in 0..<layout.count {
      next[WordBlocks.value(of: block, in: unsafe UInt64(littleEndian: from.words[index]))] += 1
    }
    var sum: UInt32 = 0
    for value in 0..<WordBlocks.values {
      unsafe offsets[value] = sum.littleEndian
      (next[value], sum) = (sum, sum + next[value])
    }
    unsafe offsets[WordBlocks.values] = sum.littleEndian
    for index in 0..<layout.count {
      let word = unsafe from.words[index]
      let value = WordBlocks.value(of: block, in: UInt64(littleEndian: word))
      let place = Int(next[value])
      next[value] += 1
      unsafe words[place] = word
      unsafe ids[place] = from.ids[index]
    }
  }

  private static func run(_ base: UnsafeRawPointer, words: Int, ids: Int) -> Run {
    unsafe Run(
      words: (base + words).assumingMemoryBound(to: UInt64.self),
      ids: (base + ids).assumingMemoryBound(to: UInt32.self))
  }

  // MARK: Checking

  static func holds(
    _ spread: UInt64, id: UInt32, at index: Int, in bytes: RawSpan, _ layout: WordTableLayout
  ) -> Bool {
    // Safe: every pattern of bits is a number, and the span checks the place.
    unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
      == spread.littleEndian
      && bytes.unsafeLoadUnaligned(fromByteOffset: layout.ids + 4 * index, as: UInt32.self)
        == id.littleEndian
  }

  static func isSound(_ bytes: RawSpan, _ layout: WordTableLayout) -> Bool {
    guard layout.hasTables else { return true }
    return unsafe bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return true }
      return (0..<WordBlocks.count).allSatisfy { unsafe isSound($0, base, layout) }
    }
  }

  /// Whether a block's table is what building it again would write.
  private static func isSound(
    _ block: Int, _ base: UnsafeRawPointer, _ layout: WordTableLayout
  ) -> Bool {
    let plain = unsafe run(base, words: 0, ids: layout.ids)
    let table = unsafe run(base, words: layout.words(of: block), ids: layout.ids(of: block))
    let offsets = unsafe (base + layout.offsets(of: block)).assumingMemoryBound(to: UInt32.self)
    var next = (0..<WordBlocks.values).map { unsafe Int(UInt32(littleEndian: offsets[$0])) }
    let starts = next + [unsafe Int(UInt32(littleEndian: offsets[WordBlocks.values]))]
    guard starts.first == 0, starts.last == layout.count else { return false }
    for index in 0..<layout.count {
      let word = unsafe plain.words[index]
      let value = WordBlocks.value(of: block, in: UInt64(littleEndian: word))
      let place = next[value]
      guard place < starts[value + 1], place < layout.count, unsafe table.words[place] == word,
        unsafe table.ids[place] == plain.ids[index]
      else { return false }
      next[value] = place + 1
    }
    // Every run is full, so none reaches into the next.
    return (0..<WordBlocks.values).allSatisfy { next[$0] == starts[$0 + 1] }
  }

  // MARK: Searching

  static func matches(
    of queries: [UInt64], radius: Int, in bytes: RawSpan, _ layout: WordTableLayout, threads: Int
  ) -> [[WordMatch]] {
    unsafe bytes.withUnsafeBytes { buffer in
      guard let address = buffer.baseAddress else { return queries.map { _ in [] } }
      // Sendable: nobody writes to the bytes, which the caller lends until all threads are done.
      nonisolated(unsafe) let base = unsafe address
      let usesTables = layout.hasTables && isWorthwhile(radius, layout.count)
      // Large shares, as neighbours among their queries read the same pages; a few for each thread.
      let share = max(64, (queries.count + 4 * threads - 1) / max(1, 4 * threads))
      let shares = (queries.count + share - 1) / share
      let results = Mutex([[WordMatch]](repeating: [], count: queries.count))
      Parallel.forEach(shares, threads: threads) { number in
        let range = number * share..<min(queries.count, (number + 1) * share)
        let words = queries[range].map { WordBlocks.spread($0) }
        var found = [[WordMatch]](repeating: [], count: words.count)
        if usesTables {
          unsafe search(words, radius, base, layout, &found)
        } else {
          let plain = unsafe run(base, words: 0, ids: layout.ids)
          for (query, word) in words.enumerated() {
            unsafe compare(word, radius, plain, 0..<layout.count, &found[query])
          }
        }
        for query in found.indices where found[query].count > 1 {
          found[query].sort { $0.id < $1.id }
        }
        results.withLock { $0.replaceSubrange(range, with: found) }
      }
      return results.withLock { $0 }
    }
  }

  /// Whether the tables read less than there is: a run costs as much to find as 20 words to compare.
  private static func isWorthwhile(_ radius: Int, _ count: Int) -> Bool {
    let runs = WordBlocks.radii(for: radius).reduce(0) { $0 + WordBlocks.maskCount(upTo: $1) }
    return runs * (20 + count / WordBlocks.values) < count
  }

  /// Looks for all queries mask by mask, in order of the block's value: so the runs that are read lie
  /// one behind the other, where query by query each would be a miss of every cache.
  private static func search(
    _ queries: [UInt64], _ radius: Int, _ base: UnsafeRawPointer, _ layout: WordTableLayout,
    _ found: inout [[WordMatch]]
  ) {
    let radii = WordBlocks.radii(for: radius)
    for block in 0..<WordBlocks.count where radii[block] >= 0 {
      let offsets = unsafe (base + layout.offsets(of: block)).assumingMemoryBound(to: UInt32.self)
      let table = unsafe run(base, words: layout.words(of: block), ids: layout.ids(of: block))
      let order = queries.indices.map { (WordBlocks.value(of: block, in: queries[$0]), $0) }
        .sorted { $0 < $1 }
      for mask in WordBlocks.masks[..<WordBlocks.maskCount(upTo: radii[block])] {
        for (value, query) in order {
          let bucket = value ^ Int(mask)
          // Damaged offsets may not lead outside.
          let start = unsafe min(Int(UInt32(littleEndian: offsets[bucket])), layout.count)
          let end = unsafe min(Int(UInt32(littleEndian: offsets[bucket + 1])), layout.count)
          guard start < end else { continue }
          let word = queries[query]
          for index in start..<end {
            let difference = unsafe UInt64(littleEndian: table.words[index]) ^ word
            let distance = difference.nonzeroBitCount
            guard distance <= radius, isFirst(block, difference, radii) else { continue }
            found[query].append(
              WordMatch(
                id: unsafe UInt32(littleEndian: table.ids[index]), distance: UInt8(distance)))
          }
        }
      }
    }
  }

  /// Whether no earlier block has found the word as well.
  private static func isFirst(_ block: Int, _ difference: UInt64, _ radii: [Int]) -> Bool {
    for earlier in 0..<block
    where WordBlocks.value(of: earlier, in: difference).nonzeroBitCount <= radii[earlier] {
      return false
    }
    return true
  }

  private static func compare(
    _ word: UInt64, _ radius: Int, _ run: Run, _ range: Range<Int>, _ found: inout [WordMatch]
  ) {
    for index in range {
      let distance = unsafe (UInt64(littleEndian: run.words[index]) ^ word).nonzeroBitCount
      guard distance <= radius else { continue }
      unsafe found.append(
        WordMatch(id: UInt32(littleEndian: run.ids[index]), distance: UInt8(distance)))
    }
  }
}
