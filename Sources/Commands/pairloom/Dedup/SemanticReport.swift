import EmbeddingFiles
import PipelineCore
import SemanticDeduplication

/// The report.html of `pairloom dedup --semantic`.
struct SemanticReport {
  let outcome: SemanticOutcome
  let review: SemanticReview
  let rules: SemanticRules

  func write(to path: String) throws {
    let gone = outcome.read - outcome.kept
    var input = RunReport.Input()
    input.title = "Semantic duplicates"
    input.summary =
      "\(outcome.read) pairs were judged by their embeddings; of those that mean the same one stays. Look at the "
      + "groups and at the pairs near the threshold: do those that go say nothing new, and those that stay?"
    input.headlines = [
      ("pairs kept", Markup.grouped(outcome.kept)), ("dropped", Markup.grouped(gone)),
      ("of all pairs", Markup.decimal(100 * Double(gone) / Double(max(1, outcome.read)), 1) + " %"),
      ("saved", ByteCount.words(outcome.bytesDropped)),
    ]
    if outcome.audit.near > 0 {
      input.headlines.append(
        ("of near pairs found", Markup.decimal(100 * outcome.audit.recall, 1) + " %"))
    }
    input.funnel = [("pairs", outcome.read), ("kept", outcome.kept)]
    let threshold = Markup.decimal(Double(rules.threshold), 4)
    input.scores = ReportScores(
      values: review.cosines,
      note:
        "Of every dropped pair: its cosine with the nearest in front of it in its cluster. All are above "
        + "the threshold, \(threshold); where most lie just above it, a little more or less decides much."
    )
    (input.scores.title, input.scores.axis) = ("Cosines of what was dropped", "cosine")
    input.tables = [facts(threshold: threshold)]
    input.duplicates = duplicates(threshold: threshold)
    input.footer =
      "Every row, its cluster and what stays in its stead: \(SemanticTable.name)."
    try RunReport(input).write(to: path)
  }

  private func facts(threshold: String) -> ReportTable {
    let audit = outcome.audit
    var rows = [
      ["rows of the embeddings", Markup.grouped(outcome.rows)],
      ["duplicates among them", Markup.grouped(outcome.duplicates)],
      ["clusters", Markup.grouped(outcome.clusters)],
      ["compared by", rules.tower.rawValue], ["threshold of the cosine", threshold],
      ["what stays of several", rules.keep.rawValue],
    ]
    if audit.rows > 0 {
      rows += [
        ["audit: rows held against all others", Markup.grouped(audit.rows)],
        ["audit: their near pairs", Markup.grouped(audit.near)],
        ["audit: of these within one cluster, and so seen", Markup.grouped(audit.found)],
      ]
    }
    return ReportTable(
      title: "How it was judged",
      note: "Near pairs that lie in different clusters are not seen; the audit tells how many.",
      columns: ["what", ""], rows: rows)
  }

  private func duplicates(threshold: String) -> ReportDuplicates {
    var duplicates = ReportDuplicates(
      groups: review.groups.map { group in
        ReportDuplicates.Group(
          title: Self.name(group.survivor), dropped: group.dropped,
          survivor: Self.card(group.survivor, label: "kept: row \(group.survivor.row)"),
          members: group.members.map { member in
            Self.card(
              member, label: "row \(member.row)", note: "cosine \(Self.cosine(member.cosine))")
          })
      },
      below: review.below.map(Self.pairing), above: review.above.map(Self.pairing),
      rule: "A pair goes where its cosine with one in front of it is above \(threshold).")
    duplicates.groupsNote +=
      " One that was dropped for another that goes itself may be less like what stays than the threshold."
    duplicates.belowNote =
      " These are the dropped ones with the lowest cosines, beside what they go for."
    duplicates.aboveNote = "These are the kept ones of one cluster that are nearest to each other."
    return duplicates
  }

  private static func pairing(_ doubt: SemanticReview.Doubt) -> ReportDuplicates.Pairing {
    ReportDuplicates.Pairing(
      first: card(doubt.first, label: "row \(doubt.first.row)"),
      second: card(doubt.second, label: "row \(doubt.second.row)"),
      note: "cosine \(cosine(doubt.cosine))")
  }

  private static func card(
    _ sample: SemanticReview.Sample, label: String, note: String = ""
  ) -> ReportDuplicates.Card {
    ReportDuplicates.Card(
      image: sample.picture, label: label, note: note, caption: sample.caption)
  }

  private static func name(_ sample: SemanticReview.Sample) -> String {
    OneLine.text(sample.key.isEmpty ? "row \(sample.row)" : sample.key, longest: 60)
  }

  private static func cosine(_ value: Float) -> String { Markup.decimal(Double(value), 4) }
}
