internal import SegmentFile

/// How often captions have been kept, and which are near each other: one file that grows by a batch at a
/// time and is never held in memory.
///
/// A chunk is judged by ``batch(of:threads:)``, which looks up all its captions at once and sees those
/// that the caller has just kept too:
///
/// ```swift
/// let captions = index.batch(of: chunk.map(\.caption), threads: 2)
/// for place in chunk.indices {
///   let known = captions.history(at: place)
///   if known.count < limit, known.near == nil { captions.keep(place, row: chunk[place].row) }
/// }
/// try index.append(captions, batch: chunkNumber)
/// ```
///
/// The answers do not depend on how captions fall into batches and segments, nor on threads. Captions of one
/// template ("photo of product 123") share bands by the million: of each band only the first
/// ``mostHolders`` that were kept are looked at, so that a caption costs no more however many there
/// are, and one that is near none of these but near a later one is missed. Cost: 29
/// bytes for each distinct caption, and about 245 with captions of ten words and a similarity of 0.8
/// (``SegmentLayout``); a lookup reads a few places in each of some twenty segments, and above 128 MB in one
/// more for every 128 MB. Until it is compacted, which an append does when half of the file is no longer
/// in use, the file has up to twice that. Not for several threads at once, except through a batch.
public final class CaptionIndex {
  public struct Entry: Sendable, Equatable {
    public var row: Int
    public var caption: String

    public init(row: Int, caption: String) {
      self.row = row
      self.caption = caption
    }
  }

  static let magic = Array("PLCAPTN1".utf8)
  private static let segmentKind: UInt32 = 1
  /// Bytes below which a file is not worth the trouble of compacting.
  private static let smallFile = 1 << 20

  /// The kept captions of each band that are held against a caption: the first.
  public static let mostHolders = 256

  public let path: String
  private let mostHolders: Int
  private let bands: SimilarityBands?
  private let file: SegmentFile
  private var segments: [CaptionSegment] = []

  /// Opens an index to read it, or to write to it as well.
  ///
  /// - Parameters:
  ///   - path: The file, made where it is not there and may be written to.
  ///   - similarity: The least Jaccard similarity of near captions, one of
  ///     ``SimilarityBands/similarities``; nil where none are asked for.
  ///   - isWritable: One handle writes at a time; any number read.
  /// - Throws: ``CaptionIndexError`` where the file was made for another similarity or is no index of
  ///   captions, and what ``SegmentFile`` throws.
  public convenience init(_ path: String, similarity: Double?, isWritable: Bool) throws {
    try self.init(
      path, similarity: similarity, isWritable: isWritable, mostHolders: Self.mostHolders)
  }

  /// As above, with another number than ``mostHolders``.
  package init(_ path: String, similarity: Double?, isWritable: Bool, mostHolders: Int) throws {
    self.path = path
    self.mostHolders = mostHolders
    bands = similarity.map { SimilarityBands(similarity: $0) }
    file = try SegmentFile(path, magic: Self.magic, isWritable: isWritable)
    try readSegments()
  }

  /// Reads every byte of an index, whatever similarity it was made for.
  ///
  /// - Throws: What ``SegmentFile`` finds damaged.
  public static func verify(_ path: String) throws {
    try SegmentFile(path, magic: magic, isWritable: false).verify()
  }

  /// The latest batch that it holds.
  public var lastBatch: Int? { file.segments.map(\.batches.upperBound).max() }

  /// How many kept rows have the caption.
  public func count(of caption: String) -> Int { count(of: NormalizedCaption.key(of: caption)) }

  /// How many kept rows have the caption of a key.
  public func count(of key: CaptionKey) -> Int { lookup.occurrences(of: key).count }

  /// The first row with the caption.
  public func first(_ caption: String) -> Int? {
    lookup.occurrences(of: NormalizedCaption.key(of: caption)).first
  }

  /// The earliest row whose caption is near, with its similarity; an equal one has 1.
  public func nearest(to caption: String) -> (row: Int, similarity: Double)? {
    lookup.nearest(to: CaptionFingerprint(of: caption, bands: bands)).near.map {
      ($0.row, $0.similarity)
    }
  }

  /// Captions to be judged in order, looked up on up to `threads` threads.
  public func batch(of captions: [String], threads: Int) -> CaptionBatch {
    CaptionBatch(captions, lookup: lookup, threads: threads)
  }

  private var lookup: CaptionLookup {
    CaptionLookup(segments: segments, bands: bands, mostHolders: mostHolders)
  }

  /// Adds the captions of what a batch has kept.
  ///
  /// - Parameters:
  ///   - entries: Rows and captions, in order.
  ///   - batch: A number of the caller's, 0 or more, by which ``rewind(to:)`` takes it back.
  /// - Throws: What ``SegmentFile`` throws; then nothing was added.
  public func append(_ entries: [Entry], batch: Int) throws {
    let captions = self.batch(of: entries.map(\.caption), threads: 1)
    for (place, entry) in entries.enumerated() { captions.keep(place, row: entry.row) }
    try append(captions, batch: batch)
  }

  /// Adds what the caller has kept of a batch that this index has made.
  public func append(_ captions: CaptionBatch, batch: Int) throws {
    var builder = SegmentBuilder(bands: bands)
    for kept in captions.kept {
      builder.count(kept.caption.key, row: kept.row)
      // An equal caption is found by its first row; the empty one is near to nothing.
      if kept.isNew, !kept.caption.bands.isEmpty { builder.sketch(kept.caption, row: kept.row) }
    }
    try file.append([
      .init(kind: Self.segmentKind, batches: batch...batch, bytes: builder.bytes())
    ])
    try merge()
    try readSegments()
  }

  /// Takes back every batch from `batch` on; false where the index must be made anew.
  ///
  /// The four batches that were appended last are never merged, so they can always be taken back; of those
  /// before, some have been merged with others. From 0 on, all of it can.
  public func rewind(to batch: Int) throws -> Bool {
    let isDone = try file.rewind(to: batch)
    try readSegments()
    return isDone
  }

  /// Looks at what others have appended since.
  public func refresh() throws {
    try file.refresh()
    try readSegments()
  }

  private func merge() throws {
    while let range = MergePlan.next(sizes: file.segments.map(\.bytes.count)) {
      let parts = file.segments[range]
      var builder = SegmentBuilder(bands: bands)
      for index in range { try segment(index).copy(to: &builder) }
      let batches =
        parts.map(\.batches.lowerBound).reduce(
          .max, min)...parts.map(\.batches.upperBound).reduce(.min, max)
      try file.replace(
        range, by: .init(kind: Self.segmentKind, batches: batches, bytes: builder.bytes()))
    }
    // What is no longer in use is at most as much again, so copying what is costs once more at most.
    guard file.byteCount - file.liveByteCount > file.liveByteCount + Self.smallFile else { return }
    try file.compact()
  }

  private func readSegments() throws {
    segments = try file.segments.indices.map(segment)
  }

  private func segment(_ index: Int) throws(CaptionIndexError) -> CaptionSegment {
    let stored = file.segments[index]
    guard stored.kind == Self.segmentKind, let segment = CaptionSegment(stored)
    else { throw CaptionIndexError(.unreadable(segment: index), path: path) }
    let found =
      segment.layout.similarityBits == 0
      ? nil : Double(bitPattern: segment.layout.similarityBits)
    guard found == bands?.similarity, segment.layout.bands == bands?.bands ?? 0 else {
      throw CaptionIndexError(
        .otherSimilarity(found: found, wanted: bands?.similarity), path: path)
    }
    return segment
  }
}
