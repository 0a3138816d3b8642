extension BytePairTokenizer {
  /// Learns merges from `texts`: again and again the pair that stands in most pieces.
  ///
  /// Of pairs that are equally frequent, the one with the lower ids is taken, so the result depends on
  /// the texts alone, and not on their order. Learning ends early when no pair occurs twice.
  ///
  /// - Parameters:
  ///   - texts: Captions; they are cleaned and cut as for ``encode(_:)``.
  ///   - vocabularySize: The wanted number of ids, 514 (bytes, start and end) or more.
  ///   - contextLength: The most ids of one caption.
  /// - Returns: A tokenizer of at most that many ids.
  public static func train(
    on texts: [String], vocabularySize: Int, contextLength: Int = 77
  ) -> BytePairTokenizer {
    precondition(
      vocabularySize >= MergeTable.byteSymbols + 2,
      "vocabularySize \(vocabularySize): bytes, start and end are 514 already")
    var learner = MergeLearner(texts)
    var table = MergeTable()
    let wanted = min(vocabularySize - 2, MergeTable.byteSymbols + MergeTable.mostMerges)
    while table.symbolCount < wanted, let pair = learner.mostFrequent() {
      let symbol = Int32(table.symbolCount)
      if table.append(pair.left, pair.right) {
        learner.merge(pair.left, pair.right, into: symbol)
      } else {
        // Two ways to spell one symbol: readers of the table know symbols by spelling.
        learner.forbid(pair.left, pair.right)
      }
    }
    return BytePairTokenizer(table, contextLength: contextLength)
  }
}

/// The pieces of a corpus as symbols, with the count of every pair kept up to date.
private struct MergeLearner {
  private var words: [[Int32]] = []
  private var wordCounts: [Int] = []
  private var pairCounts: [UInt64: Int] = [:]
  /// The words that hold a pair, or held it once.
  private var wordsOfPair: [UInt64: Set<Int>] = [:]
  private var forbidden: Set<UInt64> = []
  /// Pairs by count; an entry whose count has changed since is skipped when it comes up.
  private var queue = PairQueue()

  init(_ texts: [String]) {
    var counts: [[UInt8]: Int] = [:]
    for text in texts {
      let cleaned = TextCleaning.cleaned(text)
      for piece in PieceSplitter(cleaned, keepsSpecials: false) {
        counts[Array(cleaned[piece.bytes]), default: 0] += 1
      }
    }
    for (word, count) in counts {
      words.append(MergeTable.byteSymbols(of: word))
      wordCounts.append(count)
    }
    for word in words.indices { count(word, sign: 1) }
    for (pair, count) in pairCounts { queue.push(count: count, pair: pair) }
  }

  /// The most frequent pair that occurs at least twice.
  mutating func mostFrequent() -> (left: Int32, right: Int32)? {
    while let top = queue.pop() {
      guard top.count >= 2 else { return nil }
      if pairCounts[top.pair] == top.count, !forbidden.contains(top.pair) {
        return (Int32(top.pair >> 32), Int32(top.pair & 0xFFFF_FFFF))
      }
    }
    return nil
  }

  mutating func forbid(_ left: Int32, _ right: Int32) {
    forbidden.insert(MergeTable.key(left, right))
  }

  mutating func merge(_ left: Int32, _ right: Int32, into symbol: Int32) {
    let pair = MergeTable.key(left, right)
    var touched: Set<UInt64> = []
    for word in wordsOfPair.removeValue(forKey: pair) ?? [] {
      touched.formUnion(pairs(word))
      count(word, sign: -1)
      var merged: [Int32] = []
      var index = 0
      let symbols = words[word]
      while index < symbols.count {
        if index + 1 < symbols.count, symbols[index] == left, symbols[index + 1] == right {
          merged.append(symbol)
          index += 2
        } else {
          merged.append(symbols[index])
          index += 1
        }
      }
      words[word] = merged
      count(word, sign: 1)
      touched.formUnion(pairs(word))
    }
    for pair in touched {
      if let count = pairCounts[pair], count > 0 { queue.push(count: count, pair: pair) }
    }
  }

  private func pairs(_ word: Int) -> [UInt64] {
    zip(words[word], words[word].dropFirst()).map { MergeTable.key($0, $1) }
  }

  private mutating func count(_ word: Int, sign: Int) {
    for pair in pairs(word) {
      pairCounts[pair, default: 0] += sign * wordCounts[word]
      if sign > 0 { wordsOfPair[pair, default: []].insert(word) }
    }
  }
}

/// A binary heap: the highest count first, then the lowest pair.
private struct PairQueue {
  private var heap: [(count: Int, pair: UInt64)] = []

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    heap[a].count != heap[b].count ? heap[a].count > heap[b].count : heap[a].pair < heap[b].pair
  }

  mutating func push(count: Int, pair: UInt64) {
    heap.append((count, pair))
    var child = heap.count - 1
    while child > 0, precedes(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> (count: Int, pair: UInt64)? {
    guard let top = heap.first else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return top }
    heap[0] = last
    var parent = 0
    while true {
      var best = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && precedes(child, best) { best = child }
      if best == parent { return top }
      heap.swapAt(parent, best)
      parent = best
    }
  }
}
