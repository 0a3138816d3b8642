/// Two words that are near each other.
public struct HammingPair: Sendable, Hashable {
  /// Places in what was searched; the first is the lower one.
  public var first: UInt32
  public var second: UInt32
  /// The bits that differ.
  public var distance: UInt8

  public init(first: UInt32, second: UInt32, distance: UInt8) {
    self.first = first
    self.second = second
    self.distance = distance
  }
}

/// All pairs of 64-bit words within a Hamming distance: none is missed, and each is found once.
///
/// Words are partitioned by blocks of their bits, block within block, until few enough share a bucket
/// to be compared (after Manku, Jain, Das Sarma: Detecting Near-Duplicates for Web Crawling, WWW 2007,
/// and the multi-index hashing of Norouzi, Punjani, Fleet, CVPR 2012, but without tables). Equal words
/// are joined as one, and buckets that stay large are cut again by other bits. Takes 32 bytes of memory
/// a word. Of uniform words ten million take 22 times as long as one at a radius of 6; where blocks
/// of so few bits tell too little, as at large radii, all are compared with all.
public enum HammingJoin {
  /// Finds every pair once, in no particular order.
  ///
  /// - Parameters:
  ///   - words: Fewer than 2³² of them.
  ///   - radius: Bits that may differ, 0 to 64.
  ///   - threads: Cores to use.
  ///   - check: Called now and then, by several threads at once; an error ends the search.
  ///   - found: Given pairs as they are found, by several threads at once; an error ends the search.
  ///     Equal words are enumerated too: m of them are m (m − 1) / 2 pairs.
  /// - Throws: The first error of `check` and `found`.
  public static func pairs(
    among words: [UInt64], radius: Int, threads: Int,
    check: @Sendable () throws -> Void = {},
    found: @Sendable (_ pairs: [HammingPair]) throws -> Void
  ) throws {
    try pairs(of: words, radius: radius, threads: threads, check: check, found: found)
  }

  /// Finds every pair of a file's words once; places count from the file's begin.
  ///
  /// - Throws: ``WordFileError``, and the first error of `check` and `found`.
  public static func pairs(
    in file: WordFile, radius: Int, threads: Int,
    check: @Sendable () throws -> Void = {},
    found: @Sendable (_ pairs: [HammingPair]) throws -> Void
  ) throws {
    try pairs(of: file, radius: radius, threads: threads, check: check, found: found)
  }

  /// The number of pairs by their distance, 0 to `radius`; groups of equal words are counted, not
  /// enumerated.
  public static func counts(among words: [UInt64], radius: Int, threads: Int) -> [Int] {
    do {
      return try counts(of: words, radius: radius, threads: threads, check: {})
    } catch {
      preconditionFailure("counting words in memory failed: \(error)")
    }
  }

  /// The number of pairs by their distance, 0 to `radius`.
  ///
  /// - Throws: The first error of `check`.
  public static func counts(
    among words: [UInt64], radius: Int, threads: Int, check: @Sendable () throws -> Void
  ) throws -> [Int] {
    try counts(of: words, radius: radius, threads: threads, check: check)
  }

  /// The number of pairs of a file's words by their distance, 0 to `radius`.
  ///
  /// - Throws: ``WordFileError``, and the first error of `check`.
  public static func counts(
    in file: WordFile, radius: Int, threads: Int, check: @Sendable () throws -> Void = {}
  ) throws -> [Int] {
    try counts(of: file, radius: radius, threads: threads, check: check)
  }

  private static func pairs(
    of words: some WordSource, radius: Int, threads: Int, check: @Sendable () throws -> Void,
    found: @Sendable (_ pairs: [HammingPair]) throws -> Void
  ) throws {
    try withoutActuallyEscaping(check) { check in
      try withoutActuallyEscaping(found) { found in
        let run = try JoinRun(words, radius: radius, threads: threads, check: check)
        _ = try run.counts(found: found)
      }
    }
  }

  private static func counts(
    of words: some WordSource, radius: Int, threads: Int, check: @Sendable () throws -> Void
  ) throws -> [Int] {
    try withoutActuallyEscaping(check) { check in
      let run = try JoinRun(words, radius: radius, threads: threads, check: check)
      return try run.counts(found: nil)
    }
  }
}
