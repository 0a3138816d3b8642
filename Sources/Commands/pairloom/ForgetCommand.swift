import ArgumentParser
import PipelineCore
import ShardMaintenance

/// `pairloom forget DIR`: takes pairs out of a run for good.
struct ForgetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forget",
    abstract: "Take pairs out of a run for good: out of shards, tables, scores and checksums.",
    discussion: """
      Rewrites what holds them, and notes the request in DIR/forgotten.jsonl, so that no resumed, \
      retried or repaired run brings them back; a URL is noted as its SHA-256 only, and so \
      are the pictures that went, to keep out their duplicates. Until a request has ended, run and retry \
      refuse the folder. A pair goes with \
      all rows of its uid, and so do small pictures of its duplicates (DIR/duplicates/samples) and \
      DIR/report.html, which the next run writes again. Each file is replaced as one: killed at any moment, the same command, or \
      `pairloom forget DIR`, ends it.

      A URL counts where the list has it and where a redirect led to it; a host with all hosts below it. \
      Not touched are your own list, logs, copies and pages elsewhere, and models that were \
      trained on the pairs.

        pairloom forget DIR --url https://example.org/a.jpg --dry-run
        pairloom forget DIR --host example.org --uid 0123456789abcdef0123456789abcdef
      """)

  @Argument(help: "The run's folder.")
  var folder: String

  @Option(name: .customLong("url"), help: "Pairs from this URL; repeatable.")
  var urls: [String] = []

  @Option(name: .customLong("host"), help: "Pairs from this host and all below it; repeatable.")
  var hosts: [String] = []

  @Option(
    name: .customLong("hash"),
    help: "Pairs whose downloaded bytes have this SHA-256 (column sha256); repeatable.")
  var hashes: [String] = []

  @Option(name: .customLong("uid"), help: "The pair with this uid; repeatable.")
  var uids: [String] = []

  @Flag(help: "Say what would go, and change nothing.")
  var dryRun = false

  func run() async throws {
    let run = RunFolder(folder)
    var requests: [(request: ForgetRequest, text: String)] = []
    for (kind, texts) in [
      (ForgetRequest.Kind.url, urls), (.host, hosts), (.hash, hashes), (.uid, uids),
    ] {
      for text in texts {
        requests.append((try ForgetRequest(kind, text), "--\(kind.rawValue) \(text)"))
      }
    }
    let outcome = try await Forgetter.forget(
      requests.map(\.request), in: run, isDryRun: dryRun, now: WorkerGroup.wallClock())
    if outcome.hasResumed && !dryRun { Terminal.note("an interrupted request was ended") }
    if requests.isEmpty && !outcome.hasResumed {
      throw CommandError("name what is to go: --url, --host, --hash or --uid.")
    }
    for (request, text) in requests {
      let rows = outcome.rows[request] ?? 0
      Terminal.print("\(text): \(rows) \(rows == 1 ? "row" : "rows") of the list")
    }
    let verb = dryRun ? "would go" : "gone"
    for shard in outcome.shards {
      Terminal.print(
        "  \(shard.file): \(shard.pairs) \(shard.pairs == 1 ? "pair" : "pairs") \(verb)")
    }
    if !dryRun, !requests.isEmpty {
      Terminal.print("noted in \(run.forgotten): no later run of this folder brings them back")
    }
  }
}

extension ForgetRequestError: UsageError {}
extension ForgetError: UsageError {}
extension ForgetInterruptedError: UsageError {}
