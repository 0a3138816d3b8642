import HammingSearch
package import PerceptualHash
import Synchronization

/// How many pictures go at each radius.
///
/// In order of rows: a picture goes where an earlier one that stays is near it. One that goes draws no other
/// after it, so that a chain of pictures, each near the next, is not dropped for its first.
///
/// Pictures of equal signatures are one: the later ones go at every radius, for whatever the first is
/// near to, they are. So a million copies of one picture cost as much as one.
package enum RadiusCounts {
  /// - Parameters:
  ///   - signatures: In order of rows, without those whose bytes came before.
  ///   - highest: The highest radius, at most 16.
  ///   - threads: Cores to use.
  /// - Returns: For each radius from 0 those that go by their keys, and those that the finer check
  ///   confirms.
  /// - Throws: What the search for near words throws.
  package static func count(
    _ signatures: [PictureSignature], highest: Int, threads: Int
  ) throws -> [DuplicatePlan.Radius] {
    let byKey = try leaders(
      firsts(signatures.map(\.key)), key: { $0 }, highest: highest, threads: threads
    ) { _, _ in true }
    let confirmed = try leaders(
      firsts(signatures), key: \.key, highest: highest, threads: threads
    ) { $0.isSamePicture(as: $1, radius: highest) }
    return (0...highest).map {
      DuplicatePlan.Radius(
        radius: $0, byKey: signatures.count - byKey[$0],
        confirmed: signatures.count - confirmed[$0])
    }
  }

  /// Each value once, in the order in which they come first.
  private static func firsts<Value: Hashable>(_ values: [Value]) -> [Value] {
    var seen: Set<Value> = []
    return values.filter { seen.insert($0).inserted }
  }

  /// How many of distinct values stay at each radius.
  ///
  /// Memory: 12 bytes for each pair within the highest radius that counts as same.
  private static func leaders<Value: Sendable>(
    _ values: [Value], key: (Value) -> UInt64, highest: Int, threads: Int,
    isSame: @Sendable (Value, Value) -> Bool
  ) throws -> [Int] {
    let found = Mutex<[HammingPair]>([])
    try HammingJoin.pairs(among: values.map(key), radius: highest, threads: threads) { pairs in
      let same = pairs.filter { isSame(values[Int($0.first)], values[Int($0.second)]) }
      if !same.isEmpty { found.withLock { $0 += same } }
    }
    // A value's verdict needs those of all before it.
    let pairs = found.withLock { $0 }.sorted { $0.second < $1.second }
    return (0...highest).map { radius in
      var goes = [Bool](repeating: false, count: values.count)
      for pair in pairs where Int(pair.distance) <= radius && !goes[Int(pair.first)] {
        goes[Int(pair.second)] = true
      }
      return goes.count { !$0 }
    }
  }
}
