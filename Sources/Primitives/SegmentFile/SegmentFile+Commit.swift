import DurableFiles
import Glibc
import Synchronization

/// A segment that is yet to be written, straight into the pages of its file.
public struct SegmentDraft {
  public var kind: UInt32
  public var batches: ClosedRange<Int>
  public var byteCount: Int
  /// Writes the bytes; they are zeros before.
  public var fill: (inout MutableRawSpan) throws -> Void

  public init(
    kind: UInt32, batches: ClosedRange<Int>, byteCount: Int,
    fill: @escaping (inout MutableRawSpan) throws -> Void
  ) {
    self.kind = kind
    self.batches = batches
    self.byteCount = byteCount
    self.fill = fill
  }

  init(_ segment: SegmentFile.Segment) {
    self.init(kind: segment.kind, batches: segment.batches, byteCount: segment.bytes.count) {
      room in segment.bytes.withBytes { room.store($0, at: 0) }
    }
  }
}

extension SegmentFile {
  enum Part {
    case kept(SegmentPlace)
    case new(SegmentDraft)
  }

  private static let counter = Atomic<Int>(0)

  /// Puts segments in the place of neighbours, all or none.
  ///
  /// - Throws: `FileError` where the system refuses, such as on a full disk, and what `fill` throws; the
  ///   file is then as it was.
  public func replace(_ range: Range<Int>, by drafts: [SegmentDraft]) throws {
    if range.isEmpty && drafts.isEmpty { return }
    try commit(
      log.places[..<range.lowerBound].map { .kept($0) } + drafts.map { .new($0) }
        + log.places[range.upperBound...].map { .kept($0) })
  }

  /// Writes a new file without what is no longer in use, and puts it in the place of this one.
  public func compact() throws {
    try compact { fresh in
      try fresh.replace(0..<0, by: segments.map { SegmentDraft($0) })
    }
  }

  /// Puts a new file in the place of this one.
  ///
  /// - Parameter build: Given the new file, empty, to be appended to.
  /// - Throws: What `build` throws, or `FileError`; this file is then as it was.
  public func compact(_ build: (SegmentFile) throws -> Void) throws {
    try requireWritable()
    let number = Self.counter.add(1, ordering: .relaxed).newValue
    let temporary = "\(path).\(getpid()).\(number).tmp"
    do {
      let fresh = try SegmentFile(temporary, magic: magic, isWritable: true, name: name)
      try build(fresh)
      guard unsafe rename(temporary, path) == 0 else {
        throw FileError(operation: "be renamed from \(temporary)", path: path, errorNumber: errno)
      }
      (file, log, segments) = (fresh.file, fresh.log, fresh.segments)
    } catch {
      // What cannot be removed now, the next run clears.
      unsafe unlink(temporary)
      throw error
    }
    try SegmentDescriptor.synchronizeFolder(of: path)
  }

  /// Appends a transaction after which the file consists of `parts`.
  func commit(_ parts: [Part]) throws {
    try requireWritable()
    let begin = log.end
    var places: [SegmentPlace] = []
    var drafts: [(part: Int, draft: SegmentDraft)] = []
    var cursor = begin + SegmentRecord.size
    for part in parts {
      switch part {
      case .kept(let place): places.append(place)
      case .new(let draft):
        precondition(draft.batches.lowerBound >= 0, "batches \(draft.batches)")
        drafts.append((places.count, draft))
        places.append(
          SegmentPlace(
            kind: draft.kind, batches: draft.batches, offset: cursor, count: draft.byteCount,
            checksum: 0))
        cursor = SegmentRecord.aligned(cursor + draft.byteCount)
      }
    }
    let list = cursor
    let offset = list + places.count * SegmentRecord.size
    let end = offset + SegmentRecord.size
    let checksum: UInt64
    do {
      // What a killed writer left behind the last commit, which nobody has mapped.
      if try file.size() > begin { try file.truncate(to: begin) }
      try file.allocate(begin..<end)
      try file.write(
        SegmentRecord.begin(sequence: log.sequence + 1, at: begin, commit: offset), at: begin)
      for (part, draft) in drafts { try write(draft, to: &places[part]) }
      let bytes = places.enumerated().flatMap { $1.bytes(at: list + $0 * SegmentRecord.size) }
      checksum = SegmentLog.listChecksum(bytes)
      try file.write(bytes, at: list)
      try file.synchronize()
    } catch {
      // The first error counts; what cannot be cut now, the next commit cuts.
      try? file.truncate(to: begin)
      throw error
    }
    isUnsettled = true
    let commit = SegmentRecord.Commit(
      sequence: log.sequence + 1, list: list, count: places.count, checksum: checksum)
    try file.write(commit.bytes(at: offset), at: offset)
    try file.synchronize()
    let newest = SegmentLog(sequence: commit.sequence, end: end, places: places)
    // Nothing hangs on the slot: without it the commit is found behind the one before.
    let slot = SegmentRecord.slots[commit.sequence % 2]
    try? file.write(
      SegmentRecord.slot(sequence: commit.sequence, commit: offset, at: slot), at: slot)
    (segments, log) = (try map(newest), newest)
    isUnsettled = false
  }

  private func write(_ draft: SegmentDraft, to place: inout SegmentPlace) throws {
    let count = draft.byteCount
    place.checksum = try file.fill(offset: place.offset, count: count) { room in
      try draft.fill(&room)
      return SegmentChecksum.of(room.bytes, seed: UInt64(count))
    }
  }

  private func requireWritable() throws {
    precondition(isWritable, "\(path) was opened to be read")
    if isUnsettled { throw SegmentFileError(.unsettled, path: name, offset: log.end) }
  }
}
