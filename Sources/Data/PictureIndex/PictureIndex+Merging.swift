import PerceptualHash
import SegmentFile
import WorkerThreads

extension PictureIndex {
  /// Makes one index of several, in their order; of entries with equal digest and signature the first.
  ///
  /// Batch k holds what came from path k. What was at `into` is replaced, in one step. Takes 16 bytes of
  /// memory an entry while it runs.
  public static func merge(_ paths: [String], into path: String) throws {
    let sources = try paths.map { try PictureIndex($0, isWritable: false) }
    let isKept = firsts(of: sources)
    let merged = try PictureIndex(path, isWritable: true)
    var draft = PictureSegmentDraft()
    var position = 0
    for (number, source) in sources.enumerated() {
      draft.begin(number)
      for segment in source.segments {
        for run in runs(of: isKept[position..<position + segment.count]) {
          draft.append(.segment(segment, run))
        }
        position += segment.count
      }
    }
    try merged.file.compact { fresh in
      if draft.batches.isEmpty { return }
      let segment = draft.segmentDraft(
        base: 0, chain: ContentChain(), hashed: 0, threads: Parallel.coreCount)
      try fresh.replace(0..<0, by: [segment])
    }
  }

  /// The runs of trues, as places from the beginning of the slice.
  private static func runs(of flags: ArraySlice<Bool>) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for (index, flag) in flags.enumerated() where flag {
      if let last = runs.last, last.upperBound == index {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return runs
  }

  /// Whether each entry, over all sources in order, is the first with its digest and signature.
  private static func firsts(of sources: [PictureIndex]) -> [Bool] {
    let segments = sources.flatMap(\.segments)
    var bases: [Int] = []
    var count = 0
    for segment in segments {
      bases.append(count)
      count += segment.count
    }
    func entry(at position: Int) -> PictureEntry {
      var range = 0..<segments.count
      while range.count > 1 {
        let middle = (range.lowerBound + range.upperBound) / 2
        range =
          bases[middle] <= position ? middle..<range.upperBound : range.lowerBound..<middle
      }
      return segments[range.lowerBound].entry(at: position - bases[range.lowerBound])
    }
    // Sorted by a mix of both and by position: equal ones stand together, the first one first.
    var mixes: [(mix: UInt64, position: Int)] = []
    mixes.reserveCapacity(count)
    for (segment, base) in zip(segments, bases) {
      segment.bytes.withBytes { bytes in
        for index in 0..<segment.count {
          let place = segment.place(of: index)
          let digest = EntryRecord.digest(at: place, in: bytes)
          let key = EntryRecord.key(at: place, in: bytes)
          mixes.append(((digest?.high ?? 0) ^ (key ?? 0) &* 0x9E37_79B9_7F4A_7C15, base + index))
        }
      }
    }
    mixes.sort { ($0.mix, $0.position) < ($1.mix, $1.position) }
    var isFirst = [Bool](repeating: true, count: count)
    var start = 0
    while start < mixes.count {
      var end = start + 1
      while end < mixes.count, mixes[end].mix == mixes[start].mix { end += 1 }
      if end - start > 1 {
        // A mix is shared by chance once in millions, so what differs in spite of it is little.
        var distinct: Set<Look> = []
        for (_, position) in mixes[start..<end] {
          isFirst[position] = distinct.insert(Look(entry(at: position))).inserted
        }
      }
      start = end
    }
    return isFirst
  }

  /// By what two entries are the same picture.
  private struct Look: Hashable {
    var digest: Name128?
    var signature: [UInt8]?

    init(_ entry: PictureEntry) {
      digest = entry.digest
      signature = entry.signature?.bytes
    }
  }
}
