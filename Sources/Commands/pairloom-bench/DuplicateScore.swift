/// What a search within a radius, with its check, finds of the true pairs.
struct DuplicateScore {
  /// Of original and copy by what was done to the copy.
  struct Kind {
    var kind: String
    var candidates: Double
    var found: Double
  }

  let truePairs: Int
  let candidateRecall: Double
  let candidatePrecision: Double
  let recall: Double
  let precision: Double
  /// The pairs of different pictures that are taken for one, of the target's kinds and of all.
  let wrong: Int
  let wrongOfAllKinds: Int
  let lookalikes: Int
  let natural: Int
  let kinds: [Kind]

  init(_ pairs: [LabelledPair], _ pictures: [LabelledPicture], radius: Int, difference: Int) {
    let target = pairs.filter { pictures[$0.first].isTarget && pictures[$0.second].isTarget }
    func count(_ pairs: [LabelledPair], _ truth: LabelledPair.Truth, isChecked: Bool) -> Int {
      pairs.count {
        $0.truth == truth
          && (isChecked ? $0.isFound(radius, difference) : $0.isCandidate(radius))
      }
    }
    func share(_ part: Int, of whole: Int) -> Double {
      whole == 0 ? .nan : Double(part) / Double(whole)
    }
    truePairs = target.count { $0.truth == .same }
    let candidates = count(target, .same, isChecked: false)
    let found = count(target, .same, isChecked: true)
    wrong = count(target, .different, isChecked: true)
    candidateRecall = share(candidates, of: truePairs)
    candidatePrecision = share(
      candidates, of: candidates + count(target, .different, isChecked: false))
    recall = share(found, of: truePairs)
    precision = share(found, of: found + wrong)
    wrongOfAllKinds = count(pairs, .different, isChecked: true)
    lookalikes = count(pairs, .lookalike, isChecked: true)
    natural = count(pairs, .natural, isChecked: true)
    let copies = Dictionary(
      grouping: pairs.filter { $0.truth == .same && pictures[$0.first].kind == "original" }
    ) { pictures[$0.second].kind }
    kinds = copies.sorted { $0.key < $1.key }.map { kind, pairs in
      Kind(
        kind: kind,
        candidates: share(count(pairs, .same, isChecked: false), of: pairs.count),
        found: share(count(pairs, .same, isChecked: true), of: pairs.count))
    }
  }
}
