import Deduplication
import DurableFiles
import PipelineCore
import ShardDeduplication
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

  /// - Parameters:
  ///   - run: The folder.
  ///   - status: Where it stands.
  ///   - rules: By which it has dropped duplicates.
  ///   - threads: Cores to use.
  /// - Throws: What is damaged, what the disk refuses, a worker that cannot start.
  init(of run: RunFolder, status: RunStatus, rules: DuplicateRules, threads: Int) throws {
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
    input.duplicates = ReportDuplicates(review, rules: rules, names: [:])
    input.footer =
      "pairloom explain DIR ROW tells what became of a row; pairloom dedup report DIR --radius R shows"
      + " kept pictures about another radius."
    try RunReport(input).write(to: path)
  }

  /// Writes the page of a run that has ended; where that cannot be done, says so and goes on: the dataset
  /// is whole without it.
  static func publish(_ status: RunStatus, folder: String) async {
    guard status.isFinished else { return }
    let run = RunFolder(folder)
    do {
      let rules = try await PipelineRun.recipe(of: run.path).deduplicate
      try await Parallel.detached {
        try RunPage(of: run, status: status, rules: rules, threads: Parallel.coreCount)
          .write(to: run.report)
      }
    } catch {
      Terminal.note("warning: \(run.report) was not written, as \(error)")
    }
  }
}
