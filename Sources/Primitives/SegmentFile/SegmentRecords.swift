/// The records between a file's segments, 64 bytes each: eight little-endian words, the last of which
/// is the checksum of the others and of the place.
///
/// A file begins with 256 bytes: the head (magic, version), two slots, and 64 bytes of zeros. Each
/// transaction follows the last one: a begin record, the new segments, the list of all that are in use
/// (64 bytes each), and the commit record. Everything begins at a multiple of 64, so that a record lies
/// within one sector and is on the disk as a whole or not at all. A slot, written in turn after a commit,
/// names it, for a reader to begin with; those that have followed are found one behind the other.
enum SegmentRecord {
  static let size = 64
  static let headSize = 256
  static let version = 1
  static let slots = [64, 128]

  private static let beginWord: UInt64 = 0x6E69_6765_624C_5050
  private static let commitWord: UInt64 = 0x7469_6D6D_6F63_4C50
  private static let slotWord: UInt64 = 0x746F_6C73_4C50_5050

  static func aligned(_ offset: Int) -> Int { (offset + size - 1) / size * size }

  /// A record of up to seven words at `offset`.
  static func bytes(_ words: [UInt64], at offset: Int) -> [UInt8] {
    precondition(words.count <= 7, "\(words.count) words of 7")
    var words = words + [UInt64](repeating: 0, count: 7 - words.count)
    words.append(SegmentChecksum.of(words, seed: UInt64(offset)))
    return words.flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }
  }

  /// The words of a record that was read at `offset`; nil where they are not what was written.
  static func words(_ bytes: [UInt8], at offset: Int) -> [UInt64]? {
    guard bytes.count == size else { return nil }
    let words = stride(from: 0, to: size, by: 8).map { place in
      (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
    }
    guard words[7] == SegmentChecksum.of(words.dropLast(), seed: UInt64(offset)) else { return nil }
    return Array(words.dropLast())
  }

  /// The first of a file: what it holds, and how it is laid out.
  static func head(magic: [UInt8]) -> [UInt8] {
    let word = (0..<8).reduce(UInt64(0)) { $0 | UInt64(magic[$1]) << UInt64(8 * $1) }
    return bytes([word, UInt64(version)], at: 0)
  }

  static func begin(sequence: Int, at offset: Int, commit: Int) -> [UInt8] {
    bytes([beginWord, UInt64(sequence), UInt64(commit)], at: offset)
  }

  /// Where the transaction that begins here commits.
  static func commitOffset(ofBegin bytes: [UInt8], sequence: Int, at offset: Int) -> Int? {
    guard let words = words(bytes, at: offset), words[0] == beginWord,
      words[1] == UInt64(sequence), let commit = Int(exactly: words[2]),
      commit > offset, commit % size == 0, commit < Int.max / 2
    else { return nil }
    return commit
  }

  static func slot(sequence: Int, commit: Int, at offset: Int) -> [UInt8] {
    bytes([slotWord, UInt64(sequence), UInt64(commit)], at: offset)
  }

  static func slot(_ bytes: [UInt8], at offset: Int) -> (sequence: Int, commit: Int)? {
    guard let words = words(bytes, at: offset), words[0] == slotWord,
      let sequence = Int(exactly: words[1]), let commit = Int(exactly: words[2]),
      commit >= headSize, commit % size == 0, commit < Int.max / 2
    else { return nil }
    return (sequence, commit)
  }

  /// What a transaction has made of the file.
  struct Commit {
    var sequence: Int
    /// Where the list of segments begins.
    var list: Int
    var count: Int
    /// Of the list's bytes.
    var checksum: UInt64

    func bytes(at offset: Int) -> [UInt8] {
      SegmentRecord.bytes(
        [commitWord, UInt64(sequence), UInt64(list), UInt64(count), checksum], at: offset)
    }

    init(sequence: Int, list: Int, count: Int, checksum: UInt64) {
      self.sequence = sequence
      self.list = list
      self.count = count
      self.checksum = checksum
    }

    init?(_ bytes: [UInt8], at offset: Int) {
      guard let words = words(bytes, at: offset), words[0] == commitWord,
        let sequence = Int(exactly: words[1]), let list = Int(exactly: words[2]),
        let count = Int(exactly: words[3]), list >= headSize, list <= offset, list % size == 0,
        // The list ends where the commit begins, so that what is allocated for it is there.
        count == (offset - list) / size
      else { return nil }
      self.init(sequence: sequence, list: list, count: count, checksum: words[4])
    }
  }
}

/// Where a segment lies, an element of a transaction's list.
struct SegmentPlace: Equatable {
  var kind: UInt32
  var batches: ClosedRange<Int>
  var offset: Int
  var count: Int
  /// Of its bytes.
  var checksum: UInt64

  func bytes(at offset: Int) -> [UInt8] {
    SegmentRecord.bytes(
      [
        UInt64(kind), UInt64(batches.lowerBound), UInt64(batches.upperBound), UInt64(self.offset),
        UInt64(count), checksum,
      ], at: offset)
  }

  init(kind: UInt32, batches: ClosedRange<Int>, offset: Int, count: Int, checksum: UInt64) {
    self.kind = kind
    self.batches = batches
    self.offset = offset
    self.count = count
    self.checksum = checksum
  }

  /// - Parameters:
  ///   - bytes: The element, ``SegmentRecord/size`` bytes.
  ///   - offset: Where it was read.
  ///   - end: The segment lies before it.
  init?(_ bytes: [UInt8], at offset: Int, end: Int) {
    guard let words = SegmentRecord.words(bytes, at: offset),
      let kind = UInt32(exactly: words[0]), let first = Int(exactly: words[1]),
      let last = Int(exactly: words[2]), first <= last,
      let place = Int(exactly: words[3]), let count = Int(exactly: words[4]),
      place >= SegmentRecord.headSize, place <= end, count <= end - place
    else { return nil }
    self.init(
      kind: kind, batches: first...last, offset: place, count: count, checksum: words[5])
  }
}
