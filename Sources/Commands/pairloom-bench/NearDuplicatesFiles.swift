import DurableFiles
import SeededRandom

/// Files of little-endian UInt64s.
enum HashFile {
  static func write(_ words: [UInt64], to path: String) throws {
    try DurableFile.write(bytes(words), to: path)
  }

  static func bytes(_ words: [UInt64]) -> [UInt8] {
    // Safe: a copy of the words' bytes, which are little-endian after the map.
    unsafe words.map(\.littleEndian).withUnsafeBytes { unsafe [UInt8]($0) }
  }

  /// Random words, of which the last 5 % are copies of others with up to `radius` bits flipped, as
  /// ../shared/peers/near_duplicates.py plants them.
  static func uniform(count: Int, radius: Int, seed: UInt64) -> [UInt64] {
    var random = RandomStream(seed: seed)
    let planted = count / 20
    var words = (0..<count - planted).map { _ in random.next() }
    for _ in 0..<planted {
      var word = words[random.integer(below: count - planted)]
      for bit in random.permutation(of: 64).prefix(random.integer(below: radius + 1)) {
        word ^= 1 << UInt64(bit)
      }
      words.append(word)
    }
    return words
  }
}
