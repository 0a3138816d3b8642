/// An earlier row whose caption is near.
public struct NearCaption: Sendable, Equatable {
  public var row: Int
  /// The Jaccard similarity of the captions' parts (see ``CaptionShingles``); of equal captions 1.
  public var similarity: Double

  public init(row: Int, similarity: Double) {
    self.row = row
    self.similarity = similarity
  }
}

/// What is known of a caption from the rows kept before.
public struct CaptionHistory: Sendable, Equatable {
  /// Kept rows with the same normalised caption.
  public var count: Int
  /// The first of them.
  public var first: Int?
  /// The earliest kept row whose caption is near; nil where near captions are not asked for.
  public var near: NearCaption?

  public init(count: Int, first: Int?, near: NearCaption?) {
    self.count = count
    self.first = first
    self.near = near
  }
}

/// The segments of an index as they were when a batch began, for any number of threads.
struct CaptionLookup: Sendable {
  let segments: [CaptionSegment]
  let bands: SimilarityBands?
  /// The captions of each band that are looked at.
  let mostHolders: Int

  /// What an index knows of a caption, and what it has looked at for that.
  struct Found: Sendable {
    var history: CaptionHistory
    /// How many captions of each band were looked at; none where near captions are not asked for.
    var holders: [Int]
    /// Captions whose parts were compared.
    var comparisons: Int
  }

  func find(_ caption: CaptionFingerprint) -> Found {
    let (count, first) = occurrences(of: caption.key)
    let (near, holders, comparisons) = nearest(to: caption)
    return Found(
      history: CaptionHistory(count: count, first: first, near: near), holders: holders,
      comparisons: comparisons)
  }

  func occurrences(of key: CaptionKey) -> (count: Int, first: Int?) {
    var (count, first) = (0, Int?.none)
    for segment in segments {
      guard let found = segment.occurrences(of: key) else { continue }
      count += found.count
      first = first.map { min($0, found.first) } ?? found.first
    }
    return (count, first)
  }

  private struct Candidate: Comparable {
    var row: Int
    var segment: Int
    var place: Int

    static func < (left: Candidate, right: Candidate) -> Bool {
      (left.row, left.segment, left.place) < (right.row, right.segment, right.place)
    }
  }

  /// The earliest row among the first holders of each band that is as similar as asked for, by the true
  /// similarity.
  func nearest(
    to caption: CaptionFingerprint
  ) -> (near: NearCaption?, holders: [Int], comparisons: Int) {
    guard let bands else { return (nil, [], 0) }
    var candidates: [Candidate] = []
    var holders = [Int](repeating: 0, count: caption.bands.count)
    // Segments and their places are in the order in which captions were kept, however they were merged.
    for (index, segment) in segments.enumerated() {
      segment.forEachCandidate(bands: caption.bands, seen: &holders, most: mostHolders) {
        place, row, shingles in
        guard bands.isWithinReach(caption.shingles.count, shingles) else { return }
        candidates.append(Candidate(row: row, segment: index, place: place))
      }
    }
    candidates.sort()
    var last: Candidate?
    var comparisons = 0
    for candidate in candidates where candidate != last {
      last = candidate
      comparisons += 1
      let shingles = segments[candidate.segment].shingles(candidate.place)
      if let similarity = bands.similarity(caption.shingles, shingles) {
        return (NearCaption(row: candidate.row, similarity: similarity), holders, comparisons)
      }
    }
    return (nil, holders, comparisons)
  }
}
