extension Tensor {
  /// A 64-bit hash of shape and bits: two tensors that differ in one float never have the same.
  ///
  /// No cryptographic hash: it tells accidents, not attacks. It reads memory about as fast as it comes. Each of 32
  /// lanes takes in its words by a round of XXH32, h ← rotl(h + w, 13) · p, which is a bijection in h and in w.
  ///
  /// - Source: xxHash's specification (doc/xxhash_spec.md) for the round, MurmurHash3's finaliser for the end.
  public func bitHash() -> UInt64 {
    let x = floats
    var hash = shape.reduce(UInt64(shape.count)) { mixed($0 ^ UInt64($1)) }
    var (a, b, c, d) = (seeds(1), seeds(2), seeds(3), seeds(4))
    var index = 0
    while index &+ 32 <= count {
      a = absorb(a, x[lanes: index])
      b = absorb(b, x[lanes: index &+ 8])
      c = absorb(c, x[lanes: index &+ 16])
      d = absorb(d, x[lanes: index &+ 24])
      index &+= 32
    }
    while index < count {
      hash = mixed(hash ^ UInt64(x[index].bitPattern))
      index += 1
    }
    for lanes in [a, b, c, d] {
      for lane in 0..<8 { hash = mixed(hash ^ UInt64(lanes[lane])) }
    }
    return hash
  }
}

private func seeds(_ number: UInt32) -> SIMD8<UInt32> {
  SIMD8<UInt32>(0, 1, 2, 3, 4, 5, 6, 7) &* 0x9E37_79B1 &+ number &* 0x85EB_CA77
}

@inline(__always)
private func absorb(_ hash: SIMD8<UInt32>, _ floats: SIMD8<Float>) -> SIMD8<UInt32> {
  let words = unsafe unsafeBitCast(floats, to: SIMD8<UInt32>.self)
  let sum = hash &+ words
  return (sum &<< 13 | sum &>> 19) &* 0x9E37_79B1
}

/// Bijective, so that what went in never falls together.
@inline(__always)
private func mixed(_ value: UInt64) -> UInt64 {
  var value = value &+ 0x9E37_79B9_7F4A_7C15
  value = (value ^ value &>> 33) &* 0xFF51_AFD7_ED55_8CCD
  value = (value ^ value &>> 33) &* 0xC4CE_B9FE_1A85_EC53
  return value ^ value &>> 33
}
