import CaptionMatching
import SeededRandom

/// The index in three lines: all that was kept, looked through from the first row to the last.
struct NaiveCaptions {
  var kept: [(row: Int, batch: Int, caption: String)] = []
  var bands: SimilarityBands?
  /// The kept captions of each band that count.
  var mostHolders = CaptionIndex.mostHolders

  func history(of caption: String) -> CaptionHistory {
    let key = NormalizedCaption.text(of: caption)
    let rows = kept.filter { NormalizedCaption.text(of: $0.caption) == key }.map(\.row)
    return CaptionHistory(count: rows.count, first: rows.min(), near: near(caption))
  }

  private func near(_ caption: String) -> NearCaption? {
    guard let bands else { return nil }
    let wanted = Self.shingles(caption)
    let hashes = bands.hashes(of: wanted)
    // Every caption once, as it was first kept.
    var known: Set<String> = []
    let distinct = kept.filter { known.insert(NormalizedCaption.text(of: $0.caption)).inserted }
    let candidates = Set(
      hashes.indices.flatMap { band in
        distinct.filter {
          let theirs = bands.hashes(of: Self.shingles($0.caption))
          return !theirs.isEmpty && theirs[band] == hashes[band]
        }.prefix(mostHolders).map(\.row)
      })
    return distinct.sorted { $0.row < $1.row }.lazy.compactMap { earlier -> NearCaption? in
      let similarity = Self.jaccard(wanted, Self.shingles(earlier.caption))
      guard candidates.contains(earlier.row), similarity >= bands.similarity else { return nil }
      return NearCaption(row: earlier.row, similarity: similarity)
    }.first
  }

  static func shingles(_ caption: String) -> [UInt32] {
    CaptionShingles.hashes(of: NormalizedCaption.utf8(of: caption))
  }

  static func jaccard(_ left: [UInt32], _ right: [UInt32]) -> Double {
    let (left, right) = (Set(left), Set(right))
    return Double(left.intersection(right).count) / Double(max(1, left.union(right).count))
  }
}

/// Captions that often are equal or near.
enum MadeCaptions {
  private static let words = (0..<200).map { "word\($0)" } + ["Hund", "犬", "🐶", "été", "Straße"]

  /// Few different ones, of all lengths.
  static func caption(_ random: inout RandomStream) -> String {
    var seed = RandomStream(seed: 7, path: UInt64(random.integer(below: 60)))
    var parts = (0..<seed.integer(below: 14)).map { _ in words[seed.integer(below: words.count)] }
    if random.integer(below: 3) == 0, !parts.isEmpty {
      parts[random.integer(below: parts.count)] = words[random.integer(below: words.count)]
    }
    let caption = parts.joined(separator: " ")
    return random.integer(below: 4) == 0 ? caption.uppercased() + "." : caption
  }
}
