import ArgumentParser
import DownloadStage
import DurableFiles
import HTTPFetch
import PipelineCore
import TableQuery
import URLPipeline

/// `pairloom retry DIR`: asks once more for the pairs of a finished run that may heal.
struct RetryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry",
    abstract: "Ask again for pairs that failed and may heal; the healed go into further shards.",
    discussion: """
      Chooses rows of a finished run by an SQL expression (SQLite's), by default those whose failure \
      passes by itself. What is final stays so whatever the expression says: refusals by policy, \
      duplicates, what is no URL, and pairs that were kept. A row whose URL an earlier row has stays \
      that row's duplicate; the earlier is asked for under its own number.

      Healed pairs are decoded, deduplicated against all others, scored and filtered like any, and go \
      into shards numbered after those that there are. No published file changes but dataset.json, \
      which then lists both. Interrupted, it is ended by the same command, or by `pairloom run`. After \
      it the run's download cannot be done again (`pairloom run --redo download`), nor its decoding \
      where pictures were retried that did not decode; other options for these need a new folder.

        pairloom retry DIR --dry-run
        pairloom retry DIR --where "class = 'transient' AND host LIKE '%.org'"
        pairloom retry DIR --where "status IN (403, 429, 503)"

      The columns:
      \(columns)
      """)

  private static let columns = FetchTable.columns.map { column in
    "  " + column.name + String(repeating: " ", count: max(1, 15 - column.name.count))
      + column.meaning
  }.joined(separator: "\n")

  @Argument(help: "The run's folder.")
  var folder: String

  @Option(
    name: .customLong("where"),
    help: "An SQL expression over the columns above. (default: \(PipelineRun.usualRetry))")
  var expression: String?

  @Flag(help: "Say how many rows match and how many of them may heal, and do nothing.")
  var dryRun = false

  @Option(name: .customLong("set"), help: "An option of pace, as key=value; repeatable.")
  var settings: [String] = []

  @Option(help: "Chunks that are computed on at a time.")
  var workers: Int = 1

  func validate() throws {
    guard workers > 0 else { throw ValidationError("--workers must be 1 or more.") }
  }

  func run() async throws {
    if let begun = try await PipelineRun.unfinishedRetry(in: folder) {
      guard expression == nil || expression == begun else {
        throw RetryError.otherRetry(folder: folder, expression: begun)
      }
      Terminal.note("a retry WHERE \(begun) was interrupted; it goes on")
      if dryRun { return }
      return try await work(begun)
    }
    let wanted = expression ?? PipelineRun.usualRetry
    let selection = try await PipelineRun.retryable(in: folder, where: wanted)
    for line in Self.lines(selection, wanted) { Terminal.print(line) }
    if dryRun || selection.count == 0 { return }
    try await work(wanted)
  }

  /// What a selection holds, in words.
  static func lines(_ selection: RetrySelection, _ expression: String) -> [String] {
    func counts(_ counts: [(String, Int)]) -> String {
      counts.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.map { "\($0.1) \($0.0)" }
        .joined(separator: ", ")
    }
    let rows = selection.matched == 1 ? "row matches" : "rows match"
    var lines = ["\(selection.matched) \(rows): \(expression)"]
    if selection.count > 0 {
      lines.append(
        "\(selection.count) of them may heal: "
          + counts(selection.mayHeal.map { ($0.key.rawValue, $0.value) }))
    } else {
      lines.append("none of them may heal: there is nothing to ask for")
    }
    let left = selection.leftOut.values.reduce(0, +)
    if left > 0 {
      lines.append(
        "\(left) \(left == 1 ? "is" : "are") left out: "
          + counts(selection.leftOut.map { ($0.key, $0.value) }))
    }
    return lines
  }

  private func work(_ expression: String) async throws {
    let run = try await ResumedRun.open(folder, workers: workers, overrides: settings)
    if let warning = UserAgentCheck.warning(userAgent: run.userAgent) {
      Terminal.note("warning: \(warning.problem).")
    }
    let before = try await PipelineRun.status(folder: folder)
    let outcome = try await Interruption.shared.working(
      on: run, toResume: RunCommand.toResume
    ) {
      try await run.retry(where: expression, reportingEvery: RunCommand.interval) {
        RunCommand.report($0)
      }
    }
    await RunCommand.conclude(outcome, folder: folder)
    let asked = outcome.status.retried - before.retried
    let healed = outcome.status.pairs("sharded") - before.pairs("sharded")
    Terminal.note(
      asked > 0 ? "healed: \(healed) of \(asked)" : "healed since it went on: \(healed)")
    try RunCommand.requireComplete(outcome)
  }
}

extension RetryError: UsageError {}
extension TableQueryError: UsageError {}
