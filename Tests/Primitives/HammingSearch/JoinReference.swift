import HammingSearch
import SeededRandom

/// All pairs, by comparing all with all.
enum JoinReference {
  static func pairs(_ words: [UInt64], radius: Int) -> Set<HammingPair> {
    var pairs: Set<HammingPair> = []
    for second in words.indices {
      for first in 0..<second {
        let distance = (words[first] ^ words[second]).nonzeroBitCount
        guard distance <= radius else { continue }
        pairs.insert(
          HammingPair(first: UInt32(first), second: UInt32(second), distance: UInt8(distance)))
      }
    }
    return pairs
  }

  static func counts(_ pairs: Set<HammingPair>, radius: Int) -> [Int] {
    pairs.reduce(into: [Int](repeating: 0, count: radius + 1)) { $0[Int($1.distance)] += 1 }
  }
}

/// Words of the kinds that a join meets.
enum JoinWords: CaseIterable {
  case random, planted, equal, fewValues, clustered, skewed, dense, chained

  func words(_ count: Int, seed: UInt64) -> [UInt64] {
    var random = RandomStream(seed: seed, path: UInt64(count))
    func near(_ word: UInt64, _ most: Int) -> UInt64 {
      let bits = random.permutation(of: 64).prefix(random.integer(below: most + 1))
      return bits.reduce(word) { $0 ^ 1 << UInt64($1) }
    }
    switch self {
    case .random:
      return (0..<count).map { _ in random.next() }
    case .planted:
      var words: [UInt64] = []
      for index in 0..<count {
        words.append(
          index % 2 == 0 ? random.next() : near(words[random.integer(below: index)], 16))
      }
      return words
    case .equal:
      return [UInt64](repeating: 0x8000_0000_0000_0000, count: count)
    case .fewValues:
      // Neighbours in one bit or two, each many times.
      return (0..<count).map { _ in UInt64(random.integer(below: 6)) << 30 }
    case .clustered:
      let centres = (0..<5).map { _ in random.next() }
      return (0..<count).map { _ in near(centres[random.integer(below: 5)], 12) }
    case .skewed:
      // As pHashes: the highest bit set, half of all set, most bits leaning one way.
      let lean = (0..<64).map { _ in random.uniform() }
      return (0..<count).map { _ in
        let bits = (0..<63).map { (lean[$0] + random.uniform(), $0) }.sorted { $0 > $1 }
        return bits.prefix(31).reduce(1 << 63) { $0 | 1 << UInt64($1.1) }
      }
    case .dense:
      // All in a few bits: what blocks leave over must be cut anew.
      let places = random.permutation(of: 64).prefix(14)
      return (0..<count).map { _ in
        places.reduce(0) { $0 | (random.next() & 1) << UInt64($1) }
      }
    case .chained:
      // Each a bit away from the one before.
      var word = random.next()
      return (0..<count).map { _ in
        defer { word ^= 1 << UInt64(random.integer(below: 64)) }
        return word
      }
    }
  }
}

extension JoinReference {
  static func countsOnly(_ words: [UInt64], radius: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: 65)
    for second in words.indices {
      for first in 0..<second { counts[(words[first] ^ words[second]).nonzeroBitCount] += 1 }
    }
    return Array(counts[...radius])
  }
}
