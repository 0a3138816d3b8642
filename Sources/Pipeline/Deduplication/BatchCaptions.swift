import CaptionMatching
import PipelineCore

/// What the captions of a batch are held against: those that were kept before, in the index and in the
/// batch itself.
struct BatchCaptions {
  private let rules: DuplicateRules
  /// What is kept of the batch, for the index; nil where captions do not count.
  let found: CaptionBatch?
  /// A caption that says nothing is nobody's duplicate.
  private static let empty = NormalizedCaption.key(of: "")

  /// Looks all captions of a batch up at once.
  init(_ pairs: [JudgedPair], _ rules: DuplicateRules, _ index: CaptionIndex?, threads: Int) {
    self.rules = rules
    found = index?.batch(of: pairs.map(\.caption), threads: threads)
  }

  /// Why the caption of the pair at `place` drops it; nil where it does not.
  func drop(_ place: Int) -> Drop? {
    guard let found, found.key(at: place) != Self.empty else { return nil }
    let known = found.history(at: place)
    if let limit = rules.captionLimit {
      if known.count >= limit { return Drop(.captionLimit, survivor: known.first) }
      // One that is kept already was near to nothing when it was, and what came after it was not near it:
      // another of it only counts.
      if known.count > 0 { return nil }
    }
    guard let near = known.near else { return nil }
    let similarity = (near.similarity * 100).rounded() / 100
    return Drop(.duplicateCaption, detail: "similarity \(similarity)", survivor: near.row)
  }

  /// Says that the pair at `place` is kept, as `row`.
  func keep(_ place: Int, row: Int) {
    guard let found, found.key(at: place) != Self.empty else { return }
    found.keep(place, row: row)
  }
}
