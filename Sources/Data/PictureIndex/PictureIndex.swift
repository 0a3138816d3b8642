import ContentHashing
import PerceptualHash
import SegmentFile
import WorkerThreads

/// Pictures that are kept, in one file: found by their bytes or by how they look.
///
/// Entries come in batches, numbered upwards: the chunks of a run. A batch that was appended is there
/// after a crash, or not at all. One handle may write while others read; who finds the writer's place taken
/// is told so (`SegmentFileError`), and to open costs so little that a process may do it for each batch.
///
/// About 170 bytes an entry on the disk, and as much again at most until what was merged is compacted, which
/// an append does by itself; of memory a few bytes per segment, beside the file's own pages. Where a large
/// segment is damaged a picture may be missed or found twice until ``verify()`` has said so
/// (`SegmentFile.checkedSize`); nothing else comes of it.
public final class PictureIndex {
  package static let magic = Array("PLPICIDX".utf8)
  /// The most that a file may hold of what is no longer in use, beside as much as is in use.
  static let slack = 32 << 20

  public let path: String
  let file: SegmentFile
  var segments: [PictureSegment] = []

  /// Opens an index.
  ///
  /// - Parameters:
  ///   - path: Made where it is not there, if it is to be written to.
  ///   - isWritable: Whether batches may be appended: for one handle at a time.
  /// - Throws: `SegmentFileError` and ``PictureIndexError`` for a file that is damaged, of another kind or
  ///   being written to; `FileError` where the system refuses.
  public convenience init(_ path: String, isWritable: Bool) throws {
    try self.init(
      SegmentFile(path, magic: Self.magic, isWritable: isWritable), path: path)
  }

  init(_ file: SegmentFile, path: String) throws {
    self.path = path
    self.file = file
    try load()
  }

  /// Takes the file's segments for its own.
  func load() throws {
    var loaded: [PictureSegment] = []
    for segment in file.segments {
      let last = loaded.last.map { $0.batch(at: $0.layout.batches - 1).number } ?? -1
      guard segment.batches.lowerBound > last else {
        throw PictureIndexError(.damaged("batches of a segment"), path: path)
      }
      loaded.append(try PictureSegment(segment, base: loaded.last?.end ?? 0, path: path))
    }
    segments = loaded
  }

  public var count: Int { segments.last?.end ?? 0 }

  /// The highest batch that is there.
  public var lastBatch: Int? {
    segments.last.map { $0.batch(at: $0.layout.batches - 1).number }
  }

  /// Bytes of the file.
  public var byteCount: Int { file.byteCount }

  /// The segments that the entries lie in, a number that grows with the logarithm of the entries.
  public var segmentCount: Int { segments.count }

  /// SHA-256 over all entries in order, 64 hexadecimal digits.
  ///
  /// What a run that goes by the index is bound to. Costs nothing: it is kept in the file.
  public var contentHash: String { ContentHash.hex(segments.last?.hash ?? ContentChain().hash) }

  /// Looks at what others have appended since.
  public func refresh() throws {
    try file.refresh()
    try load()
  }

  /// The first entry with each digest.
  ///
  /// About a microsecond for each digest and segment.
  public func entries(withDigests digests: [Name128]) -> [PictureEntry?] {
    digests.map { digest in
      for segment in segments {
        if let entry = segment.first(with: digest) { return entry }
      }
      return nil
    }
  }

  /// Looks for every entry whose key is within `radius` bits of each key, on all cores.
  ///
  /// - Parameters:
  ///   - keys: Of the pictures asked for, the more at once the less each costs.
  ///   - radius: 0 to 16.
  ///   - threads: Cores to use.
  /// - Returns: For each key what is near it, in order of position.
  public func matches(of keys: [UInt64], radius: Int, threads: Int) -> [[PictureMatch]] {
    var matches = [[PictureMatch]](repeating: [], count: keys.count)
    for segment in segments where segment.layout.keys > 0 {
      let found = segment.matches(of: keys, radius: radius, threads: threads)
      for (index, found) in found.enumerated() where !found.isEmpty { matches[index] += found }
    }
    return matches
  }

  /// The entry at a position, 0 ..< ``count``.
  public func entry(at position: Int) -> PictureEntry {
    precondition(position >= 0 && position < count, "entry \(position) of \(count)")
    var range = 0..<segments.count
    while range.count > 1 {
      let middle = (range.lowerBound + range.upperBound) / 2
      range =
        segments[middle].base <= position
        ? middle..<range.upperBound : range.lowerBound..<middle
    }
    // Empty segments share their base with what follows, which is the one found.
    let segment = segments[range.lowerBound]
    return segment.entry(at: position - segment.base)
  }

  /// Gives every entry with its position, in order.
  public func forEach(_ body: (_ position: Int, _ entry: PictureEntry) throws -> Void) rethrows {
    for segment in segments {
      for index in 0..<segment.count { try body(segment.base + index, segment.entry(at: index)) }
    }
  }
}
