/// A bit order that is fixed, and one by what the words hold.
extension BitBlocks {
  /// Words looked at to tell how evenly a bit splits them.
  private static let sampleCount = 512
  /// Fewer words than this are not worth the look.
  private static let leastForSample = 1 << 14

  /// Deals bits of `mask` out to `number` blocks of `width` bits.
  ///
  /// Bits that split the words evenly go first, and to the blocks in turn, so that all blocks tell
  /// about the same.
  ///
  /// `mask` has at least `number` × `width` bits, and `blocks` room for `number` masks.
  static func deal(
    _ mask: UInt64, of elements: UnsafePointer<JoinElement>, count: Int, number: Int, width: Int,
    blocks: UnsafeMutablePointer<UInt64>
  ) {
    unsafe blocks.update(repeating: 0, count: number)
    var dealt = 0
    func take(_ bit: UInt64) {
      // Back and forth, so that no block has the better bit of every round.
      let place = dealt % number
      let isForth = (dealt / number) & 1 == 0
      unsafe blocks[isForth ? place : number - 1 - place] |= bit
      dealt += 1
    }
    if count < leastForSample {
      var rest = mask
      while rest != 0, dealt < number * width {
        let bit = rest & (0 &- rest)
        rest ^= bit
        take(bit)
      }
    } else {
      for bit in unsafe evenest(of: mask, elements, count: count).prefix(number * width) {
        take(bit)
      }
    }
  }

  /// The bits of `mask`, those first that split the words most evenly.
  private static func evenest(
    of mask: UInt64, _ elements: UnsafePointer<JoinElement>, count: Int
  ) -> [UInt64] {
    let stride = count / sampleCount
    var unevenness: [(imbalance: Int, bit: Int)] = []
    for bit in 0..<64 where mask >> UInt64(bit) & 1 == 1 {
      var ones = 0
      for sample in 0..<sampleCount {
        ones += unsafe Int(elements[sample * stride].word >> UInt64(bit) & 1)
      }
      unevenness.append((abs(2 * ones - sampleCount), bit))
    }
    return unevenness.sorted { $0 < $1 }.map { 1 << UInt64($0.bit) }
  }

  /// The bits in which not all words agree.
  static func varying(_ elements: UnsafePointer<JoinElement>, count: Int) -> UInt64 {
    var any: UInt64 = 0
    var all = UInt64.max
    for index in 0..<count {
      let word = unsafe elements[index].word
      any |= word
      all &= word
    }
    return any & ~all
  }
}
