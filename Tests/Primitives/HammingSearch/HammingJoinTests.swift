import HammingSearch
import SeededRandom
import Synchronization
import Testing

@Suite struct HammingJoinTests {
  /// Every batch's pairs, in the order of places; a pair found twice comes twice.
  static func found(_ words: [UInt64], radius: Int, threads: Int) throws -> [HammingPair] {
    let found = Mutex<[HammingPair]>([])
    try HammingJoin.pairs(among: words, radius: radius, threads: threads) { pairs in
      found.withLock { $0 += pairs }
    }
    return found.withLock { $0 }.sorted { ($0.first, $0.second) < ($1.first, $1.second) }
  }

  static func expectReference(_ words: [UInt64], radius: Int, threads: Int) throws {
    let reference = JoinReference.pairs(words, radius: radius)
    let pairs = try found(words, radius: radius, threads: threads)
    #expect(pairs.count == reference.count, "each pair once")
    #expect(Set(pairs) == reference)
    #expect(
      HammingJoin.counts(among: words, radius: radius, threads: threads)
        == JoinReference.counts(reference, radius: radius))
  }

  @Test("equals comparing all with all", arguments: JoinWords.allCases, 0...16)
  func reference(kind: JoinWords, radius: Int) throws {
    for seed in 1...2 as ClosedRange<UInt64> {
      try Self.expectReference(kind.words(700, seed: seed), radius: radius, threads: 2)
    }
  }

  @Test("equals comparing all with all where many words share a bucket", arguments: [1, 3, 6, 10])
  func larger(radius: Int) throws {
    for kind in [JoinWords.random, .planted, .clustered, .skewed, .dense, .fewValues] {
      let words = kind.words(6000, seed: 3)
      let reference = JoinReference.countsOnly(words, radius: radius)
      for threads in 1...2 {
        #expect(
          HammingJoin.counts(among: words, radius: radius, threads: threads) == reference,
          "\(kind), \(threads) threads")
      }
    }
  }

  @Test("buckets that are compared many at a time, of every length", arguments: 20...70)
  func lengths(count: Int) throws {
    // A radius at which blocks tell nothing, so that all are compared.
    for words in [JoinWords.random, .clustered] {
      try Self.expectReference(words.words(count, seed: 9), radius: 24, threads: 1)
    }
  }

  @Test("more words than one tile holds, all compared", arguments: [20, 27])
  func tiles(radius: Int) throws {
    let words = JoinWords.clustered.words(2500, seed: 10)
    try Self.expectReference(words, radius: radius, threads: 1)
    let many = JoinWords.random.words(20_000, seed: 11)
    #expect(
      HammingJoin.counts(among: many, radius: 18, threads: 2)
        == JoinReference.countsOnly(many, radius: 18))
  }

  @Test("no word, one, two", arguments: 0...2, [0, 1, 6, 63, 64])
  func few(count: Int, radius: Int) throws {
    try Self.expectReference(Array([0, UInt64.max].prefix(count)), radius: radius, threads: 2)
    try Self.expectReference(Array([7, 7].prefix(count)), radius: radius, threads: 2)
  }

  @Test(
    "a radius of all bits finds all pairs, of all but one all but opposites", arguments: [63, 64])
  func wide(radius: Int) throws {
    let words = JoinWords.random.words(200, seed: 4)
    try Self.expectReference(words + words.prefix(20).map { ~$0 }, radius: radius, threads: 2)
  }

  @Test(
    "any number of threads finds the same, also where large buckets are cut by all",
    arguments: [2, 3, 8])
  func threads(threads: Int) throws {
    // Enough that the threads share the first partitions, and one bucket holds nearly everything.
    var random = RandomStream(seed: 5)
    let rare = JoinWords.planted.words(4000, seed: 5)
    let dense = (0..<60_000).map { _ in random.next() & 0x0000_FFFF_0000_0FFF }
    let words = rare + dense
    let alone = HammingJoin.counts(among: words, radius: 4, threads: 1)
    #expect(HammingJoin.counts(among: words, radius: 4, threads: threads) == alone)
    let pairs = try Self.found(words, radius: 4, threads: threads)
    #expect(pairs.count == alone.reduce(0, +))
    #expect(Set(pairs).count == pairs.count)
    #expect(
      pairs.allSatisfy {
        (words[Int($0.first)] ^ words[Int($0.second)]).nonzeroBitCount == Int($0.distance)
      })
  }

  @Test("a hundred thousand equal words are counted, not enumerated")
  func hot() {
    let count = 100_000
    let words = [UInt64](repeating: 3, count: count) + [UInt64](repeating: 2, count: count)
    #expect(
      HammingJoin.counts(among: words, radius: 2, threads: 2)
        == [count * (count - 1), count * count, 0])
  }

  struct Enough: Error, Equatable { var batch: Int }

  @Test("an error of the receiver ends the search and is thrown", arguments: 1...3)
  func receiverFails(threads: Int) {
    let words = [UInt64](repeating: 1, count: 60_000)
    let batches = Atomic(0)
    #expect(throws: Enough(batch: 1)) {
      try HammingJoin.pairs(among: words, radius: 3, threads: threads) { _ in
        let batch = batches.wrappingAdd(1, ordering: .relaxed).newValue
        throw Enough(batch: min(batch, 1))
      }
    }
    // Of 1.8 thousand million pairs in 8,192s; at most one batch a thread was under way.
    #expect(batches.load(ordering: .relaxed) <= threads)
  }

  @Test("an error of the check ends the search and is thrown", arguments: [1, 5, 40])
  func checked(after: Int) {
    let words = JoinWords.random.words(300_000, seed: 6)
    let checks = Atomic(0)
    #expect(throws: Enough(batch: 0)) {
      _ = try HammingJoin.counts(among: words, radius: 5, threads: 2) {
        if checks.wrappingAdd(1, ordering: .relaxed).newValue >= after { throw Enough(batch: 0) }
      }
    }
    #expect(checks.load(ordering: .relaxed) <= after + 1, "one more by the other thread")
  }
}
