import Synchronization

/// Remembers the ids of pieces: captions repeat few words often.
///
/// Many threads may use it at once: it is cut by hash into parts with a lock each.
final class WordCache: Sendable {
  // A power of two, so that bits of the hash choose.
  private static let partCount = 16
  private let parts = (0..<partCount).map { _ in Part() }

  private final class Part: Sendable {
    let table = Mutex(WordTable())
  }

  /// Appends the ids of the piece `bytes` of `text`, by `encode` unless they are known.
  func append(
    idsOf bytes: Range<Int>, of text: [UInt8], to ids: inout [Int32],
    encode: ([UInt8]) -> [Int32]
  ) {
    // Long pieces are rare, and would fill the memory.
    guard bytes.count <= 64 else {
      ids += encode(Array(text[bytes]))
      return
    }
    // FNV-1a: short words, one multiplication a byte.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for place in bytes { hash = (hash ^ UInt64(text[place])) &* 0x100_0000_01B3 }
    hash ^= hash >> 32
    let part = parts[Int(hash % UInt64(Self.partCount))]
    let tag = UInt32(truncatingIfNeeded: hash >> 4)
    let isKnown = part.table.withLock { $0.append(idsOf: bytes, of: text, tag: tag, to: &ids) }
    if isKnown { return }
    let word = Array(text[bytes])
    let made = encode(word)
    ids += made
    part.table.withLock { $0.insert(word, made, tag: tag) }
  }
}

/// Words with their ids, in a hash table with open addresses.
private struct WordTable {
  private struct Slot {
    var tag: UInt32 = 0
    var word: UInt32 = 0
    var ids: UInt32 = 0
    var wordCount: UInt8 = 0
    var idCount: UInt8 = 0
  }

  // Above this the table starts anew: words of the web never end. With 16 parts about 5 MB.
  private static let capacity = 4096
  // Words that were made to collide are not kept, rather than searched for.
  private static let mostProbes: UInt32 = 16
  private var slots: [Slot] = []
  private var words: [UInt8] = []
  private var ids: [Int32] = []
  private var count = 0

  /// Whether the word is known; then its ids are appended.
  func append(
    idsOf bytes: Range<Int>, of text: [UInt8], tag: UInt32, to result: inout [Int32]
  ) -> Bool {
    guard !slots.isEmpty else { return false }
    let mask = UInt32(slots.count - 1)
    for probe in 0..<Self.mostProbes {
      let slot = slots[Int((tag &+ probe) & mask)]
      if slot.wordCount == 0 { return false }
      if slot.tag == tag, Int(slot.wordCount) == bytes.count,
        isEqual(at: Int(slot.word), bytes, text)
      {
        for place in Int(slot.ids)..<(Int(slot.ids) + Int(slot.idCount)) {
          result.append(ids[place])
        }
        return true
      }
    }
    return false
  }

  private func isEqual(at start: Int, _ bytes: Range<Int>, _ text: [UInt8]) -> Bool {
    for offset in 0..<bytes.count where words[start + offset] != text[bytes.lowerBound + offset] {
      return false
    }
    return true
  }

  /// Keeps a word of 1 to 64 bytes; a word that is there already may come twice and does no harm.
  mutating func insert(_ word: [UInt8], _ wordIDs: [Int32], tag: UInt32) {
    if slots.isEmpty || count >= Self.capacity {
      slots = Array(repeating: Slot(), count: 2 * Self.capacity)
      words.removeAll(keepingCapacity: true)
      ids.removeAll(keepingCapacity: true)
      count = 0
    }
    let mask = UInt32(slots.count - 1)
    for probe in 0..<Self.mostProbes {
      let place = Int((tag &+ probe) & mask)
      guard slots[place].wordCount == 0 else { continue }
      slots[place] = Slot(
        tag: tag, word: UInt32(words.count), ids: UInt32(ids.count),
        wordCount: UInt8(word.count), idCount: UInt8(wordIDs.count))
      words += word
      ids += wordIDs
      count += 1
      return
    }
  }
}
