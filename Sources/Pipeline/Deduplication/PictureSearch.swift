import PictureIndex
import PipelineCore

/// The best of several pictures that one may be a copy of: the least difference, then the earliest.
struct Likeness {
  var row: Int?
  var match: DuplicateMatch
  var reason: DropReason
  /// Smaller is better.
  var rank: (difference: Int, source: Int, row: Int)

  static func better(_ a: Likeness?, _ b: Likeness?) -> Likeness? {
    guard let a, let b else { return a ?? b }
    return b.rank < a.rank ? b : a
  }
}

/// One index in which the pictures of a batch are looked for.
struct PictureSearch {
  let index: PictureIndex
  /// Nil for the run's own.
  let name: String?
  /// Among the searched; the first wins between equals.
  let order: Int
  private let digests: [PictureEntry?]
  private let near: [BestLikes.Found?]
  /// How the entry's uid is called, where it is no pair's.
  var uid: @Sendable (PictureEntry) -> String? = { $0.uid.hex }

  /// Looks for all pictures of a batch at once.
  ///
  /// - Parameters:
  ///   - index: Where.
  ///   - name: Of the index, for whoever reads the verdict; nil for the run's own.
  ///   - order: Of the index among others.
  ///   - entries: The pictures.
  ///   - radius: Bits of the key that may differ; nil where equal bytes alone count.
  ///   - sameUID: Whether only entries of the same uid are alike.
  ///   - threads: Cores to use.
  init(
    _ index: PictureIndex, name: String?, order: Int, for entries: [PictureEntry], radius: Int?,
    sameUID: Bool = false, threads: Int
  ) {
    self.index = index
    self.name = name
    self.order = order
    let known = entries.compactMap(\.digest)
    var found = index.entries(withDigests: known)[...]
    let digests = entries.map { $0.digest == nil ? nil : found.popFirst() ?? nil }
    self.digests = digests
    guard let radius else {
      near = []
      return
    }
    // Nobody asks for the likes of a picture whose bytes are known.
    let searched = entries.indices.filter { digests[$0] == nil }
    let likes = BestLikes(index: index, radius: radius, threads: threads, sameUID: sameUID)
    var near = [BestLikes.Found?](repeating: nil, count: entries.count)
    for (place, found) in zip(searched, likes.best(of: searched.map { entries[$0] })) {
      near[place] = found
    }
    self.near = near
  }

  /// What picture `place` of the batch has the bytes of.
  func equal(_ place: Int) -> Likeness? {
    digests[place].map { entry in
      Likeness(
        row: name == nil ? entry.row : nil, match: match(entry), reason: .duplicateBytes,
        rank: (0, order, entry.row))
    }
  }

  /// What picture `place` of the batch looks like most.
  func alike(_ place: Int) -> Likeness? {
    guard !near.isEmpty, let found = near[place] else { return nil }
    let row = found.entry.row
    return Likeness(
      row: name == nil ? row : nil,
      match: match(found.entry, distance: found.distance, difference: found.difference),
      reason: .duplicatePicture, rank: (found.difference, order, row))
  }

  private func match(
    _ entry: PictureEntry, distance: Int? = nil, difference: Int? = nil
  ) -> DuplicateMatch {
    // A row of this run says more than its uid.
    DuplicateMatch(
      uid: name == nil ? nil : uid(entry), source: name, distance: distance,
      difference: difference)
  }
}
