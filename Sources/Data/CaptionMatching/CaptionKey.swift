internal import ContentHashing

/// What stands for a normalised caption in tables: the first 128 bits of the SHA-256 of its UTF-8.
///
/// Equal keys are taken for equal captions. Among a billion captions, two that differ share a key
/// with a chance of 10⁻²¹; nobody can make such a pair on purpose for less than 2⁶⁴ hashes.
public struct CaptionKey: Sendable, Hashable, Comparable {
  public var high: UInt64
  public var low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The key of a text that is normalised already.
  init(normalized text: [UInt8]) {
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
      bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
    let digest = ContentHash.sha256(text)
    self.init(high: word(digest[..<8]), low: word(digest[8..<16]))
  }

  public static func < (left: CaptionKey, right: CaptionKey) -> Bool {
    left.high == right.high ? left.low < right.low : left.high < right.high
  }
}
