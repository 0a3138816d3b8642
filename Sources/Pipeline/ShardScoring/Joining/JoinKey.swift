import PipelineCore

/// What rows are joined by: 128 bits of a uid, a key or a URL, all told as uids are.
struct JoinKey: Sendable, Hashable {
  private let number: PairUID

  init(_ text: String) { number = PairUID(text) }

  /// The key of a URL as pairs are known by it; of the text itself where it is no URL of the web.
  init(url: String) { self.init(NormalizedURL.normalize(url) ?? url) }

  /// A place in a table of a power of two.
  func slot(_ mask: Int) -> Int {
    // A foreign uid may be a small number; a product spreads it over the upper bits.
    let mixed = (number.high ^ (number.low &* 0x9E37_79B9_7F4A_7C15)) &* 0xD6E8_FEB8_6659_FD93
    return Int(truncatingIfNeeded: mixed >> 17) & mask
  }
}
