import PictureIndex
import PipelineCore

extension DuplicateJudge {
  /// What the indexes hold that may be like the pictures of a slice.
  struct Searches {
    let judge: DuplicateJudge
    /// As they are looked for among the run's own.
    let entries: [PictureEntry]
    private let pictures: [PictureEntry]
    private let own: PictureSearch?
    private let others: [PictureSearch]
    private let sets: [(set: OpenEvaluationSet, search: PictureSearch)]

    init(_ pairs: [JudgedPair], _ judge: DuplicateJudge) throws {
      self.judge = judge
      let rules = judge.rules
      let radius = rules.kind == .near ? rules.radius : nil
      pictures = pairs.map(\.entry)
      entries = rules.scope == .pair ? pairs.map(\.entryWithCaption) : pictures
      let (entries, pictures) = (entries, pictures)
      own =
        rules.comparesPictures
        ? PictureSearch(
          judge.kept.searched, name: nil, order: .max, for: entries, radius: radius,
          // With scope pair the entries are named by their captions.
          sameUID: rules.scope == .pair, threads: judge.threads) : nil
      others = judge.references.against.enumerated().map { order, other in
        PictureSearch(
          other.index, name: other.name, order: order, for: pictures, radius: radius,
          threads: judge.threads)
      }
      sets = try judge.references.evaluation.map { set in
        var search = PictureSearch(
          set.index, name: set.name, order: 0, for: pictures, radius: rules.radius,
          threads: judge.threads)
        search.uid = try set.names()
        return (set, search)
      }
    }

    func verdict(
      _ place: Int, _ pair: JudgedPair, _ batch: BatchPictures, caption: () -> Drop?
    ) -> (Drop?, DuplicateMatch?) {
      if let match = evaluation(place) { return (Drop(.evaluationSet), match) }
      if let words = judge.placeholders[pair.row] {
        return (Drop(.placeholder, detail: words), nil)
      }
      if let found = picture(place, pair, batch) {
        return (Drop(found.reason, survivor: found.row), found.match == .init() ? nil : found.match)
      }
      if let drop = caption() { return (drop, nil) }
      return judge.standing[pair.row].map { ($0.drop, $0.match) } ?? (nil, nil)
    }

    private func evaluation(_ place: Int) -> DuplicateMatch? {
      for (set, search) in sets {
        let radius = judge.rules.radius
        let found = search.equal(place) ?? search.alike(place)
        if let match = found?.match ?? set.bareMatch(pictures[place], radius: radius) {
          return match
        }
      }
      return nil
    }

    private func picture(
      _ place: Int, _ pair: JudgedPair, _ batch: BatchPictures
    ) -> Likeness? {
      guard let own else { return nil }
      let entry = entries[place]
      for search in others { if let found = search.equal(place) { return found } }
      if let found = own.equal(place) { return found }
      // Before what the batch itself has: it was kept before.
      if let row = judge.taken(pair.sha256), pair.digest != nil {
        return Likeness(
          row: row, match: DuplicateMatch(), reason: .duplicateBytes, rank: (0, 0, row))
      }
      if let found = batch.equal(entry) { return found }
      guard judge.rules.kind == .near else { return nil }
      let radius = judge.rules.radius
      var best = batch.alike(entry, radius: radius, sameUID: judge.rules.scope == .pair)
      best = Likeness.better(own.alike(place), best)
      for search in others { best = Likeness.better(search.alike(place), best) }
      return best
    }
  }
}
