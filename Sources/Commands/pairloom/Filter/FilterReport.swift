import ShardFiltering

/// The report.html of `pairloom filter`.
struct FilterReport {
  private let outcome: ShardFilterOutcome
  private let review: FilterReview

  init(_ outcome: ShardFilterOutcome, _ review: FilterReview) {
    self.outcome = outcome
    self.review = review
  }

  func write(to path: String) throws {
    var input = RunReport.Input()
    input.title = "Filter"
    input.summary =
      "\(outcome.read) pairs were judged by \(outcome.rules.count) rules. Look at the samples about the "
      + "threshold: does what goes deserve it, and what stays?"
    input.headlines = [
      ("pairs kept", Markup.grouped(outcome.kept)),
      ("dropped", Markup.grouped(outcome.read - outcome.kept)),
      ("of all pairs kept", FilterLines.share(outcome.kept, of: outcome.read)),
    ]
    input.funnel =
      [("pairs", outcome.read)] + outcome.rules.map { ($0.name, $0.remaining) }
    input.failures = review.dropped.map { ($0.rule, $0.count) }
    add(to: &input)
    input.footer = "Every pair's fate: filter.parquet."
    try RunReport(input).write(to: path)
  }

  /// Adds the scores, what each rule takes, and samples.
  ///
  /// - Parameters:
  ///   - input: What the page tells.
  ///   - stage: Begins the titles of samples, on a page that has others.
  func add(to input: inout RunReport.Input, stage: String? = nil) {
    if let column = review.column {
      input.scores = ReportScores(
        values: review.scores, threshold: review.threshold.map { Float($0) },
        note: "\(column) of all pairs that have one, whatever the other rules say.")
    }
    input.tables += [rules, others]
    func title(_ words: String) -> String {
      stage.map { "\($0): \(words.prefix(1).lowercased())\(words.dropFirst())" } ?? words
    }
    input.sheets +=
      [
        sheet(
          title("Dropped, just below the threshold"), review.below,
          note: "What the rule on the score dropped, the greatest scores first."),
        sheet(
          title("Kept, just above the threshold"), review.above,
          note: "What is kept, the lowest scores first."),
      ]
      + review.dropped.filter { !$0.samples.isEmpty }.map { dropped in
        sheet(
          title("Dropped: \(dropped.rule)"), dropped.samples,
          note: "\(Markup.grouped(dropped.count)) pairs; some of them, without choice.")
      }
  }

  private var rules: ReportTable {
    ReportTable(
      title: "Rules",
      note:
        "Alone: what passes this rule, were it the only one. Pairs without a value do not pass.",
      columns: ["rule", "alone", "kept so far", "of all", "no value", "from"],
      rows: outcome.rules.map { rule in
        [
          rule.name, Markup.grouped(rule.alone), Markup.grouped(rule.remaining),
          // A narrow page breaks no figure off its sign.
          FilterLines.share(rule.remaining, of: outcome.read).replacing(" ", with: "\u{202F}"),
          Markup.grouped(rule.unknown),
          rule.threshold.map(FilterLines.short) ?? "",
        ]
      })
  }

  private var others: ReportTable {
    ReportTable(
      title: "Not applied, or otherwise", columns: ["rule", "why"],
      rows: outcome.skipped.map { [$0.rule, $0.why] }
        + outcome.notApplied.map { [$0, "nothing here can tell"] }
        + outcome.notes.map { [$0, "differs from the plan's model"] })
  }

  private func sheet(
    _ title: String, _ samples: [FilterReview.Sample], note: String
  ) -> ReportSheet {
    var sheet = ReportSheet(
      title: title, note: note,
      cards: samples.map { sample in
        ReportSheet.Card(
          image: sample.picture, caption: OneLine.text(sample.caption, longest: 120),
          score: sample.score.map { Float($0) })
      })
    sheet.isSmooth = true
    return sheet
  }
}
