import CVectorIntrinsics

/// What the intrinsics call __m256i.
private typealias Register = SIMD4<Int64>

/// Words side by side, among which those near to another are found.
@safe final class NearWords {
  /// Fewer words are compared faster where they are.
  static let leastCount = 24
  /// What the first cache holds beside the rows.
  static let mostCount = 1024
  /// Words compared without a branch between them.
  private static let step = 16

  private let words: UnsafeMutablePointer<UInt64>
  private var count = 0

  init() {
    unsafe words = .allocate(capacity: Self.mostCount)
    unsafe words.initialize(repeating: 0, count: Self.mostCount)
  }

  deinit { unsafe words.deallocate() }

  func load(_ elements: UnsafePointer<JoinElement>, count: Int) {
    self.count = count
    for index in 0..<count { unsafe words[index] = elements[index].word }
  }

  /// The first place from `place` on whose word differs from `word` in `radius` bits at most.
  @inline(__always)
  func next(after place: Int, near word: UInt64, radius: Int) -> Int? {
    var place = place
    let count = count
    let searched = Register(repeating: Int64(bitPattern: word))
    let most = Register(repeating: Int64(radius) + 1)
    while place &+ Self.step <= count {
      let four = unsafe UnsafeRawPointer(words + place)
      let least = unsafe _mm256_min_epu32(
        _mm256_min_epu32(
          distances(four.loadUnaligned(as: Register.self), searched),
          distances(four.loadUnaligned(fromByteOffset: 32, as: Register.self), searched)),
        _mm256_min_epu32(
          distances(four.loadUnaligned(fromByteOffset: 64, as: Register.self), searched),
          distances(four.loadUnaligned(fromByteOffset: 96, as: Register.self), searched)))
      if _mm256_movemask_epi8(_mm256_cmpgt_epi64(most, least)) != 0 { break }
      place &+= Self.step
    }
    while place < count {
      if unsafe (words[place] ^ word).nonzeroBitCount <= radius { return place }
      place &+= 1
    }
    return nil
  }

  /// How many bits of four words differ (Muła, Kurz, Lemire: Faster Population Counts Using AVX2
  /// Instructions, 2018): a table's count of each half byte, summed.
  @inline(__always)
  private func distances(_ words: Register, _ others: Register) -> Register {
    let difference = _mm256_xor_si256(words, others)
    let low = _mm256_and_si256(difference, Self.halfBytes)
    let high = _mm256_and_si256(_mm256_srli_epi16(difference, 4), Self.halfBytes)
    let counts = _mm256_add_epi8(
      _mm256_shuffle_epi8(Self.table, low), _mm256_shuffle_epi8(Self.table, high))
    return _mm256_sad_epu8(counts, Register(repeating: 0))
  }

  @inline(__always)
  private static var halfBytes: Register { Register(repeating: 0x0F0F_0F0F_0F0F_0F0F) }

  /// The bits of 0 to 15, a byte each.
  @inline(__always)
  private static var table: Register {
    let (first, second): (Int64, Int64) = (0x0302_0201_0201_0100, 0x0403_0302_0302_0201)
    return Register(first, second, first, second)
  }
}
