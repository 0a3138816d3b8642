/// The four blocks of 16 bits into which a word is cut for its tables, and how far each is searched.
enum WordBlocks {
  static let count = 4
  static let values = 1 << 16

  /// The word with its bits in another order, of which each 16 in a row are a block.
  ///
  /// The bits of a pHash are rows of eight frequencies. Neighbours in a row or a column go together, in
  /// pictures of sky or of text, so a block takes from each row every fourth, one further on in the next.
  static func spread(_ word: UInt64) -> UInt64 {
    // Row r (byte r) turned by r bits, modulo 4: by one in odd rows, by two in the upper half of four.
    let odd: UInt64 = 0xFF00_FF00_FF00_FF00
    let upper: UInt64 = 0xFFFF_0000_FFFF_0000
    var bits = word & ~odd | turned(word, by: 1) & odd
    bits = bits & ~upper | turned(bits, by: 2) & upper
    return unshuffled(unshuffled(bits))
  }

  /// Every byte turned left.
  private static func turned(_ word: UInt64, by count: UInt64) -> UInt64 {
    let low = 0x0101_0101_0101_0101 &* (UInt64(0xFF) >> (8 - count))
    return word << count & ~low | word >> (8 - count) & low
  }

  /// The even bits in the lower half, the odd ones in the upper half.
  private static func unshuffled(_ word: UInt64) -> UInt64 {
    gathered(word) | gathered(word >> 1) << 32
  }

  private static func gathered(_ word: UInt64) -> UInt64 {
    var bits = word & 0x5555_5555_5555_5555
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333
    bits = (bits | bits >> 2) & 0x0F0F_0F0F_0F0F_0F0F
    bits = (bits | bits >> 4) & 0x00FF_00FF_00FF_00FF
    bits = (bits | bits >> 8) & 0x0000_FFFF_0000_FFFF
    return (bits | bits >> 16) & 0x0000_0000_FFFF_FFFF
  }

  @inline(__always)
  static func value(of block: Int, in spread: UInt64) -> Int {
    Int(truncatingIfNeeded: spread >> UInt64(16 * block)) & 0xFFFF
  }

  /// The bits in which each block may differ, −1 where it need not be looked at.
  ///
  /// If block i differed in more than tᵢ bits for every i, the words would differ in at least Σ (tᵢ + 1)
  /// bits. So Σ (tᵢ + 1) = radius + 1 finds every word within the radius in at least one block: at 6, three
  /// blocks within one bit and one equal; at 10, within 2, 2, 2 and 1.
  /// Source: Norouzi, Punjani, Fleet: Fast Exact Search in Hamming Space with Multi-Index Hashing
  /// (arXiv:1307.2982), with the bound sharpened as in section 3.
  static func radii(for radius: Int) -> [Int] {
    (0..<count).map { (radius + 1) / count + ($0 < (radius + 1) % count ? 1 : 0) - 1 }
  }

  /// All 16-bit values by the number of their bits, then by size.
  static let masks: [UInt16] = (0...UInt16.max).map { $0 }
    .sorted { ($0.nonzeroBitCount, $0) < ($1.nonzeroBitCount, $1) }

  /// How many values have up to so many bits: 1, 17, 137, 697, 2517.
  static func maskCount(upTo bits: Int) -> Int {
    var count = 0
    var binomial = 1
    for number in 0...max(0, bits) where number <= bits {
      count += binomial
      binomial = binomial * (16 - number) / (number + 1)
    }
    return count
  }
}
