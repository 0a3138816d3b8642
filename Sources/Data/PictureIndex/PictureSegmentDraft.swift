import HammingSearch
import PerceptualHash
import SegmentFile

/// Entries that are to become one segment.
struct PictureSegmentDraft {
  /// Where entries come from.
  enum Source {
    case segment(PictureSegment, Range<Int>)
    case entries([PictureEntry])

    var count: Int {
      switch self {
      case .segment(_, let range): range.count
      case .entries(let entries): entries.count
      }
    }
  }

  private(set) var sources: [Source] = []
  private(set) var batches: [(number: Int, first: Int)] = []
  private(set) var count = 0

  /// Goes on with a batch's beginning; its entries follow.
  mutating func begin(_ batch: Int) { batches.append((batch, count)) }

  mutating func append(_ source: Source) {
    sources.append(source)
    count += source.count
  }

  /// Adds the first `count` batches of a segment with their entries.
  mutating func append(_ segment: PictureSegment, batches count: Int) {
    let numbers = (0..<count).map { segment.batch(at: $0) }
    batches += numbers.map { ($0.number, self.count + $0.first) }
    let end = count < segment.layout.batches ? segment.batch(at: count).first : segment.count
    append(.segment(segment, 0..<end))
  }

  /// The segment, to be written straight into its file.
  ///
  /// - Parameters:
  ///   - base: The entries of the segments before.
  ///   - chain: Of the first `hashed` entries and all before.
  ///   - hashed: Entries that the chain holds already.
  ///   - threads: Cores to use.
  /// - Returns: A draft that keeps its sources until it is written.
  func segmentDraft(
    base: Int, chain: ContentChain, hashed: Int, threads: Int
  ) -> SegmentDraft {
    precondition(count < UInt32.max, "\(count) entries in a segment; fewer than 2³² are possible")
    var layout = PictureSegmentLayout(entries: count, keys: 0, digests: 0, batches: batches.count)
    for source in sources {
      let (keys, digests) = Self.counts(of: source)
      layout.keys += keys
      layout.digests += digests
    }
    let numbers = (batches.first?.number ?? 0)...(batches.last?.number ?? 0)
    return SegmentDraft(
      kind: PictureSegment.kind, batches: numbers, byteCount: layout.byteCount
    ) { [layout] room in
      write(layout, base: base, chain: chain, hashed: hashed, threads: threads, to: &room)
    }
  }

  private static func counts(of source: Source) -> (keys: Int, digests: Int) {
    switch source {
    case .entries(let entries):
      return (
        entries.count { $0.signature != nil }, entries.count { $0.digest != nil }
      )
    case .segment(let segment, let range):
      if range == 0..<segment.count { return (segment.layout.keys, segment.layout.digests) }
      return segment.withRecords(range) { records in
        var counts = (keys: 0, digests: 0)
        for place in stride(from: 0, to: records.byteCount, by: EntryRecord.size) {
          if EntryRecord.key(at: place, in: records) != nil { counts.keys += 1 }
          if EntryRecord.digest(at: place, in: records) != nil { counts.digests += 1 }
        }
        return counts
      }
    }
  }

  private func write(
    _ layout: PictureSegmentLayout, base: Int, chain: ContentChain, hashed: Int, threads: Int,
    to room: inout MutableRawSpan
  ) {
    let head = [
      UInt64(PictureSegmentLayout.version), UInt64(layout.entries), UInt64(layout.keys),
      UInt64(layout.digests), UInt64(layout.batches),
      UInt64(EntryRecord.size) << 32 | UInt64(PictureSignature.byteCount),
      UInt64(base + layout.entries),
    ]
    for (index, word) in head.enumerated() { room.store(word, at: 8 * index) }
    for (index, batch) in batches.enumerated() {
      let place = PictureSegmentLayout.batches + 16 * index
      room.store(UInt64(batch.number), at: place)
      room.store(UInt64(batch.first), at: place + 8)
    }
    writeRecords(layout, to: &room)
    writeHash(layout, chain: chain, hashed: hashed, to: &room)
    DigestTable.build(&room, layout, threads: threads)
    writeTables(layout, threads: threads, to: &room)
  }

  private func writeRecords(_ layout: PictureSegmentLayout, to room: inout MutableRawSpan) {
    var place = layout.records
    for source in sources {
      switch source {
      case .entries(let entries):
        for entry in entries {
          EntryRecord.store(entry, at: place, in: &room)
          place += EntryRecord.size
        }
      case .segment(let segment, let range):
        segment.withRecords(range) { room.store($0, at: place) }
        place += range.count * EntryRecord.size
      }
    }
  }

  private func writeHash(
    _ layout: PictureSegmentLayout, chain: ContentChain, hashed: Int,
    to room: inout MutableRawSpan
  ) {
    var chain = chain
    let first = layout.records + EntryRecord.size * hashed
    chain.append(room.bytes.extracting(first..<layout.digestTable))
    room.store(chain.chain, at: PictureSegmentLayout.chain)
    room.store(chain.hash, at: PictureSegmentLayout.hash)
  }

  private func writeTables(
    _ layout: PictureSegmentLayout, threads: Int, to room: inout MutableRawSpan
  ) {
    let range = layout.wordTables..<layout.byteCount
    var index = 0
    for entry in 0..<layout.entries {
      let place = layout.records + EntryRecord.size * entry
      guard let key = EntryRecord.key(at: place, in: room.bytes) else { continue }
      var tables = room._mutatingExtracting(range)
      WordTables.store(key, id: UInt32(entry), at: index, of: layout.keys, in: &tables)
      index += 1
    }
    var tables = room._mutatingExtracting(range)
    WordTables.finish(&tables, count: layout.keys, threads: threads)
  }
}
