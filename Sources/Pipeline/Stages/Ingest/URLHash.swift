/// A hash of 128 bits under a key that nobody knows: SipHash-2-4 (Aumasson and Bernstein 2012).
///
/// With n URLs two are taken for one with a chance of n²/2¹²⁹, and no list can be made to raise it.
package struct URLHash: Hashable {
  package var high: UInt64
  package var low: UInt64
}

/// Makes the hashes of one run.
package struct URLHasher {
  private let key: (UInt64, UInt64)

  /// Under a random key.
  package init() {
    var generator = SystemRandomNumberGenerator()
    self.init(key: (generator.next(), generator.next()))
  }

  package init(key: (UInt64, UInt64)) { self.key = key }

  package func hash(_ bytes: [UInt8]) -> URLHash {
    var state = SipState(key)
    let whole = bytes.count & ~7
    var index = 0
    while index < whole {
      var word: UInt64 = 0
      for byte in 0..<8 { word |= UInt64(bytes[index + byte]) << (8 * UInt64(byte)) }
      state.absorb(word)
      index += 8
    }
    var last = UInt64(truncatingIfNeeded: bytes.count) << 56
    for byte in whole..<bytes.count {
      last |= UInt64(bytes[byte]) << (8 * UInt64(byte - whole))
    }
    state.absorb(last)
    return state.finish()
  }
}

private struct SipState {
  private var (v0, v1, v2, v3): (UInt64, UInt64, UInt64, UInt64)

  init(_ key: (UInt64, UInt64)) {
    v0 = key.0 ^ 0x736F_6D65_7073_6575
    // The second output word asks for the constant 0xEE here.
    v1 = key.1 ^ 0x646F_7261_6E64_6F6D ^ 0xEE
    v2 = key.0 ^ 0x6C79_6765_6E65_7261
    v3 = key.1 ^ 0x7465_6462_7974_6573
  }

  @inline(__always)
  private mutating func round() {
    v0 &+= v1
    v1 = v1 << 13 | v1 >> 51
    v1 ^= v0
    v0 = v0 << 32 | v0 >> 32
    v2 &+= v3
    v3 = v3 << 16 | v3 >> 48
    v3 ^= v2
    v0 &+= v3
    v3 = v3 << 21 | v3 >> 43
    v3 ^= v0
    v2 &+= v1
    v1 = v1 << 17 | v1 >> 47
    v1 ^= v2
    v2 = v2 << 32 | v2 >> 32
  }

  @inline(__always)
  mutating func absorb(_ word: UInt64) {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }

  mutating func finish() -> URLHash {
    v2 ^= 0xEE
    for _ in 0..<4 { round() }
    let first = v0 ^ v1 ^ v2 ^ v3
    v1 ^= 0xDD
    for _ in 0..<4 { round() }
    return URLHash(high: first, low: v0 ^ v1 ^ v2 ^ v3)
  }
}
