/// Where the columns of a segment lie.
///
/// A header of eight 64-bit words: version, bits of the similarity (0 where near captions are not kept),
/// distinct captions n, captions that can be near m, shingles s, bands b, and two words for later. Then
///
/// - keys: n × 16 bytes, ascending, with a directory of their highest bits;
/// - rows (the first of each caption): n × 8; counts: n × 4;
/// - nearRows: m × 8; ends of their shingles: (m + 1) × 4; shingles: s × 4;
/// - b bands, each a directory and m × 8 bytes: a hash in the upper half, a place in the lower, ascending.
///
/// A directory of 2ᵏ + 1 words of 4 bytes says where each value of the k highest bits begins, so that a
/// lookup reads two places instead of searching. That makes 28.5 bytes for each distinct caption, and
/// 12 + 4 × shingles + 8.5 × bands more where near captions are kept.
struct SegmentLayout: Sendable, Equatable {
  static let version: UInt64 = 1
  static let headerBytes = 64
  /// Entries for each value of a directory, on average.
  private static let entriesPerBucket = 8
  /// Counts beyond what one file could hold are damage, and must not overflow in a sum.
  private static let mostBytes = 1 << 40

  var similarityBits: UInt64
  var captions: Int
  var nearCaptions: Int
  var shingles: Int
  var bands: Int

  /// The bits by which `count` sorted entries are found.
  static func directoryBits(for count: Int) -> Int {
    var bits = 0
    while bits < 28, count >> bits > entriesPerBucket { bits += 1 }
    return bits
  }

  private static func directoryBytes(for count: Int) -> Int {
    4 * ((1 << directoryBits(for: count)) + 1)
  }

  var keyDirectory: Range<Int> { after(Self.headerBytes, Self.directoryBytes(for: captions)) }
  var keys: Range<Int> { after(keyDirectory.upperBound, 16 * captions) }
  var rows: Range<Int> { after(keys.upperBound, 8 * captions) }
  var counts: Range<Int> { after(rows.upperBound, 4 * captions) }
  var nearRows: Range<Int> { after(counts.upperBound, 8 * nearCaptions) }
  var ends: Range<Int> { after(nearRows.upperBound, 4 * (nearCaptions + 1)) }
  var shingleHashes: Range<Int> { after(ends.upperBound, 4 * shingles) }

  func directory(ofBand band: Int) -> Range<Int> {
    let directory = Self.directoryBytes(for: nearCaptions)
    return after(
      shingleHashes.upperBound + band * (directory + 8 * nearCaptions), directory)
  }

  func entries(ofBand band: Int) -> Range<Int> {
    after(directory(ofBand: band).upperBound, 8 * nearCaptions)
  }

  var byteCount: Int {
    bands == 0 ? shingleHashes.upperBound : entries(ofBand: bands - 1).upperBound
  }

  private func after(_ start: Int, _ count: Int) -> Range<Int> { start..<start + count }

  var header: [UInt64] {
    [
      Self.version, similarityBits, UInt64(captions), UInt64(nearCaptions), UInt64(shingles),
      UInt64(bands), 0, 0,
    ]
  }

  /// Reads a header; nil where it does not fit the bytes that there are.
  init?(of bytes: RawSpan) {
    guard bytes.byteCount >= Self.headerBytes else { return nil }
    let words = (0..<8).map { bytes.word64(0..<Self.headerBytes, $0) }
    guard words[0] == Self.version, words[2...4].allSatisfy({ $0 <= UInt64(Self.mostBytes) }),
      words[5] <= 1024
    else { return nil }
    self.init(
      similarityBits: words[1], captions: Int(words[2]), nearCaptions: Int(words[3]),
      shingles: Int(words[4]), bands: Int(words[5]))
    guard byteCount == bytes.byteCount else { return nil }
  }

  init(
    similarityBits: UInt64, captions: Int, nearCaptions: Int, shingles: Int, bands: Int
  ) {
    self.similarityBits = similarityBits
    self.captions = captions
    self.nearCaptions = nearCaptions
    self.shingles = shingles
    self.bands = bands
  }
}
