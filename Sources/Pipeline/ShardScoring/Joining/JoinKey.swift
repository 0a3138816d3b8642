import ContentHashing
import PipelineCore

/// What rows are joined by: 128 bits of a uid, a key or a URL.
///
/// 32 hexadecimal digits are that number; any other text stands for the first 128 bits of its SHA-256.
struct JoinKey: Sendable, Hashable {
  var high: UInt64
  var low: UInt64

  init(_ text: String) {
    if let number = Self.number(text) {
      self = number
      return
    }
    let digest = ContentHash.sha256(Array(text.utf8))
    high = digest[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
    low = digest[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The key of a URL as pairs are known by it; of the text itself where it is no URL of the web.
  init(url: String) { self.init(NormalizedURL.normalize(url) ?? url) }

  private init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  private static func number(_ text: String) -> JoinKey? {
    guard text.utf8.count == 32 else { return nil }
    var (high, low): (UInt64, UInt64) = (0, 0)
    for (index, byte) in text.utf8.enumerated() {
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x61...0x66: digit = byte - 0x57
      case 0x41...0x46: digit = byte - 0x37
      default: return nil
      }
      if index < 16 { high = high << 4 | UInt64(digit) } else { low = low << 4 | UInt64(digit) }
    }
    return JoinKey(high: high, low: low)
  }

  /// A place in a table of a power of two.
  func slot(_ mask: Int) -> Int {
    // A foreign uid may be a small number; a product spreads it over the upper bits.
    let mixed = (high ^ (low &* 0x9E37_79B9_7F4A_7C15)) &* 0xD6E8_FEB8_6659_FD93
    return Int(truncatingIfNeeded: mixed >> 17) & mask
  }
}
