/// What a run has told so far, in a bounded room: for panel and report.
package struct TrainingHistory: Sendable {
  package init() {}

  /// By the names of ``TrainingLine``.
  package private(set) var curves: [String: ThinnedCurve] = [:]
  /// By the names of figures.
  package private(set) var evaluations: [String: ThinnedCurve] = [:]
  /// The best of each figure.
  package private(set) var best: [String: (step: Int, value: Double)] = [:]
  /// Sums of shares over the lines that had them.
  private var shareSums: [String: Double] = [:]
  private var shareCount = 0
  package private(set) var lastStep = 0
  /// The last line of steps, and the last of an evaluation.
  private(set) var line: TrainingLine?
  private(set) var evaluation: TrainingLine?

  /// Adds the next line.
  package mutating func add(_ new: TrainingLine) {
    lastStep = max(lastStep, new.step)
    guard new.evaluation.isEmpty else {
      evaluation = new
      for (name, value) in new.evaluation {
        evaluations[name, default: ThinnedCurve()].add(step: new.step, value)
        let isBetter = best[name].map {
          Self.isBetter(name, value, than: $0.value)
        }
        if value.isFinite, isBetter ?? true { best[name] = (new.step, value) }
      }
      return
    }
    line = new
    for (name, value) in new.values {
      curves[name, default: ThinnedCurve()].add(step: new.step, value)
    }
    guard !new.shares.isEmpty else { return }
    shareCount += 1
    for (name, value) in new.shares { shareSums[name, default: 0] += value }
  }

  /// Takes note of steps that no line told of.
  mutating func advance(to step: Int) { lastStep = max(lastStep, step) }

  /// The mean share of each kind of work, in the order of a step.
  package var shares: [(name: String, share: Double)] {
    Self.ordered(shareSums.mapValues { $0 / Double(max(1, shareCount)) })
  }

  /// Shares in the order of a step, those of unknown kinds last.
  static func ordered(_ shares: [String: Double]) -> [(name: String, share: Double)] {
    let order = [
      "data", "forward", "backward", "communication", "optimizer", "checkpoint", "evaluation",
      "other",
    ]
    return shares.sorted {
      (order.firstIndex(of: $0.key) ?? order.count, $0.key)
        < (order.firstIndex(of: $1.key) ?? order.count, $1.key)
    }.map { ($0.key, $0.value) }
  }

  /// Ranks are better when they are lower, all else when it is higher.
  static func isBetter(_ name: String, _ value: Double, than other: Double) -> Bool {
    name.hasSuffix("_rank") ? value < other : value > other
  }

  /// The figures that say most: the first recalls and the first places.
  package var mainFigures: [String] {
    let names = evaluations.keys.sorted()
    let main = names.filter { $0.hasSuffix("r_at_1") || $0.hasSuffix("top_1") }
    return main.isEmpty ? names : main
  }

  /// A figure in words: recalls and shares in percent, ranks as they are.
  static func words(_ name: String, _ value: Double) -> String {
    if name.hasSuffix("_rank") { return Markup.decimal(value, 1) }
    return name.hasSuffix("auc")
      ? Markup.decimal(value, 4) : Markup.decimal(value * 100, 2) + " %"
  }
}
