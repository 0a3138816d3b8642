import HammingSearch
import PerceptualHash
import SegmentFile

/// Where the parts of a segment lie, in bytes from its beginning.
///
/// The head (128: eight words, the chain and the hash of ``ContentChain`` as of the segment's end), the
/// batches (their number and their first entry, 16 each), the records, the digests in order (their first
/// half and the entry, 16 each), and the tables of keys.
struct PictureSegmentLayout: Equatable {
  static let version = 1
  static let chain = 64
  static let hash = 96
  static let batches = 128

  var entries: Int
  var keys: Int
  var digests: Int
  var batches: Int

  var records: Int { Self.batches + 16 * batches }
  var digestTable: Int { records + EntryRecord.size * entries }
  var wordTables: Int { digestTable + 16 * digests }
  var byteCount: Int { wordTables + WordTables.byteCount(for: keys) }
}

/// A run of entries with what finds them, in the pages of the index's file.
struct PictureSegment {
  static let kind: UInt32 = 1

  let bytes: SegmentBytes
  let layout: PictureSegmentLayout
  /// The entries of the segments before.
  let base: Int

  /// - Parameters:
  ///   - segment: Of an index's file.
  ///   - base: The entries before.
  ///   - path: For errors.
  /// - Throws: ``PictureIndexError`` for a segment that is none of this program's.
  init(_ segment: SegmentFile.Segment, base: Int, path: String) throws(PictureIndexError) {
    let bytes = segment.bytes
    self.bytes = bytes
    self.base = base
    guard segment.kind == Self.kind, bytes.count >= PictureSegmentLayout.batches,
      bytes.word(at: 0) == PictureSegmentLayout.version
    else { throw PictureIndexError(.newerVersion, path: path) }
    let sizes = UInt64(EntryRecord.size) << 32 | UInt64(PictureSignature.byteCount)
    guard bytes.word(at: 40) == sizes else { throw PictureIndexError(.otherSignatures, path: path) }
    // No count is more than the bytes that are there, so that no sum overflows.
    let counts = (1...4).map { Int(exactly: bytes.word(at: 8 * $0)) ?? Int.max }
    let most = bytes.count
    guard counts.allSatisfy({ $0 <= most }) else {
      throw PictureIndexError(.damaged("counts of a segment"), path: path)
    }
    let layout = PictureSegmentLayout(
      entries: counts[0], keys: counts[1], digests: counts[2], batches: counts[3])
    self.layout = layout
    guard layout.byteCount == bytes.count, layout.entries < UInt32.max, layout.batches > 0,
      layout.keys <= layout.entries, layout.digests <= layout.entries,
      bytes.word(at: 48) == base + layout.entries
    else { throw PictureIndexError(.damaged("counts of a segment"), path: path) }
    guard batchesAreSound(within: segment.batches) else {
      throw PictureIndexError(.damaged("batches of a segment"), path: path)
    }
  }

  /// Whether the batches go up from the first to the last of `numbers`, and their entries as well.
  private func batchesAreSound(within numbers: ClosedRange<Int>) -> Bool {
    var last = batch(at: 0)
    guard last == (numbers.lowerBound, 0) else { return false }
    for index in 1..<max(1, layout.batches) {
      let next = batch(at: index)
      guard next.number > last.number, next.first >= last.first else { return false }
      last = next
    }
    return last.number == numbers.upperBound
  }

  var count: Int { layout.entries }
  var end: Int { base + count }
  var chain: [UInt8] { bytes.array(PictureSegmentLayout.chain..<PictureSegmentLayout.hash) }
  var hash: [UInt8] { bytes.array(PictureSegmentLayout.hash..<PictureSegmentLayout.batches) }

  /// A batch and its first entry's place in the segment.
  func batch(at index: Int) -> (number: Int, first: Int) {
    let place = PictureSegmentLayout.batches + 16 * index
    return (
      Int(Int64(bitPattern: bytes.word(at: place))),
      // Within the segment, whatever a damaged one says.
      Int(min(bytes.word(at: place + 8), UInt64(layout.entries)))
    )
  }

  /// How many batches come before `number`.
  func batches(before number: Int) -> Int {
    var range = 0..<layout.batches
    while !range.isEmpty {
      let middle = (range.lowerBound + range.upperBound) / 2
      range =
        batch(at: middle).number < number
        ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return range.lowerBound
  }

  func entry(at index: Int) -> PictureEntry {
    bytes.withBytes { EntryRecord.entry(at: place(of: index), in: $0) }
  }

  func place(of index: Int) -> Int { layout.records + EntryRecord.size * index }

  /// Lends the records of a run of entries.
  func withRecords<R>(_ range: Range<Int>, _ body: (RawSpan) throws -> R) rethrows -> R {
    precondition(range.upperBound <= count, "entries \(range) of \(count)")
    return try bytes.withBytes { bytes in
      try body(bytes.extracting(place(of: range.lowerBound)..<place(of: range.upperBound)))
    }
  }

  /// The first entry with a digest.
  func first(with digest: Name128) -> PictureEntry? {
    bytes.withBytes { bytes in
      var range = 0..<layout.digests
      while !range.isEmpty {
        let middle = (range.lowerBound + range.upperBound) / 2
        range =
          bytes.word(at: layout.digestTable + 16 * middle) < digest.high
          ? middle + 1..<range.upperBound : range.lowerBound..<middle
      }
      // Equal first halves come in order of their entries.
      for index in range.lowerBound..<layout.digests {
        let slot = layout.digestTable + 16 * index
        guard bytes.word(at: slot) == digest.high else { return nil }
        guard let entry = Int(exactly: bytes.word(at: slot + 8)), entry < count else { return nil }
        if EntryRecord.digest(at: place(of: entry), in: bytes) == digest {
          return EntryRecord.entry(at: place(of: entry), in: bytes)
        }
      }
      return nil
    }
  }

  /// The entries whose key is within `radius` bits, for each key.
  func matches(of keys: [UInt64], radius: Int, threads: Int) -> [[PictureMatch]] {
    bytes.withBytes { bytes in
      let tables = bytes.extracting(layout.wordTables..<layout.byteCount)
      let found = WordTables.matches(
        of: keys, radius: radius, in: tables, count: layout.keys, threads: threads)
      return found.map { matches in
        matches.compactMap { match in
          // A damaged table may name an entry that is not there.
          guard match.id < count else { return nil }
          return PictureMatch(position: base + Int(match.id), distance: Int(match.distance))
        }
      }
    }
  }
}
