import AuditedScores
import Deduplication
import DurableFiles
import PipelineCore
import ShardDeduplication
import ShardFiltering
import URLPipeline
import WorkerThreads

/// The report.html of a run: what became of its rows, and its duplicates where it has kept samples of them.
///
/// It tells no time and no place: the same run writes the same page, whoever has worked on it and where.
struct RunPage {
  var status: RunStatus
  /// By which the run has dropped duplicates.
  var rules: DuplicateRules
  var review: DuplicateReview
  /// Of the last filter job, where it went by scores of bytes.
  var audit: ScoreAuditReport?
  /// What its filter did; nil where it has none.
  var filter: FilterReport?
  /// Whether a retry's pairs were judged later than the others.
  var isRetried = false

  /// - Parameters:
  ///   - run: The folder.
  ///   - status: Where it stands.
  ///   - rules: By which it has dropped duplicates.
  ///   - judged: The pairs that its filter has judged; nil where it has none.
  ///   - threads: Cores to use.
  /// - Throws: What is damaged, what the disk refuses, a worker that cannot start.
  init(
    of run: RunFolder, status: RunStatus, rules: DuplicateRules, judged: JudgedPairs?, threads: Int
  ) throws {
    if let judged {
      let (outcome, review) = try RunFilterReview.make(
        judged.plan, over: judged.rows, chunks: judged.chunks, in: run, threads: threads,
        worker: DecodeWorkerCommand.worker)
      filter = FilterReport(outcome, review)
      isRetried = judged.isRetried
    }
    self.status = status
    self.rules = rules
    // Without them there is nothing to judge the pairs near the threshold beside.
    let isSampled = try !DurableFile.names(in: run.duplicateSamples).isEmpty
    review =
      isSampled
      ? try RunReview.make(
        run: run.path, radius: rules.kind == .near ? rules.radius : nil, threads: threads,
        worker: DecodeWorkerCommand.worker)
      : DuplicateReview()
    let verdicts = "\(run.filtered)/verdicts"
    if let last = try DurableFile.names(in: verdicts).filter({ $0.hasSuffix(".parquet") }).max() {
      audit = ScoreAuditReport(try PairTable.metadata(of: "\(verdicts)/\(last)"))
    }
  }

  private static let ofPictures = ["duplicate_bytes", "duplicate_picture"]

  func write(to path: String) throws {
    let (rows, kept) = (status.pairs("rows"), status.pairs("kept"))
    let copies = Self.ofPictures.reduce(0) { $0 + (status.failures[$1] ?? 0) }
    var input = RunReport.Input()
    input.summary =
      "Of \(Markup.grouped(rows)) rows \(Markup.grouped(kept)) are pairs of the dataset."
    if !review.groups.isEmpty {
      input.summary +=
        " Of pictures that are the same one stays. Look at the groups and at the pairs near the"
        + " threshold: are those below one picture, and those above two?"
    }
    input.headlines = [
      ("rows", Markup.grouped(rows)), ("pairs kept", Markup.grouped(kept)),
      ("of all rows", Markup.decimal(100 * Double(kept) / Double(max(1, rows)), 1) + " %"),
    ]
    if copies > 0 { input.headlines.append(("copies dropped", Markup.grouped(copies))) }
    input.funnel = status.funnel.map { ($0.name, $0.pairs) }
    input.failures = status.failures.map { ($0.key, $0.value) }
    if let audit { input.tables.append(Self.table(audit)) }
    input.duplicates = ReportDuplicates(review, rules: rules, names: [:])
    filter?.add(to: &input, stage: "Filter")
    if isRetried, !input.tables.isEmpty {
      input.tables[0].note +=
        " Counted over all pairs as they are now; those that a retry found before it keep the verdict they got."
    }
    input.footer =
      "pairloom explain DIR ROW tells what became of a row; pairloom dedup report DIR --radius R shows"
      + " kept pictures about another radius."
    try RunReport(input).write(to: path)
  }

  private static func table(_ audit: ScoreAuditReport) -> ReportTable {
    ReportTable(
      title: "Scores in int8", note: audit.lines.joined(separator: "; ") + ".",
      columns: ["", "pairs"],
      rows: [
        ("judged", audit.pairs), ("of the sample, in float32 as well", audit.sampled),
        ("near the cut, scored again in float32", audit.rescored),
        ("decisions corrected", audit.corrected),
      ].map { [$0.0, Markup.grouped($0.1)] })
  }

  /// Writes the page of a run that has ended; where that cannot be done, says so and goes on: the dataset
  /// is whole without it.
  static func publish(_ status: RunStatus, folder: String) async {
    guard status.isFinished else { return }
    let run = RunFolder(folder)
    do {
      let rules = try await PipelineRun.recipe(of: run.path).deduplicate
      let judged = try await JudgedPairs(of: run.path)
      try await Parallel.detached {
        try RunPage(
          of: run, status: status, rules: rules, judged: judged, threads: Parallel.coreCount
        )
        .write(to: run.report)
      }
    } catch {
      Terminal.note("warning: \(run.report) was not written, as \(error)")
    }
  }
}
