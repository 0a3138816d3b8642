/// Python's `random.Random(seed).shuffle(list)`, so that both sides of a comparison take the same files.
///
/// Source: CPython Modules/_randommodule.c and Lib/random.py; Matsumoto and Nishimura 1998 (MT19937).
package struct PythonShuffle {
  private var state: [UInt32]
  private var position = 624

  /// - Parameter seed: Of one 32-bit word, which CPython passes to init_by_array as a key of length 1.
  package init(seed: UInt32) {
    state = [19_650_218]
    for index in 1..<624 {
      state.append(Self.mixed(state[index - 1], by: 1_812_433_253) &+ UInt32(index))
    }
    var index = 1
    func advance(_ state: inout [UInt32]) {
      index += 1
      if index == 624 {
        state[0] = state[623]
        index = 1
      }
    }
    for _ in 0..<624 {
      state[index] = (state[index] ^ Self.mixed(state[index - 1], by: 1_664_525)) &+ seed
      advance(&state)
    }
    for _ in 0..<623 {
      state[index] =
        (state[index] ^ Self.mixed(state[index - 1], by: 1_566_083_941)) &- UInt32(index)
      advance(&state)
    }
    state[0] = 0x8000_0000
  }

  package mutating func shuffle<T>(_ items: inout [T]) {
    for last in stride(from: items.count - 1, to: 0, by: -1) {
      items.swapAt(last, below(UInt32(last + 1)))
    }
  }

  /// `_randbelow_with_getrandbits`: the top bits of a word, drawn again while they are too large.
  private mutating func below(_ bound: UInt32) -> Int {
    while true {
      let draw = next() >> UInt32(bound.leadingZeroBitCount)
      if draw < bound { return Int(draw) }
    }
  }

  private mutating func next() -> UInt32 {
    if position == 624 { twist() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C_5680
    word ^= (word << 15) & 0xEFC6_0000
    return word ^ (word >> 18)
  }

  private mutating func twist() {
    for index in 0..<624 {
      let pair = (state[index] & 0x8000_0000) | (state[(index + 1) % 624] & 0x7FFF_FFFF)
      state[index] = state[(index + 397) % 624] ^ (pair >> 1) ^ (pair & 1 == 0 ? 0 : 0x9908_B0DF)
    }
    position = 0
  }

  private static func mixed(_ word: UInt32, by factor: UInt32) -> UInt32 {
    (word ^ (word >> 30)) &* factor
  }
}
