import PerceptualHash
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
  private let near: [[PictureMatch]]
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
  ///   - threads: Cores to use.
  init(
    _ index: PictureIndex, name: String?, order: Int, for entries: [PictureEntry], radius: Int?,
    threads: Int
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
    let searched = entries.indices.filter { digests[$0] == nil && entries[$0].signature != nil }
    let keys = searched.compactMap { entries[$0].signature?.key }
    var near = [[PictureMatch]](repeating: [], count: entries.count)
    for (place, matches) in zip(
      searched, index.matches(of: keys, radius: radius, threads: threads))
    {
      near[place] = matches
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

  /// What picture `place` of the batch, which is `entry`, looks like, among the entries that count.
  func alike(
    _ place: Int, _ entry: PictureEntry, radius: Int,
    isCandidate: (PictureEntry) -> Bool = { _ in true }
  ) -> Likeness? {
    guard !near.isEmpty, let signature = entry.signature else { return nil }
    var best: Likeness?
    for found in near[place] {
      let other = index.entry(at: found.position)
      guard isCandidate(other), let theirs = other.signature,
        let difference = signature.differenceIfSame(as: theirs, radius: radius)
      else { continue }
      best = Likeness.better(
        best,
        Likeness(
          row: name == nil ? other.row : nil,
          match: match(other, distance: found.distance, difference: difference),
          reason: .duplicatePicture, rank: (difference, order, other.row)))
    }
    return best
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
