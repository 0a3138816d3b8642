import SegmentFile
import WorkerThreads

/// The table by which a segment's entries are found by their digests: the first half of each and the
/// entry's place in the segment, sorted by both.
enum DigestTable {
  struct Slot: BitwiseCopyable, Comparable {
    var half: UInt64
    var entry: UInt64

    static func < (a: Slot, b: Slot) -> Bool {
      a.half == b.half ? a.entry < b.entry : a.half < b.half
    }
  }

  private static let buckets = 1 << 16

  /// Writes the table of a segment whose records are there.
  ///
  /// Sorted by the first 16 bits by counting, then each bucket by itself: digests are uniform.
  static func build(
    _ room: inout MutableRawSpan, _ layout: PictureSegmentLayout, threads: Int
  ) {
    if layout.digests == 0 { return }
    var next = [Int](repeating: 0, count: buckets + 1)
    for entry in 0..<layout.entries {
      let place = layout.records + EntryRecord.size * entry
      guard let digest = EntryRecord.digest(at: place, in: room.bytes) else { continue }
      next[Int(digest.high >> 48) + 1] += 1
    }
    for bucket in 0..<buckets { next[bucket + 1] += next[bucket] }
    let starts = next
    for entry in 0..<layout.entries {
      let place = layout.records + EntryRecord.size * entry
      guard let digest = EntryRecord.digest(at: place, in: room.bytes) else { continue }
      let bucket = Int(digest.high >> 48)
      let slot = layout.digestTable + 16 * next[bucket]
      next[bucket] += 1
      // In the order of the machine while they are sorted; this one is little-endian.
      room.storeBytes(of: digest.high, toByteOffset: slot, as: UInt64.self)
      room.storeBytes(of: UInt64(entry), toByteOffset: slot + 8, as: UInt64.self)
    }
    unsafe room.withUnsafeMutableBytes { buffer in
      let table = unsafe UnsafeMutableRawBufferPointer(
        rebasing: buffer[layout.digestTable..<layout.wordTables])
      // Safe: the table is whole slots of two words, at a multiple of eight, written just above; the
      // buffer outlives the threads. Sendable: each thread sorts buckets of its own.
      nonisolated(unsafe) let slots = unsafe table.bindMemory(to: Slot.self)
      let share = 256
      Parallel.forEach(buckets / share, threads: threads) { number in
        for bucket in number * share..<(number + 1) * share {
          let range = starts[bucket]..<starts[bucket + 1]
          if range.count > 1 { unsafe slots[range].sort() }
        }
      }
    }
  }

  /// Whether the table is sorted and names every digest.
  static func isSound(_ bytes: RawSpan, _ layout: PictureSegmentLayout) -> Bool {
    var last: Slot?
    for index in 0..<layout.digests {
      let place = layout.digestTable + 16 * index
      let slot = Slot(half: bytes.word(at: place), entry: bytes.word(at: place + 8))
      if let last, slot <= last { return false }
      guard slot.entry < layout.entries,
        EntryRecord.digest(at: layout.records + EntryRecord.size * Int(slot.entry), in: bytes)?
          .high == slot.half
      else { return false }
      last = slot
    }
    // Slots differ and each names an entry with a digest, so as many are all.
    let count = (0..<layout.entries).reduce(0) { sum, entry in
      let place = layout.records + EntryRecord.size * entry
      return sum + (EntryRecord.digest(at: place, in: bytes) == nil ? 0 : 1)
    }
    return count == layout.digests
  }
}
