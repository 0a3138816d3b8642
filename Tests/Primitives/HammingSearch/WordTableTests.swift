import HammingSearch
import SeededRandom
import Testing

@Suite struct WordTableTests {
  /// Tables in memory; ids are three times the words' places.
  private static func tables(of words: [UInt64], threads: Int = 2) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: WordTables.byteCount(for: words.count))
    var span = bytes.mutableSpan
    var room = unsafe span.mutableBytes
    for (index, word) in words.enumerated() {
      WordTables.store(word, id: UInt32(3 * index), at: index, of: words.count, in: &room)
    }
    WordTables.finish(&room, count: words.count, threads: threads)
    return bytes
  }

  /// The three-line reference.
  private static func reference(
    _ queries: [UInt64], _ words: [UInt64], _ radius: Int
  ) -> [[String]] {
    queries.map { query in
      words.enumerated().filter { ($0.element ^ query).nonzeroBitCount <= radius }
        .map { "\(3 * $0.offset) \(($0.element ^ query).nonzeroBitCount)" }
    }
  }

  private static func found(
    _ queries: [UInt64], _ bytes: [UInt8], _ count: Int, radius: Int, threads: Int
  ) -> [[String]] {
    WordTables.matches(
      of: queries, radius: radius, in: unsafe bytes.span.bytes, count: count, threads: threads
    ).map { $0.map { "\($0.id) \($0.distance)" } }
  }

  /// `word` with up to `bits` bits flipped.
  private static func near(
    _ word: UInt64, _ bits: Int, _ random: inout RandomStream
  ) -> UInt64 {
    (0..<bits).reduce(word) { word, _ in word ^ 1 << UInt64(random.integer(below: 64)) }
  }

  @Test("every word within the radius is found once, in order", arguments: 0...16)
  func radii(radius: Int) {
    var random = RandomStream(seed: 1, path: UInt64(radius))
    // Words of chance, clusters around some, and many equal ones.
    var words = (0..<WordTables.leastTabled).map { _ in random.next() }
    let centre = words[7]
    for index in 0..<3000 { words[index * 5] = Self.near(centre, index % 24, &random) }
    for index in 0..<200 { words[index * 11] = centre }
    let queries =
      [centre, 0, .max]
      + (0..<130).map { _ in
        Self.near(words[random.integer(below: words.count)], random.integer(below: 20), &random)
      }
    let bytes = Self.tables(of: words)
    let expected = Self.reference(queries, words, radius)
    #expect(expected.contains { $0.count > 100 })
    #expect(Self.found(queries, bytes, words.count, radius: radius, threads: 2) == expected)
    #expect(WordTables.isSound(unsafe bytes.span.bytes, count: words.count))
  }

  @Test("few words are found as many are", arguments: [0, 1, 2, 63, 1000])
  func few(count: Int) {
    var random = RandomStream(seed: 2, path: UInt64(count))
    let words = (0..<count).map { _ in random.next() & 0xFFFF }
    let queries = words.prefix(20) + [0, 3]
    let bytes = Self.tables(of: words)
    for radius in [0, 3, 6, 16] {
      let found = Self.found(Array(queries), bytes, count, radius: radius, threads: 3)
      #expect(found == Self.reference(Array(queries), words, radius))
    }
  }

  @Test("bytes and answers are the same for any number of threads")
  func threads() {
    var random = RandomStream(seed: 3)
    let words = (0..<20_000).map { _ in random.next() & 0x00FF_00FF_00FF_00FF }
    let bytes = Self.tables(of: words, threads: 1)
    #expect(Self.tables(of: words, threads: 4) == bytes)
    let queries = Array(words.prefix(500))
    let found = Self.found(queries, bytes, words.count, radius: 4, threads: 1)
    #expect(Self.found(queries, bytes, words.count, radius: 4, threads: 4) == found)
  }

  @Test("damaged tables are told, and searching them ends")
  func damage() {
    var random = RandomStream(seed: 4)
    let words = (0..<WordTables.leastTabled).map { _ in random.next() }
    let bytes = Self.tables(of: words)
    for _ in 0..<40 {
      var damaged = bytes
      let place = random.integer(below: bytes.count / 8) * 8
      for index in 0..<8 { damaged[place + index] = 0xFF ^ bytes[place + index] }
      // The bytes between the parts are looked at by nobody.
      let isPadding = bytes[place..<place + 8].allSatisfy { $0 == 0 }
      #expect(isPadding || !WordTables.isSound(unsafe damaged.span.bytes, count: words.count))
      _ = Self.found([words[0], 0], damaged, words.count, radius: 6, threads: 1)
    }
    #expect(!WordTables.isSearchable(unsafe bytes.span.bytes, count: words.count + 1))
    #expect(!WordTables.isSearchable(unsafe bytes.span.bytes, count: -1))
  }
}
