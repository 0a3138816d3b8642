/// XXH32, the checksum of LZ4 frames.
///
/// Source: xxHash's specification (doc/xxhash_spec.md), "XXH32 Algorithm Description".
enum XXHash32 {
  private static let primes: (UInt32, UInt32, UInt32, UInt32, UInt32) = (
    0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D, 0x27D4_EB2F, 0x1656_67B1
  )
  private static let stripe = 16

  /// The hash of `bytes` with seed 0.
  static func hash(_ bytes: RawSpan) -> UInt32 {
    var (a, b, c, d) = start
    let stripes = bytes.byteCount / stripe
    for index in 0..<stripes { absorb(bytes, index * stripe, &a, &b, &c, &d) }
    return finish(bytes, stripes, a, b, c, d)
  }

  /// The hashes of two messages with seed 0.
  ///
  /// A sum waits for the product before it, so one message alone leaves half of the core idle: two
  /// side by side take little longer.
  static func hash(_ first: RawSpan, _ second: RawSpan) -> (UInt32, UInt32) {
    var (a, b, c, d) = start
    var (e, f, g, h) = start
    let stripes = (first.byteCount / stripe, second.byteCount / stripe)
    let common = min(stripes.0, stripes.1)
    for index in 0..<common {
      absorb(first, index * stripe, &a, &b, &c, &d)
      absorb(second, index * stripe, &e, &f, &g, &h)
    }
    for index in common..<stripes.0 { absorb(first, index * stripe, &a, &b, &c, &d) }
    for index in common..<stripes.1 { absorb(second, index * stripe, &e, &f, &g, &h) }
    return (finish(first, stripes.0, a, b, c, d), finish(second, stripes.1, e, f, g, h))
  }

  private static var start: (UInt32, UInt32, UInt32, UInt32) {
    (primes.0 &+ primes.1, primes.1, 0, 0 &- primes.0)
  }

  @inline(__always)
  private static func absorb(
    _ bytes: RawSpan, _ offset: Int, _ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32,
    _ d: inout UInt32
  ) {
    a = round(a, word(bytes, offset))
    b = round(b, word(bytes, offset + 4))
    c = round(c, word(bytes, offset + 8))
    d = round(d, word(bytes, offset + 12))
  }

  @inline(__always)
  private static func round(_ sum: UInt32, _ word: UInt32) -> UInt32 {
    rotated(sum &+ word &* primes.1, 13) &* primes.0
  }

  @inline(__always)
  private static func rotated(_ value: UInt32, _ count: UInt32) -> UInt32 {
    value &<< count | value &>> (32 &- count)
  }

  /// The four bytes at `offset`, little-endian.
  @inline(__always)
  private static func word(_ bytes: RawSpan, _ offset: Int) -> UInt32 {
    // Safe: callers stay 4 bytes within the span, and every bit pattern is a number.
    UInt32(
      littleEndian: unsafe bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: offset, as: UInt32.self))
  }

  private static func finish(
    _ bytes: RawSpan, _ stripes: Int, _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32
  ) -> UInt32 {
    var hash =
      stripes == 0
      ? primes.4 : rotated(a, 1) &+ rotated(b, 7) &+ rotated(c, 12) &+ rotated(d, 18)
    hash = hash &+ UInt32(truncatingIfNeeded: bytes.byteCount)
    var offset = stripes * stripe
    while offset + 4 <= bytes.byteCount {
      hash = rotated(hash &+ word(bytes, offset) &* primes.2, 17) &* primes.3
      offset += 4
    }
    while offset < bytes.byteCount {
      let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      hash = rotated(hash &+ UInt32(byte) &* primes.4, 11) &* primes.0
      offset += 1
    }
    hash = (hash ^ hash &>> 15) &* primes.1
    hash = (hash ^ hash &>> 13) &* primes.2
    return hash ^ hash &>> 16
  }
}
