import DurableFiles
import Glibc

/// What a file of segments holds as of one of its commits.
struct SegmentLog {
  var sequence: Int
  /// Where the next transaction begins.
  var end: Int
  var places: [SegmentPlace]

  /// An empty file's head, first commit and slot.
  static func unborn(magic: [UInt8]) -> [UInt8] {
    let first = SegmentRecord.headSize
    let commit = SegmentRecord.Commit(
      sequence: 0, list: first, count: 0, checksum: listChecksum([]))
    return SegmentRecord.head(magic: magic)
      + SegmentRecord.slot(sequence: 0, commit: first, at: SegmentRecord.slots[0])
      + [UInt8](repeating: 0, count: 2 * SegmentRecord.size) + commit.bytes(at: first)
  }

  static func listChecksum(_ list: [UInt8]) -> UInt64 {
    unsafe SegmentChecksum.of(list.span.bytes, seed: 0)
  }

  /// Reads the newest state of a file.
  ///
  /// - Parameters:
  ///   - file: The file, open to be read.
  ///   - magic: What it must begin with.
  ///   - isAlone: Whether nobody can be writing at the same time.
  /// - Returns: Nil where its first writer was stopped before it had written anything.
  /// - Throws: ``SegmentFileError`` for another file or a damaged one.
  static func newest(
    of file: SegmentDescriptor, magic: [UInt8], isAlone: Bool
  ) throws -> SegmentLog? {
    let head = try file.read(count: SegmentRecord.headSize, at: 0)
    if head.allSatisfy({ $0 == 0 }) { return nil }
    try check(head, magic: magic, path: file.path)
    let slots = SegmentRecord.slots.compactMap { offset in
      SegmentRecord.slot(Array(head[offset..<offset + SegmentRecord.size]), at: offset)
    }
    guard let newest = slots.max(by: { $0.sequence < $1.sequence }) else {
      throw SegmentFileError(
        .damaged("list of commits"), path: file.path, offset: SegmentRecord.slots[0])
    }
    let size = try file.size()
    guard newest.commit + SegmentRecord.size <= size else {
      throw SegmentFileError(
        .truncated(expected: newest.commit + SegmentRecord.size, actual: size), path: file.path,
        offset: newest.commit)
    }
    let record = try file.read(count: SegmentRecord.size, at: newest.commit)
    guard let commit = SegmentRecord.Commit(record, at: newest.commit),
      commit.sequence == newest.sequence
    else {
      throw SegmentFileError(.damaged("commit record"), path: file.path, offset: newest.commit)
    }
    var log = try SegmentLog(commit, at: newest.commit, of: file)
    while let next = try log.next(in: file, isAlone: isAlone) { log = next }
    return log
  }

  private static func check(_ head: [UInt8], magic: [UInt8], path: String) throws {
    guard head.starts(with: magic) else {
      throw SegmentFileError(.otherKind, path: path, offset: 0)
    }
    guard head.count == SegmentRecord.headSize else {
      throw SegmentFileError(
        .truncated(expected: SegmentRecord.headSize + SegmentRecord.size, actual: head.count),
        path: path, offset: 0)
    }
    guard let words = SegmentRecord.words(Array(head[..<SegmentRecord.size]), at: 0) else {
      throw SegmentFileError(.damaged("head"), path: path, offset: 0)
    }
    guard words[1] == SegmentRecord.version else {
      throw SegmentFileError(
        .newerVersion(Int(clamping: words[1])), path: path, offset: 8)
    }
  }

  private init(
    _ commit: SegmentRecord.Commit, at offset: Int, of file: SegmentDescriptor
  ) throws {
    sequence = commit.sequence
    end = offset + SegmentRecord.size
    // As long as the file at most: the record was checked against its own place.
    let list = try file.read(count: offset - commit.list, at: commit.list)
    guard SegmentLog.listChecksum(list) == commit.checksum else {
      throw SegmentFileError(.damaged("list of segments"), path: file.path, offset: commit.list)
    }
    places = []
    for start in stride(from: 0, to: list.count, by: SegmentRecord.size) {
      let record = Array(list[start..<start + SegmentRecord.size])
      guard let place = SegmentPlace(record, at: commit.list + start, end: offset) else {
        throw SegmentFileError(
          .damaged("list of segments"), path: file.path, offset: commit.list + start)
      }
      places.append(place)
    }
  }

  init(sequence: Int, end: Int, places: [SegmentPlace]) {
    self.sequence = sequence
    self.end = end
    self.places = places
  }

  /// The state after the transaction that follows; nil where none does, or not to its end.
  func next(in file: SegmentDescriptor, isAlone: Bool) throws -> SegmentLog? {
    // A record that is being written may be read by halves: what looks damaged is read again.
    for _ in 0..<(isAlone ? 0 : 5) {
      do { return try step(in: file) } catch is SegmentFileError { usleep(10_000) }
    }
    return try step(in: file)
  }

  private func step(in file: SegmentDescriptor) throws -> SegmentLog? {
    let begin = try file.read(count: SegmentRecord.size, at: end)
    guard Self.isThere(begin) else { return nil }
    guard
      let offset = SegmentRecord.commitOffset(ofBegin: begin, sequence: sequence + 1, at: end)
    else {
      throw SegmentFileError(.damaged("begin of a commit"), path: file.path, offset: end)
    }
    let record = try file.read(count: SegmentRecord.size, at: offset)
    guard Self.isThere(record) else { return nil }
    guard let commit = SegmentRecord.Commit(record, at: offset), commit.sequence == sequence + 1,
      commit.list > end
    else {
      throw SegmentFileError(.damaged("commit record"), path: file.path, offset: offset)
    }
    return try SegmentLog(commit, at: offset, of: file)
  }

  /// Whether a record was written: a crash leaves the file short or zeros in its place.
  private static func isThere(_ record: [UInt8]) -> Bool {
    record.count == SegmentRecord.size && record.contains { $0 != 0 }
  }
}
