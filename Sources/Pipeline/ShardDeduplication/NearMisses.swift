import HammingSearch
import PerceptualHash
import Synchronization

/// Two kept pictures that are nearly one: what a greater radius or a laxer check would drop.
struct NearMiss: Sendable, Hashable {
  /// Rows, the lower one first.
  var first: Int
  var second: Int
  var distance: Int
  var difference: Int
}

/// Finds the pairs of kept pictures just above the threshold.
enum NearMisses {
  /// Pictures among which pairs are looked for: the first of all.
  static let mostPictures = 1_000_000
  /// Bits of the key beyond the radius that still count as near.
  static let furtherBits = 2

  /// The pairs with the least differences: half of them within the radius, where the finer check has told
  /// them apart, then those beyond it.
  ///
  /// - Parameters:
  ///   - kept: Rows and signatures of kept pictures, in order.
  ///   - radius: Within which pictures were dropped.
  ///   - most: Pairs at most.
  ///   - threads: Cores to use.
  /// - Returns: Of either kind the nearest first.
  /// - Throws: What the search for near words throws.
  static func find(
    among kept: [(row: Int, signature: PictureSignature)], radius: Int, most: Int, threads: Int
  ) throws -> [NearMiss] {
    let kept = Array(kept.prefix(mostPictures))
    let half = (most + 1) / 2
    let found = Mutex<[NearMiss]>([])
    try HammingJoin.pairs(
      among: kept.map(\.signature.key), radius: min(16, radius + furtherBits), threads: threads
    ) { pairs in
      var near: [NearMiss] = []
      for pair in pairs {
        let (a, b) = (kept[Int(pair.first)], kept[Int(pair.second)])
        let difference = a.signature.difference(from: b.signature)
        guard difference < 2 * PictureSignature.usualDifference else { continue }
        near.append(
          NearMiss(
            first: a.row, second: b.row, distance: Int(pair.distance), difference: difference))
      }
      let batch = near
      found.withLock { found in
        let all = found + batch
        found =
          best(all.filter { $0.distance <= radius }, half)
          + best(all.filter { $0.distance > radius }, half)
      }
    }
    return found.withLock { $0 }
  }

  private static func best(_ all: [NearMiss], _ most: Int) -> [NearMiss] {
    Array(
      all.sorted { ($0.difference, $0.first, $0.second) < ($1.difference, $1.first, $1.second) }
        .prefix(most))
  }
}
