internal import WorkerThreads

/// Captions that are judged one after the other, each against what was kept before it: in the index, and
/// in this batch.
///
/// Made by ``CaptionIndex/batch(of:threads:)``, which has looked everything up already; what happens
/// here is in memory and on one thread.
public final class CaptionBatch {
  struct Kept {
    var caption: CaptionFingerprint
    var row: Int
    /// Whether no kept row had the caption before.
    var isNew: Bool
  }

  private let captions: [CaptionFingerprint]
  private let stored: [CaptionLookup.Found]
  private let bands: SimilarityBands?
  private let mostHolders: Int
  /// Pairs of captions whose parts have been compared so far.
  package private(set) var comparisons: Int
  private(set) var kept: [Kept] = []
  private var occurrences: [CaptionKey: (count: Int, first: Int)] = [:]
  /// Places in `kept` by band and hash.
  private var buckets: [UInt64: [Int]] = [:]

  init(_ captions: [String], lookup: CaptionLookup, threads: Int) {
    bands = lookup.bands
    mostHolders = lookup.mostHolders
    let prepared = Parallel.map(captions.count, threads: threads) {
      let caption = CaptionFingerprint(of: captions[$0], bands: lookup.bands)
      return (caption, lookup.find(caption))
    }
    self.captions = prepared.map(\.0)
    stored = prepared.map(\.1)
    comparisons = prepared.reduce(0) { $0 + $1.1.comparisons }
  }

  /// What a caption is counted by.
  public func key(at place: Int) -> CaptionKey { captions[place].key }

  /// What is known of a caption from the rows kept so far.
  public func history(at place: Int) -> CaptionHistory {
    let caption = captions[place]
    var history = stored[place].history
    if let found = occurrences[caption.key] {
      history.count += found.count
      history.first = history.first.map { min($0, found.first) } ?? found.first
    }
    if let near = nearest(to: caption, holders: stored[place].holders),
      near.row < history.near?.row ?? .max
    {
      history.near = near
    }
    return history
  }

  /// Says that a row with the caption at `place` is kept.
  public func keep(_ place: Int, row: Int) {
    let caption = captions[place]
    let isNew = stored[place].history.count == 0 && occurrences[caption.key] == nil
    let found = occurrences[caption.key] ?? (0, row)
    occurrences[caption.key] = (found.count + 1, min(found.first, row))
    if isNew {
      for (band, hash) in caption.bands.enumerated() {
        let bucket = Self.bucket(band, hash)
        // Nobody looks at more.
        guard buckets[bucket]?.count ?? 0 < mostHolders else { continue }
        buckets[bucket, default: []].append(kept.count)
      }
    }
    kept.append(Kept(caption: caption, row: row, isNew: isNew))
  }

  private static func bucket(_ band: Int, _ hash: UInt32) -> UInt64 {
    UInt64(band) << 32 | UInt64(hash)
  }

  /// - Parameters:
  ///   - caption: What is looked for.
  ///   - holders: How many of each band the index has: they come first.
  /// - Returns: The earliest that is near among those that count.
  private func nearest(to caption: CaptionFingerprint, holders: [Int]) -> NearCaption? {
    guard let bands, !buckets.isEmpty else { return nil }
    var candidates: Set<Int> = []
    for (band, hash) in caption.bands.enumerated() {
      let found = buckets[Self.bucket(band, hash)] ?? []
      candidates.formUnion(found.prefix(mostHolders - holders[band]))
    }
    for place in candidates.sorted(by: { kept[$0].row < kept[$1].row }) {
      comparisons += 1
      if let similarity = bands.similarity(caption.shingles, kept[place].caption.shingles) {
        return NearCaption(row: kept[place].row, similarity: similarity)
      }
    }
    return nil
  }
}
