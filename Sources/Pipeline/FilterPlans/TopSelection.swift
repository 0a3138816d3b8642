/// Where the cut of a share falls among values.
///
/// Exact, without sorting: the place is found by its digits of 16 bits, in four passes over 8 bytes a pair.
struct TopSelection {
  /// What a pair's key must be to be taken for sure: greater than this.
  var threshold: UInt64
  /// Of the pairs whose key is ``threshold`` so many are taken.
  var ofTied: Int
  var tied: Int

  /// The same with all pairs at the threshold.
  var withAllTied: TopSelection {
    var cut = self
    cut.ofTied = tied
    return cut
  }

  /// A key that rises with the number; no number has 0, which stands for a missing one.
  static func key(_ value: Double?) -> UInt64 {
    guard let value, !value.isNaN else { return 0 }
    // -0.0 and 0.0 are equal numbers.
    let bits = (value == 0 ? 0 : value).bitPattern
    return bits >> 63 == 1 ? ~bits : bits | 1 << 63
  }

  static func value(_ key: UInt64) -> Double {
    Double(bitPattern: key >> 63 == 1 ? key & ~(1 << 63) : ~key)
  }

  /// The `wanted` greatest of the keys that are not 0 and whose pair is in `population`.
  ///
  /// - Returns: Nil where nothing is taken: none is wanted, or all keys are 0.
  init?(_ keys: [UInt64], in population: PairBits, wanted: Int) {
    var known = 0
    for index in keys.indices where keys[index] != 0 && population[index] { known += 1 }
    let wanted = min(wanted, known)
    guard wanted > 0 else { return nil }
    var (prefix, above): (UInt64, Int) = (0, 0)
    var last = 0
    for shift in [48, 32, 16, 0] as [UInt64] {
      var counts = [Int](repeating: 0, count: 1 << 16)
      // At the first digit there is no prefix yet; shifting by all 64 bits gives 0.
      for (index, key) in keys.enumerated()
      where key != 0 && key >> (shift + 16) == prefix >> 16 && population[index] {
        counts[Int(key >> shift & 0xFFFF)] += 1
      }
      var digit = 0xFFFF
      while above + counts[digit] < wanted {
        above += counts[digit]
        digit -= 1
      }
      last = counts[digit]
      prefix = (prefix | UInt64(digit))
      if shift > 0 { prefix <<= 16 }
    }
    threshold = prefix
    ofTied = wanted - above
    tied = last
  }
}

extension TopFraction {
  /// ceil(f·n), where f·n counts as whole if it is so but for rounding: 0.1·30 is 3.0000000000000004.
  static func ceiling(_ fraction: Double, of count: Int) -> Int {
    let product = fraction * Double(count)
    // A billionth is far below one pair in any list.
    return max(0, Int((product - 1e-9 * max(1, product)).rounded(.up)))
  }

  /// The cut among the pairs of `population`; nil where none is taken.
  func selection(_ keys: [UInt64], in population: PairBits) -> TopSelection? {
    let count = population.setCount
    switch ties {
    case .uid: return TopSelection(keys, in: population, wanted: Self.ceiling(fraction, of: count))
    case .keep:
      let cut = TopSelection(keys, in: population, wanted: Self.ceiling(fraction, of: count))
      return cut?.withAllTied
    case .datacomp:
      guard count > 0 else { return nil }
      // Python's int() cuts off. A share of 1 has no place behind the last; all pairs are meant.
      let cut = TopSelection(
        keys, in: population, wanted: Int(Double(count) * fraction) + 1)
      return cut?.withAllTied
    }
  }
}
