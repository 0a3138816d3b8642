import CaptionMatching
import Deduplication
import PipelineCore

/// Pictures that look the same, with the captions under which they stand.
struct PictureGroups {
  private var leaders: [Int: Int] = [:]
  private var captions: [Int: Set<String>] = [:]

  /// Adds pairs with what a judge has said of them.
  mutating func add(_ pairs: [JudgedPair], _ verdicts: [Verdict]) {
    for (pair, verdict) in zip(pairs, verdicts) {
      // A retry asks for a row once more: it stays where it was.
      let leader = verdict.drop?.survivor ?? pair.row
      leaders[pair.row] = leader
      let text = NormalizedCaption.text(of: pair.caption)
      if !text.isEmpty { captions[leader, default: []].insert(text) }
    }
  }

  /// The rows of groups with at least `least` captions, and how many each has.
  func rows(underAtLeast least: Int) -> [Int: Int] {
    leaders.compactMapValues { leader in
      let count = captions[leader]?.count ?? 0
      return count >= least ? count : nil
    }
  }
}
