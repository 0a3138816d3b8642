internal import SegmentFile

/// Looks into the bytes of one segment of a ``CaptionIndex``.
struct CaptionSegment: Sendable {
  let layout: SegmentLayout
  private let stored: SegmentFile.Segment

  /// Nil where the bytes are not those of a segment.
  init?(_ stored: SegmentFile.Segment) {
    guard let layout = stored.bytes.withBytes({ SegmentLayout(of: $0) }) else { return nil }
    self.layout = layout
    self.stored = stored
  }

  /// How often a caption has been kept, and its first row.
  func occurrences(of key: CaptionKey) -> (count: Int, first: Int)? {
    stored.bytes.withBytes { bytes in
      let range = bucket(
        layout.keyDirectory, of: UInt32(truncatingIfNeeded: key.high >> 32),
        bits: SegmentLayout.directoryBits(for: layout.captions), in: bytes)
      for place in range {
        let found = self.key(place, in: bytes)
        if found == key { return (count(place, in: bytes), row(place, in: bytes)) }
        if key < found { return nil }
      }
      return nil
    }
  }

  /// Calls `body` with the place and row of the first captions that share the hash of a band, and with the
  /// number of their shingles; once for each such band.
  ///
  /// - Parameters:
  ///   - bands: A hash for each.
  ///   - seen: How many captions of each band have been seen, which grows.
  ///   - most: At so many a band is done.
  ///   - body: Given a caption.
  func forEachCandidate(
    bands: [UInt32], seen: inout [Int], most: Int,
    _ body: (_ place: Int, _ row: Int, _ shingles: Int) -> Void
  ) {
    guard layout.nearCaptions > 0 else { return }
    let bits = SegmentLayout.directoryBits(for: layout.nearCaptions)
    stored.bytes.withBytes { bytes in
      for (band, hash) in bands.enumerated() where seen[band] < most {
        let entries = layout.entries(ofBand: band)
        let bucket = bucket(layout.directory(ofBand: band), of: hash, bits: bits, in: bytes)
        for index in first(of: hash, among: bucket, entries, in: bytes)..<bucket.upperBound {
          let entry = bytes.word64(entries, index)
          guard UInt32(truncatingIfNeeded: entry >> 32) == hash, seen[band] < most else { break }
          seen[band] += 1
          let place = Int(UInt32(truncatingIfNeeded: entry))
          body(place, nearRow(place, in: bytes), shingleRange(place, in: bytes).count)
        }
      }
    }
  }

  /// Where a hash begins among the entries of a bucket, which another's thousands may fill.
  private func first(
    of hash: UInt32, among bucket: Range<Int>, _ entries: Range<Int>, in bytes: RawSpan
  ) -> Int {
    var range = bucket
    while !range.isEmpty {
      let middle = (range.lowerBound + range.upperBound) / 2
      range =
        UInt32(truncatingIfNeeded: bytes.word64(entries, middle) >> 32) < hash
        ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return range.lowerBound
  }

  func shingles(_ place: Int) -> [UInt32] {
    stored.bytes.withBytes { bytes in
      shingleRange(place, in: bytes).map { bytes.word32(layout.shingleHashes, $0) }
    }
  }

  /// Hands all that it holds to whoever makes a segment of several.
  func copy(to builder: inout SegmentBuilder) {
    stored.bytes.withBytes { bytes in
      for place in 0..<layout.captions {
        builder.count(
          key(place, in: bytes), row: row(place, in: bytes), times: count(place, in: bytes))
      }
      for band in 0..<layout.bands {
        let entries = layout.entries(ofBand: band)
        builder.addEntries(layout.nearCaptions, band: band) { bytes.word64(entries, $0) }
      }
      for place in 0..<layout.nearCaptions {
        builder.addShingles(shingleRange(place, in: bytes), row: nearRow(place, in: bytes)) {
          bytes.word32(layout.shingleHashes, $0)
        }
      }
    }
  }

  private func bucket(
    _ directory: Range<Int>, of hash: UInt32, bits: Int, in bytes: RawSpan
  ) -> Range<Int> {
    let value = bits == 0 ? 0 : Int(hash >> (32 - UInt32(bits)))
    let start = Int(bytes.word32(directory, value))
    return start..<max(start, Int(bytes.word32(directory, value + 1)))
  }

  private func key(_ place: Int, in bytes: RawSpan) -> CaptionKey {
    CaptionKey(
      high: bytes.word64(layout.keys, 2 * place), low: bytes.word64(layout.keys, 2 * place + 1))
  }

  private func row(_ place: Int, in bytes: RawSpan) -> Int {
    Int(truncatingIfNeeded: bytes.word64(layout.rows, place))
  }

  private func count(_ place: Int, in bytes: RawSpan) -> Int {
    Int(bytes.word32(layout.counts, place))
  }

  private func nearRow(_ place: Int, in bytes: RawSpan) -> Int {
    Int(truncatingIfNeeded: bytes.word64(layout.nearRows, place))
  }

  private func shingleRange(_ place: Int, in bytes: RawSpan) -> Range<Int> {
    let start = Int(bytes.word32(layout.ends, place))
    return start..<max(start, Int(bytes.word32(layout.ends, place + 1)))
  }
}
