/// Puts together the bytes of a segment, from the captions of a batch or from segments before it.
struct SegmentBuilder {
  private struct Caption {
    var key: CaptionKey
    var row: Int
    var count: UInt32
  }

  private let bands: SimilarityBands?
  private var captions: [Caption] = []
  private var nearRows: [Int] = []
  private var ends: [UInt32] = [0]
  private var shingles: [UInt32] = []
  /// For each band hashes in the upper half, places in the lower.
  private var entries: [[UInt64]]

  init(bands: SimilarityBands?) {
    self.bands = bands
    entries = Array(repeating: [], count: bands?.bands ?? 0)
  }

  /// Counts rows of a caption, of which `row` is the first.
  mutating func count(_ key: CaptionKey, row: Int, times: Int = 1) {
    captions.append(Caption(key: key, row: row, count: UInt32(clamping: times)))
  }

  /// Adds what near captions are found by.
  mutating func sketch(_ caption: CaptionFingerprint, row: Int) {
    for (band, hash) in caption.bands.enumerated() {
      entries[band].append(UInt64(hash) << 32 | UInt64(nearRows.count))
    }
    addShingles(caption.shingles.indices, row: row) { caption.shingles[$0] }
  }

  /// Adds a column of a band, whose places count from the next caption on.
  mutating func addEntries(_ count: Int, band: Int, entry: (Int) -> UInt64) {
    // The sum never reaches the hash: a segment is bounded in bytes, and so are its places.
    let base = UInt64(nearRows.count)
    for index in 0..<count { entries[band].append(entry(index) + base) }
  }

  /// Adds the next caption; its bands come before.
  mutating func addShingles(_ range: Range<Int>, row: Int, hash: (Int) -> UInt32) {
    nearRows.append(row)
    for index in range { shingles.append(hash(index)) }
    ends.append(UInt32(shingles.count))
  }

  consuming func bytes() -> [UInt8] {
    // What comes from sorted segments is a few ascending runs, which Swift's sort only merges.
    captions.sort { $0.key < $1.key }
    combineEqual()
    let layout = SegmentLayout(
      similarityBits: bands?.similarity.bitPattern ?? 0, captions: captions.count,
      nearCaptions: nearRows.count, shingles: shingles.count, bands: entries.count)
    var writer = ColumnWriter(byteCount: layout.byteCount)
    writer.append(layout.header)
    writer.append(Self.directory(captions.count) { [captions] in captions[$0].key.high })
    writer.append(captions.flatMap { [$0.key.high, $0.key.low] })
    writer.append(captions.map { UInt64(truncatingIfNeeded: $0.row) })
    writer.append(captions.map(\.count))
    writer.append(nearRows.map { UInt64(truncatingIfNeeded: $0) })
    writer.append(ends)
    writer.append(shingles)
    for band in entries.indices {
      entries[band].sort()
      writer.append(Self.directory(nearRows.count) { [column = entries[band]] in column[$0] })
      writer.append(entries[band])
      entries[band] = []
    }
    return writer.bytes
  }

  /// Makes one of each caption: its first row, and all its rows counted.
  private mutating func combineEqual() {
    var kept = 0
    for caption in captions {
      if kept > 0, captions[kept - 1].key == caption.key {
        captions[kept - 1].row = min(captions[kept - 1].row, caption.row)
        let (sum, isOverflow) = captions[kept - 1].count.addingReportingOverflow(caption.count)
        captions[kept - 1].count = isOverflow ? .max : sum
      } else {
        captions[kept] = caption
        kept += 1
      }
    }
    captions.removeLast(captions.count - kept)
  }

  /// Where each value of the highest bits begins among ascending words.
  private static func directory(_ count: Int, word: (Int) -> UInt64) -> [UInt32] {
    let bits = SegmentLayout.directoryBits(for: count)
    var starts: [UInt32] = []
    starts.reserveCapacity((1 << bits) + 1)
    for index in 0..<count {
      let value = bits == 0 ? 0 : Int(word(index) >> (64 - UInt64(bits)))
      while starts.count <= value { starts.append(UInt32(index)) }
    }
    while starts.count <= 1 << bits { starts.append(UInt32(count)) }
    return starts
  }
}
