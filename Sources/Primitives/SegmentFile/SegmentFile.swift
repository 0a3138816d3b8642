import DurableFiles
import Glibc

/// One file of checksummed segments that only grows until it is compacted.
///
/// A segment is a run of bytes with a kind and the batches that it holds. What is appended becomes
/// visible as a whole, or, after a crash, not at all. Readers map the file; whoever has it open sees
/// the state of that moment, until it asks for the newest.
///
/// One handle writes at a time, any number read. Every change is appended, taking back as well as
/// replacing; only what no commit holds is ever cut off, so what a reader has mapped stays. Compaction
/// puts a new file in the place of the old one, in which its readers go on. To open costs a few reads,
/// and the reading of all segments of up to ``SegmentFile/checkedSize`` bytes, whose checksums are
/// compared; those of larger ones by ``verify()``. An append costs two fsyncs, and 64 bytes for each
/// segment in use. On a local disk: network file systems neither lock nor share pages reliably.
public final class SegmentFile {
  public struct Segment: Sendable, Equatable {
    /// What the bytes are, for whoever wrote them.
    public var kind: UInt32
    /// The batches that it holds, in order; none is negative.
    public var batches: ClosedRange<Int>
    public var bytes: SegmentBytes

    public init(kind: UInt32, batches: ClosedRange<Int>, bytes: [UInt8]) {
      self.init(kind: kind, batches: batches, bytes: SegmentBytes(bytes))
    }

    init(kind: UInt32, batches: ClosedRange<Int>, bytes: SegmentBytes) {
      self.kind = kind
      self.batches = batches
      self.bytes = bytes
    }
  }

  /// The largest segment whose checksum is compared when it is mapped.
  public static let checkedSize = 128 << 20

  public let path: String
  /// In the order in which they were appended; a merged one stands where its parts stood.
  public internal(set) var segments: [Segment] = []
  let magic: [UInt8]
  let isWritable: Bool
  /// What errors call it.
  let name: String
  var file: SegmentDescriptor
  var log: SegmentLog
  /// Set while a commit is on its way, and for good when it failed: it may be there or not.
  var isUnsettled = false

  /// Opens a file to read it, or to write to it as well; for writing it is made if it is not there.
  ///
  /// - Parameters:
  ///   - path: On a local disk.
  ///   - magic: Eight bytes that say what the file holds.
  ///   - isWritable: Whether it is to be written to, by this handle alone.
  /// - Throws: ``SegmentFileError`` where it is something else, damaged, or written to by another
  ///   handle; `FileError` where the system refuses.
  public convenience init(_ path: String, magic: [UInt8], isWritable: Bool) throws {
    try self.init(path, magic: magic, isWritable: isWritable, name: path)
  }

  init(_ path: String, magic: [UInt8], isWritable: Bool, name: String) throws {
    precondition(magic.count == 8, "a magic of \(magic.count) bytes; 8 are needed")
    self.path = path
    self.magic = magic
    self.isWritable = isWritable
    self.name = name
    file = try Self.open(path, isWritable: isWritable, name: name)
    log = try Self.state(of: file, magic: magic, isWritable: isWritable)
    segments = try map(log)
  }

  /// Bytes of the file up to its last commit.
  public var byteCount: Int { log.end }

  /// Bytes of the segments in use.
  public var liveByteCount: Int { log.places.reduce(0) { $0 + $1.count } }

  /// Looks at what others have appended since, in a file that has taken this one's place as well.
  public func refresh() throws {
    if try !file.isNamed(path) {
      file = try Self.open(path, isWritable: isWritable, name: name)
      let newest = try Self.state(of: file, magic: magic, isWritable: isWritable)
      segments = []
      (segments, log) = (try map(newest), newest)
      return
    }
    var newest = log
    while let next = try newest.next(in: file, isAlone: isWritable) { newest = next }
    guard newest.sequence != log.sequence else { return }
    (segments, log) = (try map(newest), newest)
  }

  /// Adds segments, all or none.
  public func append(_ new: [Segment]) throws {
    try replace(segments.count..<segments.count, by: new.map { SegmentDraft($0) })
  }

  /// Puts one segment in the place of neighbours.
  public func replace(_ range: Range<Int>, by merged: Segment) throws {
    try replace(range, by: [SegmentDraft(merged)])
  }

  /// Takes back every batch from `batch` on.
  ///
  /// - Returns: False where a merged segment holds batches of both sides, and nothing is changed.
  public func rewind(to batch: Int) throws -> Bool {
    guard segments.allSatisfy({ $0.batches.upperBound < batch || $0.batches.lowerBound >= batch })
    else { return false }
    let kept = log.places.filter { $0.batches.lowerBound < batch }
    if kept.count < log.places.count { try commit(kept.map { .kept($0) }) }
    return true
  }

  /// Compares every segment in use with its checksum, and the records with theirs.
  ///
  /// - Throws: ``SegmentFileError`` for the first that differs.
  public func verify() throws {
    for (place, segment) in zip(log.places, segments) { try check(segment.bytes, place) }
    guard let newest = try SegmentLog.newest(of: file, magic: magic, isAlone: isWritable) else {
      throw SegmentFileError(.empty, path: name, offset: 0)
    }
    guard newest.sequence >= log.sequence else {
      throw SegmentFileError(.damaged("list of commits"), path: name, offset: newest.end)
    }
  }

  /// Maps the segments of a state; those that are mapped already stay as they are.
  func map(_ log: SegmentLog) throws -> [Segment] {
    let size = try file.size()
    guard log.end <= size else {
      throw SegmentFileError(
        .truncated(expected: log.end, actual: size), path: name, offset: size)
    }
    return try log.places.map { place in
      // Places of a file are never used twice.
      if !segments.isEmpty, let old = self.log.places.firstIndex(of: place) { return segments[old] }
      let memory = try SegmentMemory(file, offset: place.offset, count: place.count)
      let bytes = SegmentBytes(memory)
      if place.count <= Self.checkedSize { try check(bytes, place) }
      return Segment(kind: place.kind, batches: place.batches, bytes: bytes)
    }
  }

  private func check(_ bytes: SegmentBytes, _ place: SegmentPlace) throws {
    let sum = bytes.withBytes { SegmentChecksum.of($0, seed: UInt64(place.count)) }
    guard sum == place.checksum else {
      throw SegmentFileError(
        .damaged("segment of batches \(place.batches)"), path: name, offset: place.offset)
    }
  }

  private static func state(
    of file: SegmentDescriptor, magic: [UInt8], isWritable: Bool
  ) throws -> SegmentLog {
    if let log = try SegmentLog.newest(of: file, magic: magic, isAlone: isWritable) { return log }
    guard isWritable else { throw SegmentFileError(.empty, path: file.path, offset: 0) }
    try file.write(SegmentLog.unborn(magic: magic), at: 0)
    try file.synchronize()
    guard let log = try SegmentLog.newest(of: file, magic: magic, isAlone: true) else {
      throw SegmentFileError(.damaged("head"), path: file.path, offset: 0)
    }
    return log
  }

  private static func open(
    _ path: String, isWritable: Bool, name: String
  ) throws -> SegmentDescriptor {
    guard isWritable else { return try SegmentDescriptor(path, flags: O_RDONLY, name: name) }
    while true {
      let isNew = !DurableFile.exists(path)
      let file = try SegmentDescriptor(path, flags: O_RDWR | O_CREAT, name: name)
      guard file.lock() else { throw SegmentFileError(.inUse, path: name, offset: 0) }
      if isNew { try SegmentDescriptor.synchronizeFolder(of: path) }
      // Who compacts has the lock of the new file before it takes the old one's name.
      if try file.isNamed(path) { return file }
    }
  }
}
