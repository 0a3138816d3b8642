/// A bit for each pair, in their order.
public struct PairBits: Sendable, Equatable {
  public private(set) var count: Int
  private(set) var words: [UInt64]

  public init(repeating bit: Bool = false, count: Int = 0) {
    self.count = count
    words = [UInt64](repeating: bit ? .max : 0, count: (count + 63) / 64)
    clearTail()
  }

  init(words: [UInt64], count: Int) {
    self.words = words
    self.count = count
    clearTail()
  }

  /// Bits behind the last pair are 0, so that words can be counted and compared.
  private mutating func clearTail() {
    if count % 64 != 0 { words[words.count - 1] &= 1 << UInt64(count % 64) - 1 }
  }

  public subscript(index: Int) -> Bool {
    get { words[index >> 6] >> UInt64(index & 63) & 1 == 1 }
    set {
      let bit = 1 << UInt64(index & 63) as UInt64
      if newValue { words[index >> 6] |= bit } else { words[index >> 6] &= ~bit }
    }
  }

  public mutating func append(_ bit: Bool) {
    if count % 64 == 0 { words.append(0) }
    count += 1
    if bit { words[words.count - 1] |= 1 << UInt64((count - 1) % 64) }
  }

  /// How many pairs have the bit.
  public var setCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  func combined(_ other: PairBits, _ combine: (UInt64, UInt64) -> UInt64) -> PairBits {
    precondition(count == other.count, "\(count) and \(other.count) pairs")
    return PairBits(words: zip(words, other.words).map(combine), count: count)
  }

  static func & (a: PairBits, b: PairBits) -> PairBits { a.combined(b) { $0 & $1 } }
  static func | (a: PairBits, b: PairBits) -> PairBits { a.combined(b) { $0 | $1 } }
}

/// Whether a test holds for each pair: true, false, or unknown where a value is missing.
///
/// Kleene's logic, as SQL's: the negation of what is unknown is unknown, so a missing value never passes.
struct PairTruths {
  var isTrue: PairBits
  var isFalse: PairBits

  init() { (isTrue, isFalse) = (PairBits(), PairBits()) }

  init(isTrue: PairBits, isFalse: PairBits) {
    self.isTrue = isTrue
    self.isFalse = isFalse
  }

  mutating func append(_ truth: Bool?) {
    isTrue.append(truth == true)
    isFalse.append(truth == false)
  }

  var unknownCount: Int { isTrue.count - isTrue.setCount - isFalse.setCount }

  static prefix func ! (truths: PairTruths) -> PairTruths {
    PairTruths(isTrue: truths.isFalse, isFalse: truths.isTrue)
  }

  static func & (a: PairTruths, b: PairTruths) -> PairTruths {
    PairTruths(isTrue: a.isTrue & b.isTrue, isFalse: a.isFalse | b.isFalse)
  }

  static func | (a: PairTruths, b: PairTruths) -> PairTruths {
    PairTruths(isTrue: a.isTrue | b.isTrue, isFalse: a.isFalse & b.isFalse)
  }
}
