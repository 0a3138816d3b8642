import DurableFiles
import SegmentFile
import WorkerThreads

extension PictureIndex {
  /// Adds a batch, which may be empty; merges small segments where there are many.
  ///
  /// Costs two fsyncs and, spread over all batches, about eight writings of each entry; now and then one
  /// takes as long as writing the whole file does.
  public func append(_ new: [PictureEntry], batch: Int) throws {
    precondition(batch > lastBatch ?? -1, "batch \(batch) after \(lastBatch ?? -1)")
    let first = MergePolicy.firstMerged(of: segments.map(\.count) + [new.count])
    var draft = PictureSegmentDraft()
    for segment in segments[first...] {
      draft.append(segment, batches: segment.layout.batches)
    }
    let merged = draft.count
    draft.begin(batch)
    draft.append(.entries(new))
    try replace(
      first..<segments.count, by: draft, chain: chain(upTo: segments.count), hashed: merged)
    if file.byteCount > 2 * file.liveByteCount + Self.slack {
      // The batch is there, whatever comes of this: a disk too full for it is met by the next append.
      do { try file.compact() } catch is FileError { return }
      try load()
    }
  }

  /// Takes back every batch from `batch` on.
  ///
  /// A segment that holds batches of both sides is written anew without those.
  /// - Returns: Always true: no batch is ever so merged that it cannot be told apart.
  public func rewind(to batch: Int) throws -> Bool {
    guard let last = lastBatch, last >= batch else { return true }
    let first = segments.firstIndex { $0.layout.batches > $0.batches(before: batch) } ?? 0
    let kept = segments[first].batches(before: batch)
    if kept == 0 {
      try file.replace(first..<segments.count, by: [])
      try load()
    } else {
      var draft = PictureSegmentDraft()
      draft.append(segments[first], batches: kept)
      try replace(first..<segments.count, by: draft, chain: chain(upTo: first), hashed: 0)
    }
    return true
  }

  /// Writes the file anew, in one segment and without what is no longer in use.
  ///
  /// Readers that have it open go on with the old one until they refresh.
  public func compact() throws {
    var draft = PictureSegmentDraft()
    for segment in segments { draft.append(segment, batches: segment.layout.batches) }
    let chain = chain(upTo: segments.count)
    try file.compact { fresh in
      if draft.batches.isEmpty { return }
      let segment = draft.segmentDraft(
        base: 0, chain: chain, hashed: draft.count, threads: Parallel.coreCount)
      try fresh.replace(0..<0, by: [segment])
    }
    try load()
  }

  private func replace(
    _ range: Range<Int>, by draft: PictureSegmentDraft, chain: ContentChain, hashed: Int
  ) throws {
    let base = range.lowerBound == 0 ? 0 : segments[range.lowerBound - 1].end
    let segment = draft.segmentDraft(
      base: base, chain: chain, hashed: hashed, threads: Parallel.coreCount)
    try file.replace(range, by: [segment])
    try load()
  }

  /// The hash of all entries of the first segments, to go on from.
  func chain(upTo count: Int) -> ContentChain {
    guard count > 0 else { return ContentChain() }
    let end = segments[count - 1].end
    var pending: [UInt8] = []
    let first = end - end % ContentChain.blockCount
    for segment in segments[..<count] where segment.end > first {
      segment.withRecords(max(0, first - segment.base)..<segment.count) { records in
        pending += records.array(0..<records.byteCount)
      }
    }
    return ContentChain(count: end, chain: segments[count - 1].chain, pending: pending)
  }
}
