import ContentHashing

/// A pair's uid as a number of 128 bits.
///
/// One of 32 hexadecimal digits is that number, as in DataComp's subset files; any other text, as foreign
/// shards may have it, stands for the first 128 bits of its SHA-256.
public struct PairUID: Hashable, Comparable, Sendable {
  public var high: UInt64
  public var low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The uid that `text` names.
  public init(_ text: String) {
    if let number = Self.number(text) {
      self = number
      return
    }
    let digest = ContentHash.sha256(Array(text.utf8))
    func word(_ start: Int) -> UInt64 {
      digest[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
    self.init(high: word(0), low: word(8))
  }

  /// The number of 32 hexadecimal digits of either case; nil for any other text.
  public static func number(_ text: String) -> PairUID? {
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
    return PairUID(high: high, low: low)
  }

  public static func < (a: PairUID, b: PairUID) -> Bool { (a.high, a.low) < (b.high, b.low) }

  /// 32 lower-case hexadecimal digits.
  public var text: String {
    func digits(_ value: UInt64) -> String {
      let text = String(value, radix: 16)
      return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
    return digits(high) + digits(low)
  }
}
