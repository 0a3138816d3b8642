import Deduplication
import DurableFiles
import PerceptualHash
import PipelineCore
import ShardDeduplication

/// The report.html of `pairloom dedup`.
struct DedupReport {
  var title = "Duplicates"
  var read: Int
  var kept: Int
  /// Of what was dropped; nil where nobody has counted.
  var bytesDropped: Int?
  var dropped: [String: Int]
  var review: DuplicateReview
  /// What groups are called, by ``SampleChoice/group(_:)``.
  var names: [String: String] = [:]
  var rules: DuplicateRules
  var footer: String

}

extension DedupReport {
  /// Of new shards in `folder`.
  init(_ outcome: ShardDeduplicationOutcome, folder: String, rules: DuplicateRules) throws {
    var sizes: [String: Int] = [:]
    for group in outcome.groups {
      let name = group.row.map { "row \($0)" } ?? "\(group.place) \(group.key)"
      sizes[name] = group.dropped
      names[name] = group.row == nil ? name : "\(group.key) of \(group.place)"
    }
    read = outcome.read
    kept = outcome.kept
    bytesDropped = outcome.bytesDropped
    dropped = outcome.dropped
    review = try DuplicateReview.read(of: folder, sizes: sizes)
    self.rules = rules
    footer =
      "Every pair's fate: duplicates.parquet. An index of what is kept: pictures.index."
  }

  func write(to path: String) throws {
    var input = RunReport.Input()
    input.title = title
    input.summary =
      "\(read) pairs were judged; of pictures that look the same one stays. Look at the groups and at the "
      + "pairs near the threshold: are those below one picture, and those above two?"
    let gone = read - kept
    input.headlines = [
      ("pairs kept", Markup.grouped(kept)), ("dropped", Markup.grouped(gone)),
      ("of all pairs", Markup.decimal(100 * Double(gone) / Double(max(1, read)), 1) + " %"),
    ]
    if let bytesDropped { input.headlines.append(("saved", ByteCount.words(bytesDropped))) }
    input.funnel = [("pairs", read), ("kept", kept)]
    input.failures = dropped.map { ($0.key, $0.value) }
    input.duplicates = ReportDuplicates(review, rules: rules, names: names)
    input.footer = footer
    try RunReport(input).write(to: path)
  }
}
