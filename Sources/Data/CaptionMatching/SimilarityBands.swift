internal import Glibc
internal import SeededRandom

/// How near captions are found: MinHash with locality-sensitive hashing.
///
/// A min-hash of a set is the least of its members under one hash function; two sets have the same with
/// a chance that is their Jaccard similarity s (Broder 1997). A band is a hash of r min-hashes; who shares
/// any of b bands is a candidate, which happens with a chance of 1 − (1 − sʳ)ᵇ (Leskovec, Rajaraman,
/// Ullman: Mining of Massive Datasets, 3.4). The functions come from a fixed seed, so that the same
/// captions are found everywhere.
public struct SimilarityBands: Sendable, Equatable {
  /// What may be asked for.
  ///
  /// Below, captions have little in common, and everything is a candidate.
  public static let similarities = 0.3...1.0
  /// The chance with which a pair exactly at the similarity is found is at least so high.
  public static let recall = 0.97
  /// What holds the bytes of a caption down; more only where one row in each band needs more.
  private static let mostBands = 16
  private static let mostRows = 16

  /// The least Jaccard similarity of near captions.
  public let similarity: Double
  /// b, of which a caption needs 8 bytes each in the index.
  public let bands: Int
  /// r: the more, the fewer captions below the similarity are compared in vain.
  public let rows: Int
  private let seeds: [UInt32]

  /// - Parameter similarity: One of ``similarities``.
  public init(similarity: Double) {
    precondition(
      Self.similarities.contains(similarity),
      "captions of similarity \(similarity); \(Self.similarities) can be asked for")
    self.similarity = similarity
    // The most rows, for they are what keeps strangers apart.
    let fitting = (1...Self.mostRows).last {
      Self.bandsNeeded(similarity: similarity, rows: $0) <= Self.mostBands
    }
    rows = fitting ?? 1
    bands = Self.bandsNeeded(similarity: similarity, rows: rows)
    var random = RandomStream(seed: 0x6361_7074_696F_6E73)
    seeds = (0..<bands * rows).map { _ in UInt32(truncatingIfNeeded: random.next() >> 32) }
  }

  /// The fewest bands with which 1 − (1 − sʳ)ᵇ reaches the recall.
  private static func bandsNeeded(similarity: Double, rows: Int) -> Int {
    let shared = pow(similarity, Double(rows))
    guard shared < 1 else { return 1 }
    return Int((log(1 - recall) / log1p(-shared)).rounded(.up))
  }

  /// A hash for each band; none of the empty set, which is near to nothing.
  package func hashes(of shingles: [UInt32]) -> [UInt32] {
    guard !shingles.isEmpty else { return [] }
    var least = [UInt32](repeating: .max, count: seeds.count)
    for shingle in shingles {
      for index in seeds.indices { least[index] = min(least[index], mix(shingle ^ seeds[index])) }
    }
    return (0..<bands).map { band in
      var hash = UInt64(band)
      for row in 0..<rows { hash = WordMixing.mix(hash ^ UInt64(least[band * rows + row]) << 16) }
      return UInt32(truncatingIfNeeded: hash >> 32)
    }
  }

  /// Whether sets of so many members can be as similar as asked for.
  func isWithinReach(_ left: Int, _ right: Int) -> Bool {
    min(left, right) > 0 && Double(min(left, right)) / Double(max(left, right)) >= similarity
  }

  /// The Jaccard similarity of two sets, both ascending; nil where it is less than asked for.
  package func similarity(_ left: [UInt32], _ right: [UInt32]) -> Double? {
    guard isWithinReach(left.count, right.count) else { return nil }
    var (l, r, shared) = (0, 0, 0)
    while l < left.count, r < right.count {
      let (a, b) = (left[l], right[r])
      shared += a == b ? 1 : 0
      l += a <= b ? 1 : 0
      r += b <= a ? 1 : 0
    }
    let jaccard = Double(shared) / Double(left.count + right.count - shared)
    return jaccard >= similarity ? jaccard : nil
  }

  /// Two rounds of multiply and shift, which unlike a linear function favour no member of a set.
  @inline(__always)
  private func mix(_ value: UInt32) -> UInt32 {
    var z = value
    z = (z ^ (z >> 16)) &* 0x85EB_CA6B
    z = (z ^ (z >> 13)) &* 0xC2B2_AE35
    return z ^ (z >> 16)
  }
}
