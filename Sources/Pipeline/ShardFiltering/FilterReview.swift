import FilterPlans
import PipelineCore

/// What a person looks at to judge a filter: the scores, and samples of what went and what stayed.
public struct FilterReview: Sendable {
  public struct Sample: Sendable {
    public var row: Int
    public var caption: String
    public var score: Double?
    /// A small JPEG, where there is one.
    public var picture: [UInt8]?
  }

  /// What one rule dropped.
  public struct Dropped: Sendable {
    public var rule: String
    public var count: Int
    public var samples: [Sample]
  }

  /// The column whose scores are shown; nil where the plan sets no bound to one.
  public var column: String?
  /// Of all pairs that have one; of more than a million every so manieth.
  public var scores: [Float] = []
  public var threshold: Double?
  /// Kept ones with the lowest scores, and those that the rule on the score dropped with the greatest.
  public var above: [Sample] = []
  public var below: [Sample] = []
  /// For each other rule some that it dropped.
  public var dropped: [Dropped] = []

  /// Samples on either side of the threshold, and of each other rule.
  private static let (mostNear, mostOfRule, mostScores) = (24, 12, 1_000_000)

  /// Chooses among all pairs, in one pass; the choice does not hang on their order.
  init(_ plan: FilterPlan, _ outcome: FilterOutcome, _ rows: any FilterRows) throws {
    let columns = rows.columns
    column = plan.scoreColumn(among: columns)
    let caption = ColumnChoice.captionNames.first { columns.contains($0) }
    var scoreYield: Int?
    if let index = plan.scoreRule {
      scoreYield = outcome.yields.firstIndex { $0.name == plan.rules[index].name }
      threshold = scoreYield.flatMap { outcome.yields[$0].threshold }
      if case .compare(_, .min(let least)) = plan.rules[index].test { threshold = least }
    }
    if column == nil || scoreYield == nil { (column, scoreYield, threshold) = (nil, nil, nil) }
    var nearest = Nearest(most: Self.mostNear)
    var nearestBelow = Nearest(most: Self.mostNear)
    var others = outcome.yields.map { _ in Nearest(most: Self.mostOfRule) }
    let stride = max(1, outcome.pairs / Self.mostScores)
    var row = 0
    try rows.forEachBatch(columns: Set([column, caption].compactMap { $0 })) { batch in
      let scored = column.flatMap { batch.columns[$0] }
      let captions = caption.flatMap { batch.columns[$0] }
      for index in 0..<batch.count {
        defer { row += 1 }
        let score = scored?.value(at: index)
        if let score, row % stride == 0 { scores.append(Float(score)) }
        let uid = batch.uids[index]
        func sample() -> Sample {
          Sample(row: row, caption: captions?.words(at: index) ?? "", score: score)
        }
        switch outcome.dropping(row) {
        case nil:
          if let score { nearest.offer(score, uid, sample) }
        case let rule? where rule == scoreYield:
          nearestBelow.offer(score.map { -$0 } ?? .infinity, uid, sample)
        case let rule?: others[rule].offer(0, uid, sample)
        }
      }
    }
    above = nearest.samples
    below = nearestBelow.samples
    var before = outcome.pairs
    for (index, yield) in outcome.yields.enumerated() {
      let count = before - yield.remaining
      before = yield.remaining
      if count > 0 {
        dropped.append(
          Dropped(
            rule: yield.name, count: count,
            samples: index == scoreYield ? [] : others[index].samples))
      }
    }
  }

  /// The rows of all samples.
  var rows: Set<Int> {
    Set((above + below + dropped.flatMap(\.samples)).map(\.row))
  }

  /// Gives the samples their pictures.
  mutating func illustrate(_ pictures: [Int: [UInt8]]) {
    func illustrated(_ samples: [Sample]) -> [Sample] {
      samples.map { sample in
        var sample = sample
        sample.picture = pictures[sample.row]
        return sample
      }
    }
    above = illustrated(above)
    below = illustrated(below)
    for index in dropped.indices { dropped[index].samples = illustrated(dropped[index].samples) }
  }

  /// The samples of the lowest distance; of equal ones those of lower uids.
  private struct Nearest {
    let most: Int
    private var kept: [(distance: Double, uid: PairUID, sample: Sample)] = []

    init(most: Int) { self.most = most }

    var samples: [Sample] { kept.map(\.sample) }

    mutating func offer(_ distance: Double, _ uid: PairUID, _ sample: () -> Sample) {
      if kept.count == most, let last = kept.last, (last.distance, last.uid) <= (distance, uid) {
        return
      }
      let place =
        kept.firstIndex { (distance, uid) < ($0.distance, $0.uid) } ?? kept.count
      kept.insert((distance, uid, sample()), at: place)
      if kept.count > most { kept.removeLast() }
    }
  }
}
