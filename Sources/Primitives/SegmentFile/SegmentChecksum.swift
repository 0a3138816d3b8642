/// A 64-bit sum over bytes that tells damage, not malice: several gigabytes a second on one core.
///
/// Four lanes take a word each in turn. Each step, (lane ⊕ word) · odd, rotated, is a bijection of the
/// word and of the lane, and so is each step that folds the lanes: what differs in the bytes of one
/// word only never has the same sum, and anything else with a chance of 2⁻⁶⁴.
enum SegmentChecksum {
  static func of(_ bytes: RawSpan, seed: UInt64) -> UInt64 {
    var a = seed ^ 0x243F_6A88_85A3_08D3
    var b = seed ^ 0x1319_8A2E_0370_7344
    var c = seed ^ 0xA409_3822_299F_31D0
    var d = seed ^ 0x082E_FA98_EC4E_6C89
    let stripes = bytes.byteCount / 32
    for stripe in 0..<stripes {
      let place = stripe * 32
      a = step(a, bytes.word(at: place))
      b = step(b, bytes.word(at: place + 8))
      c = step(c, bytes.word(at: place + 16))
      d = step(d, bytes.word(at: place + 24))
    }
    var sum = step(step(step(step(seed, a), b), c), d)
    var last: UInt64 = 0
    for place in stripes * 32..<bytes.byteCount {
      last = last << 8 | UInt64(bytes.byte(at: place))
      if place % 8 == 7 {
        sum = step(sum, last)
        last = 0
      }
    }
    // The length tells runs of zeros apart.
    sum = step(step(sum, last), UInt64(bytes.byteCount))
    return sum ^ sum >> 32
  }

  static func of(_ words: some Sequence<UInt64>, seed: UInt64) -> UInt64 {
    let sum = words.reduce(seed ^ 0x4528_21E6_38D0_1377, step)
    return sum ^ sum >> 32
  }

  @inline(__always)
  private static func step(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    let product = (lane ^ word) &* 0x9E37_79B9_7F4A_7C15
    return product << 29 | product >> 35
  }
}
