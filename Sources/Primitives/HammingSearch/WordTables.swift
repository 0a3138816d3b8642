/// A word near one that was asked for.
public struct WordMatch: Sendable, Hashable {
  /// The number that it was stored under.
  public var id: UInt32
  /// The bits that differ.
  public var distance: UInt8
}

/// Few 64-bit words against many that are kept, as bytes of a file: all within a Hamming distance.
///
/// Multi-index hashing: each word stands in four tables, sorted by a quarter of its bits each, and two
/// words within the radius are near in at least one quarter (``WordBlocks/radii(for:)``), so that a query
/// reads a few runs of neighbours: at radius 6 in ten million words 52 runs of 150. Recall is exact.
///
/// 12 bytes a word, and 48 more and 1 MiB where there are ``leastTabled`` or more; fewer are simply
/// compared one by one. Queries cost about the same for words of chance; words that crowd, as
/// those of pictures do, cost more where they crowd.
public enum WordTables {
  /// The fewest words for which tables are made.
  public static let leastTabled = 16_384

  /// The bytes that `count` words, fewer than 2³², take: a multiple of 8.
  public static func byteCount(for count: Int) -> Int {
    WordTableLayout(count).byteCount
  }

  /// Stores one of `count` words in the zeroed room of tables.
  ///
  /// - Parameters:
  ///   - word: What queries are compared with.
  ///   - id: What queries give: above that of the word before.
  ///   - index: Its place, 0 ..< `count`.
  ///   - count: Of all words.
  ///   - room: ``byteCount(for:)`` bytes.
  public static func store(
    _ word: UInt64, id: UInt32, at index: Int, of count: Int, in room: inout MutableRawSpan
  ) {
    precondition(index >= 0 && index < count, "word \(index) of \(count)")
    let layout = WordTableLayout(count)
    room.storeBytes(
      of: WordBlocks.spread(word).littleEndian, toByteOffset: 8 * index, as: UInt64.self)
    room.storeBytes(of: id.littleEndian, toByteOffset: layout.ids + 4 * index, as: UInt32.self)
  }

  /// Makes the tables once all words are stored.
  public static func finish(_ room: inout MutableRawSpan, count: Int, threads: Int) {
    let layout = WordTableLayout(count)
    precondition(room.byteCount == layout.byteCount, "\(room.byteCount) bytes for \(count) words")
    if layout.hasTables { WordTableKernels.build(&room, layout, threads: threads) }
  }

  /// Whether bytes can be searched as tables of `count` words: cheap, and whatever else they hold,
  /// searching them ends and stays within them.
  public static func isSearchable(_ bytes: RawSpan, count: Int) -> Bool {
    count >= 0 && count < Int(UInt32.max) && bytes.byteCount == byteCount(for: count)
  }

  /// Whether a word was stored so.
  ///
  /// The parameters are those of ``store(_:id:at:of:in:)``.
  public static func holds(
    _ word: UInt64, id: UInt32, at index: Int, of count: Int, in bytes: RawSpan
  ) -> Bool {
    precondition(index >= 0 && index < count, "word \(index) of \(count)")
    return WordTableKernels.holds(
      WordBlocks.spread(word), id: id, at: index, in: bytes, WordTableLayout(count))
  }

  /// Whether every table holds the words that are stored, sorted.
  ///
  /// Reads all; takes 1 MiB of memory.
  public static func isSound(_ bytes: RawSpan, count: Int) -> Bool {
    isSearchable(bytes, count: count)
      && WordTableKernels.isSound(bytes, WordTableLayout(count))
  }

  /// Looks for every word within `radius` bits of each query.
  ///
  /// - Parameters:
  ///   - queries: Words, the more at once the less each costs.
  ///   - radius: 0 to 16; where the tables would have more to read than there is, all is compared.
  ///   - bytes: Tables that are searchable (``isSearchable(_:count:)``).
  ///   - count: Of the words in them.
  ///   - threads: Cores to use.
  /// - Returns: For each query what is near it, in order of the ids.
  public static func matches(
    of queries: [UInt64], radius: Int, in bytes: RawSpan, count: Int, threads: Int
  ) -> [[WordMatch]] {
    precondition((0...16).contains(radius), "radius \(radius); 0 to 16 are possible")
    precondition(isSearchable(bytes, count: count), "\(bytes.byteCount) bytes for \(count) words")
    if count == 0 { return [[WordMatch]](repeating: [], count: queries.count) }
    return WordTableKernels.matches(
      of: queries, radius: radius, in: bytes, WordTableLayout(count), threads: threads)
  }
}

/// Where the words and their tables lie, in bytes from the beginning.
///
/// words (8 each, bits spread), ids (4 each), then for each block offsets (4 each, one for every value and
/// one for the end), words and ids in order of the block's value, equal values in order of ids.
struct WordTableLayout {
  var count: Int
  var hasTables: Bool { count >= WordTables.leastTabled }
  var ids: Int { 8 * count }
  private var plainSize: Int { 8 * count + Self.aligned(4 * count) }
  private var offsetsSize: Int { Self.aligned(4 * (WordBlocks.values + 1)) }
  private var tableSize: Int { offsetsSize + plainSize }

  init(_ count: Int) { self.count = count }

  func offsets(of block: Int) -> Int { plainSize + block * tableSize }
  func words(of block: Int) -> Int { offsets(of: block) + offsetsSize }
  func ids(of block: Int) -> Int { words(of: block) + 8 * count }

  var byteCount: Int { plainSize + (hasTables ? WordBlocks.count * tableSize : 0) }

  private static func aligned(_ size: Int) -> Int { (size + 7) / 8 * 8 }
}
