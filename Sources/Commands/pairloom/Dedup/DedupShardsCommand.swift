import ArgumentParser
import Deduplication
import DurableFiles
import PipelineCore
import ShardDeduplication
import ShardMaintenance

/// `pairloom dedup SHARD… --out DIR`: the same pairs without duplicates, in other shards.
struct DedupShardsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shards",
    abstract: "Drop duplicate pictures from existing shards, or say how many there are.",
    discussion: """
      Takes any WebDataset tars, and keeps every member byte for byte. Pictures are decoded in processes of \
      their own, on all cores. The earlier pair stays. Writes numbered shards, dataset.json, \
      duplicates.parquet with the fate of every pair (what is kept in its stead, and how near that is), \
      pictures.index for a later --against, and report.html with the largest groups and the pairs near the \
      threshold. A pair whose picture does not decode stays, and is counted.

      The folder appears when it is complete. Killed at any moment, the same command goes on from \
      OUT.part; on any number of cores it gives the same bytes.

      --plan drops nothing: it says how many pictures would go at each radius, before and after the finer \
      check, and how many the options as given would drop. With --out it keeps what it has seen for the \
      command that follows. It takes a run's folder, too.

      See also `pairloom dedup index --help` (indexes by hand) and `pairloom dedup report --help` (the page \
      of a run).

        pairloom dedup DIR/*.tar --out DIR2 --plan
        pairloom dedup DIR/*.tar --out DIR2
        pairloom dedup NEW/*.tar --out NEW2 --against DIR2/pictures.index --evaluation-set IMAGENET/val
      """)

  @Argument(help: "Shards, folders of shards, or patterns, in this order; a run with --plan.")
  var shards: [String]

  @Option(help: "The folder to write, new or empty.")
  var out: String?

  @OptionGroup(title: "What is a duplicate")
  var duplicates: DedupRuleOptions

  @OptionGroup var cut: ShardCutOptions

  @Flag(help: "Say how many would go, and drop nothing.")
  var plan = false

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  func validate() throws {
    guard plan || out != nil else {
      throw ValidationError("--out names the folder to write; --plan only looks.")
    }
  }

  func run() throws {
    // What has grown beside the folder is known by its mark, and gone on with by the same command.
    Interruption.shared.watchToLeave()
    let options = ShardDeduplicationOptions(
      rules: duplicates.rules,
      cut: cut.options(), threads: duplicates.cores,
      worker: DecodeWorkerCommand.worker)
    if plan { return try showPlan(options) }
    guard let out else { preconditionFailure("checked by validate()") }
    let paths = try ShardPaths.find(shards)
    let progress = WorkProgress()
    let outcome = try ShardDeduplicator.deduplicate(paths, to: out, options: options) { step in
      progress.show { Self.line(step) }
    }
    let folder = Resharder.trimmed(out)
    try DedupReport(outcome, folder: folder, rules: options.rules)
      .write(to: folder + "/report.html")
    let summary = DedupSummary(outcome: outcome, folder: folder)
    if json {
      Terminal.print(summary.json.serialized)
    } else {
      for line in summary.lines { Terminal.note(line) }
      Terminal.print(folder + "/dataset.json")
    }
  }

  private func showPlan(_ options: ShardDeduplicationOptions) throws {
    let progress = WorkProgress()
    let show = { (step: ShardDeduplicator.Progress) in progress.show { Self.line(step) } }
    let plan: DuplicatePlan
    if shards.count == 1, DurableFile.exists(RunFolder(shards[0]).ledger),
      DuplicatePlanner.hasSignatures(run: shards[0])
    {
      plan = try DuplicatePlanner.plan(run: shards[0], options: options, onProgress: show)
    } else {
      plan = try DuplicatePlanner.plan(
        try ShardPaths.find(shards), out: out, options: options, onProgress: show)
    }
    let lines = DedupPlanLines(plan: plan, rules: options.rules)
    if json {
      Terminal.print(lines.json.serialized)
    } else {
      for line in lines.lines { Terminal.print(line) }
    }
  }

  static func line(_ step: ShardDeduplicator.Progress) -> String {
    switch step {
    case .examined(let count): "dedup: \(count) pictures looked at"
    case .judged(let count, let all): "dedup: \(count) of \(all) judged"
    case .copied(let count, let kept, let all): "dedup: \(count) of \(all) read again, \(kept) kept"
    }
  }
}

extension ShardDeduplicationError: UsageError {}
