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

  func history(of caption: CaptionFingerprint) -> CaptionHistory {
    let (count, first) = occurrences(of: caption.key)
    return CaptionHistory(count: count, first: first, near: nearest(to: caption))
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

  /// The earliest row that shares a band and is as similar as asked for, by the true similarity.
  func nearest(to caption: CaptionFingerprint) -> NearCaption? {
    guard let bands else { return nil }
    var candidates: [Candidate] = []
    for (index, segment) in segments.enumerated() {
      segment.forEachCandidate(bands: caption.bands) { place, row, shingles in
        guard bands.isWithinReach(caption.shingles.count, shingles) else { return }
        candidates.append(Candidate(row: row, segment: index, place: place))
      }
    }
    candidates.sort()
    var last: Candidate?
    for candidate in candidates where candidate != last {
      last = candidate
      let shingles = segments[candidate.segment].shingles(candidate.place)
      if let similarity = bands.similarity(caption.shingles, shingles) {
        return NearCaption(row: candidate.row, similarity: similarity)
      }
    }
    return nil
  }
}
