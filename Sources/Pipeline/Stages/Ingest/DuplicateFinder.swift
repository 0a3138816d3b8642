import DurableFiles

/// Finds the rows whose URL an earlier row has, over a list of any length in bounded memory.
///
/// Hashes are set aside on disk in partitions by their first bits, in the order of rows; then each is
/// resolved with a table in memory. A partition with more distinct hashes than the table may hold is
/// split by the next bits. The result is that of a dictionary over the whole list, whatever the limits.
final class DuplicateFinder {
  struct Limits {
    /// Partitions a file is split into, as bits of the hash.
    var fanOutBits = 6
    /// Distinct URLs in memory: 48 MiB of table.
    var mostDistinct = 1 << 20
    /// Duplicates in memory: 16 MiB.
    var mostDuplicates = 1 << 20
  }

  /// Files that are open at a time for the ranges of rows.
  private static let mostRanges = 256

  private let folder: String
  private let limits: Limits
  private var partitions: [SpillFile] = []

  /// - Parameters:
  ///   - folder: Where 24 bytes per row are set aside.
  ///   - limits: Bound memory.
  /// - Throws: ``FileError``.
  init(folder: String, limits: Limits = Limits()) throws(FileError) {
    precondition((1...8).contains(limits.fanOutBits), "\(limits.fanOutBits) bits of fan-out")
    precondition(limits.mostDistinct > 0 && limits.mostDuplicates > 0, "no room for any row")
    self.folder = folder
    self.limits = limits
    partitions = try Self.spills(1 << limits.fanOutBits, in: folder)
  }

  private static func spills(_ count: Int, in folder: String) throws(FileError) -> [SpillFile] {
    var files: [SpillFile] = []
    for _ in 0..<count { files.append(try SpillFile(in: folder)) }
    return files
  }

  /// Takes the next row; rows must come in order.
  func add(_ hash: URLHash, row: Int) throws(FileError) {
    try Self.append(hash, row, to: partitions[Int(hash.high >> (64 - UInt64(limits.fanOutBits)))])
  }

  private static func append(_ hash: URLHash, _ row: Int, to file: SpillFile) throws(FileError) {
    try file.append(hash.high)
    try file.append(hash.low)
    try file.append(UInt64(row))
  }

  /// Calls `body` with the chunks of the list in order, some at a time, each time with the duplicates
  /// among their rows: sorted, with the first row that has the URL.
  ///
  /// - Parameters:
  ///   - rows: The rows of the list.
  ///   - rowsPerChunk: The rows of a chunk.
  ///   - check: Called often; ends the search by throwing.
  ///   - body: Given chunks and their duplicates.
  /// - Throws: What `check` and `body` throw; ``FileError``.
  func duplicates(
    among rows: Int, rowsPerChunk: Int, check: @escaping () throws -> Void,
    _ body: (Range<Int>, [(row: Int, survivor: Int)]) throws -> Void
  ) throws {
    // Found by partition, wanted by row: set aside once more, by ranges of rows.
    let chunks = (rows + rowsPerChunk - 1) / rowsPerChunk
    let chunksPerRange = max(
      1, limits.mostDuplicates / rowsPerChunk, (chunks + Self.mostRanges - 1) / Self.mostRanges)
    let width = chunksPerRange * rowsPerChunk
    let ranges = try Self.spills((rows + width - 1) / width, in: folder)
    let resolver = Resolver(folder: folder, limits: limits, check: check) {
      (row, survivor) throws(FileError) in
      try ranges[row / width].append(UInt64(row))
      try ranges[row / width].append(UInt64(survivor))
    }
    for index in partitions.indices {
      try resolver.resolve(partitions[index], usedBits: limits.fanOutBits, after: -1)
      partitions[index] = try SpillFile(in: folder)  // gives up the room on disk
    }
    for (number, range) in ranges.enumerated() {
      try check()
      let words = try range.all()
      let pairs = stride(from: 0, to: words.count, by: 2).map {
        (row: Int(words[$0]), survivor: Int(words[$0 + 1]))
      }
      let first = number * chunksPerRange
      try body(
        first..<min(first + chunksPerRange, chunks), pairs.sorted { $0.row < $1.row })
    }
  }

  private struct Resolver {
    let folder: String
    let limits: Limits
    let check: () throws -> Void
    let report: (Int, Int) throws(FileError) -> Void

    /// Reports the duplicates of a partition whose rows lie after `start`.
    func resolve(_ partition: SpillFile, usedBits: Int, after start: Int) throws {
      var table = FirstRows(
        capacity: min(partition.count / 3, limits.mostDistinct))
      var resolvedUpTo: Int?
      try check()
      try partition.forEach(groupSize: 3) { (words) throws(FileError) in
        guard resolvedUpTo == nil else { return }
        for index in stride(from: 0, to: words.count, by: 3) {
          let hash = URLHash(high: words[index], low: words[index + 1])
          let row = Int(words[index + 2])
          switch table.first(hash, row: row) {
          case .known(let first): if row > start { try report(row, first) }
          case .new: break
          case .full:
            resolvedUpTo = max(start, row - 1)
            return
          }
        }
      }
      guard let resolvedUpTo else { return }
      // Full: the distinct hashes differ in some later bit, so splitting ends.
      table = FirstRows(capacity: 0)
      let parts = try DuplicateFinder.spills(1 << limits.fanOutBits, in: folder)
      try partition.forEach(groupSize: 3) { (words) throws(FileError) in
        for index in stride(from: 0, to: words.count, by: 3) {
          let hash = URLHash(high: words[index], low: words[index + 1])
          let part = hash.bits(usedBits, count: limits.fanOutBits)
          try DuplicateFinder.append(hash, Int(words[index + 2]), to: parts[part])
        }
      }
      for part in parts {
        try resolve(part, usedBits: usedBits + limits.fanOutBits, after: resolvedUpTo)
      }
    }
  }
}

extension SpillFile {
  /// All words, for files whose length is bounded.
  func all() throws(FileError) -> [UInt64] {
    var words: [UInt64] = []
    words.reserveCapacity(count)
    try forEach(groupSize: 2) { (part) throws(FileError) in words += part }
    return words
  }
}

extension URLHash {
  /// `count` bits after the first `skipped`; those past the end are zero.
  func bits(_ skipped: Int, count: Int) -> Int {
    guard skipped < 128 else { return 0 }
    let shifted =
      skipped >= 64
      ? low << UInt64(skipped - 64)
      : skipped == 0 ? high : high << UInt64(skipped) | low >> UInt64(64 - skipped)
    return Int(shifted >> UInt64(64 - count))
  }
}

/// A table of the first row of each hash (open addressing, linear probing), of a fixed size.
private struct FirstRows {
  enum Answer { case new, known(Int), full }

  private let capacity: Int
  private let mask: Int
  private var count = 0
  /// Hash and row in three words a slot; a row of `UInt64.max` marks an empty one.
  private var slots: [UInt64]

  /// - Parameter capacity: Hashes that fit.
  init(capacity: Int) {
    self.capacity = capacity
    var size = 2
    while size < capacity * 3 / 2 + 1 { size *= 2 }
    mask = size - 1
    slots = [UInt64](repeating: .max, count: 3 * size)
  }

  mutating func first(_ hash: URLHash, row: Int) -> Answer {
    var slot = Int(truncatingIfNeeded: hash.low) & mask
    while true {
      let place = 3 * slot
      if slots[place + 2] == .max {
        guard count < capacity else { return .full }
        (slots[place], slots[place + 1], slots[place + 2]) = (hash.high, hash.low, UInt64(row))
        count += 1
        return .new
      }
      if slots[place] == hash.high && slots[place + 1] == hash.low {
        return .known(Int(slots[place + 2]))
      }
      slot = (slot + 1) & mask
    }
  }
}
