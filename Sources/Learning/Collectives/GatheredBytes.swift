extension ProcessGroup {
  /// Every rank's bytes, by rank.
  ///
  /// They travel as the bits of Floats, which are only copied: n bytes are ⌈n / 4⌉ + 1 of them.
  ///
  /// - Throws: ``CollectiveError`` when a rank is lost.
  public func allGather(bytes: [UInt8]) throws(CollectiveError) -> [[UInt8]] {
    let length = UInt32(bytes.count)
    var words = [Float(bitPattern: length)]
    words.reserveCapacity(bytes.count / 4 + 2)
    for start in stride(from: 0, to: bytes.count, by: 4) {
      var word: UInt32 = 0
      for offset in 0..<min(4, bytes.count - start) {
        word |= UInt32(bytes[start + offset]) << UInt32(8 * offset)
      }
      words.append(Float(bitPattern: word))
    }
    return try allGather(words).map { words in
      let length = Int(words.first?.bitPattern ?? 0)
      let bytes = words.dropFirst().flatMap { word in
        (0..<4).map { UInt8(truncatingIfNeeded: word.bitPattern >> UInt32(8 * $0)) }
      }
      return Array(bytes.prefix(length))
    }
  }

  /// Every rank's numbers, by rank.
  ///
  /// - Throws: ``CollectiveError`` when a rank is lost.
  public func allGather(_ numbers: [UInt64]) throws(CollectiveError) -> [[UInt64]] {
    var words: [Float] = []
    for number in numbers {
      words.append(Float(bitPattern: UInt32(truncatingIfNeeded: number)))
      words.append(Float(bitPattern: UInt32(truncatingIfNeeded: number >> 32)))
    }
    return try allGather(words).map { words in
      stride(from: 0, to: words.count - 1, by: 2).map { index in
        let high = UInt64(words[index + 1].bitPattern) << 32
        return UInt64(words[index].bitPattern) | high
      }
    }
  }
}
