import ArgumentParser
import Deduplication
import DurableFiles
import PipelineCore
import ShardDeduplication
import URLPipeline
import WorkerThreads

/// `pairloom dedup report DIR`: a page to judge a run's deduplication by.
struct DedupReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract:
      "Write a run's report.html: its largest groups of duplicates, and pairs near the threshold.",
    discussion: """
      Shows the samples of dropped pictures that the run has kept, beside what is kept in their stead, and \
      kept pictures that are nearly one, by the rules of the run's recipe. `pairloom run` writes the same \
      page at its end; this one may be called while the run goes on, and with another radius.
      """)

  @Argument(help: "The run's folder.")
  var folder: String

  @Option(help: "The page to write. (default: report.html in the folder)")
  var out: String?

  @Option(
    help: "near, or exact: without the pairs near the threshold. (default: the run's)",
    transform: DedupRuleOptions.word)
  var match: DuplicateRules.Kind?

  @Option(help: "Show kept pictures about this radius, 0 to 16. (default: the run's)")
  var radius: Int?

  @Option(help: "Cores to use. (default: all)")
  var threads: Int?

  func validate() throws {
    guard (0...16).contains(radius ?? 0) else { throw ValidationError("--radius must be 0 to 16.") }
    try CoreCount.require(threads)
  }

  func run() async throws {
    let run = RunFolder(folder)
    let status = try await PipelineRun.status(folder: run.path)
    var rules = try await PipelineRun.recipe(of: run.path).deduplicate
    if let match { rules.kind = match }
    if let radius { rules.radius = radius }
    let path = out ?? run.report
    let judged = try await JudgedPairs(of: run.path)
    let (page, cores) = (rules, threads ?? Parallel.coreCount)
    try await Parallel.detached {
      try RunPage(of: run, status: status, rules: page, judged: judged, threads: cores)
        .write(to: path)
    }
    Terminal.print(path)
  }
}
