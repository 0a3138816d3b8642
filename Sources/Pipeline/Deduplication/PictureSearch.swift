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
    digests = entries.map { $0.digest == nil ? nil : found.popFirst() ?? nil }
    guard let radius else {
      near = []
      return
    }
    let keys = entries.compactMap { $0.signature?.key }
    var matches = index.matches(of: keys, radius: radius, threads: threads)[...]
    near = entries.map { $0.signature == nil ? [] : matches.popFirst() ?? [] }
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
    for found in near[place] where isCandidate(found.entry) {
      guard let other = found.entry.signature,
        signature.isSamePicture(as: other, radius: radius)
      else { continue }
      let difference = signature.difference(from: other)
      best = Likeness.better(
        best,
        Likeness(
          row: name == nil ? found.entry.row : nil,
          match: match(found.entry, distance: found.distance, difference: difference),
          reason: .duplicatePicture, rank: (difference, order, found.entry.row)))
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
