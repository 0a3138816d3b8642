import Synchronization

/// Remembers the ids of pieces: captions repeat few words often.
final class WordCache: Sendable {
  // Above this the cache starts anew: words of the web never end. About 10 MB.
  private static let capacity = 65_536
  private let entries = Mutex<[[UInt8]: [Int32]]>([:])

  /// The ids of `piece`, by `encode` unless they are known.
  func ids(of piece: [UInt8], encode: ([UInt8]) -> [Int32]) -> [Int32] {
    // Long pieces are rare, and would fill the memory.
    guard piece.count <= 64 else { return encode(piece) }
    if let known = entries.withLock({ $0[piece] }) { return known }
    let ids = encode(piece)
    entries.withLock {
      if $0.count >= Self.capacity { $0.removeAll(keepingCapacity: true) }
      $0[piece] = ids
    }
    return ids
  }
}
