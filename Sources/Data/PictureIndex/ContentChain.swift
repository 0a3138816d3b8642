import ContentHashing
import SegmentFile

/// The hash over all entries of an index in order, however they lie in segments.
///
/// Each 256 records are hashed with what came before: chain ← SHA-256(chain ‖ records). The hash is that of
/// the chain, the records since and the number of all. So it goes on from any place whose chain is kept,
/// once up to 255 records have been read again.
struct ContentChain {
  static let blockCount = 256

  private(set) var count: Int
  /// 32 bytes, of all whole blocks.
  private(set) var chain: [UInt8]
  /// The records since the last whole block.
  private var pending: [UInt8]

  init() { self.init(count: 0, chain: [UInt8](repeating: 0, count: 32), pending: []) }

  /// Goes on from a place that was kept.
  ///
  /// - Parameters:
  ///   - count: The entries before it.
  ///   - chain: As of the last whole block.
  ///   - pending: The last `count % 256` records.
  init(count: Int, chain: [UInt8], pending: [UInt8]) {
    precondition(
      pending.count == count % Self.blockCount * EntryRecord.size,
      "\(pending.count) bytes of records since a whole block, \(count) in all")
    self.count = count
    self.chain = chain
    self.pending = pending
  }

  /// Takes a run of records.
  mutating func append(_ records: RawSpan) {
    var place = 0
    while place < records.byteCount {
      let room = Self.blockCount * EntryRecord.size - pending.count
      let taken = min(room, records.byteCount - place)
      pending += records.array(place..<place + taken)
      place += taken
      count += taken / EntryRecord.size
      if taken == room {
        var hash = ContentHash()
        hash.update(chain)
        hash.update(pending)
        chain = hash.digest()
        pending.removeAll(keepingCapacity: true)
      }
    }
  }

  /// 32 bytes.
  var hash: [UInt8] {
    var hash = ContentHash()
    hash.update(chain)
    hash.update(pending)
    hash.update((0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) })
    return hash.digest()
  }
}
