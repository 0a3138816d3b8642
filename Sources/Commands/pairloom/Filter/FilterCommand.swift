import ArgumentParser
import DurableFiles
import FilterPlans
import PipelineCore
import ShardDeduplication
import ShardFiltering
import ShardMaintenance
import WorkerThreads

/// `pairloom filter SHARD… --plan FILE --out DIR`: the pairs that a plan keeps, in other shards or as a list.
struct FilterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "filter",
    abstract: "Keep the pairs of existing shards, or of metadata tables, that a plan keeps.",
    discussion: """
      A plan is a YAML file of rules on any column (scores, captions and their language, sizes of pictures), \
      joined by and, or and not; or the name of a bundled one: coyo, datacomp-basic, datacomp-clip-l14-30, \
      laion-2b-en, laion-400m. Takes any WebDataset tars, and keeps every member byte for byte; the columns are \
      those of the samples' JSON, of the tables beside the shards, and of --scores. Of Parquet tables of \
      metadata, such as DataComp's, it makes a subset file or a list.

      --out writes numbered shards, dataset.json, filter.parquet with the fate of every pair (the first rule \
      that it does not pass), and report.html with the scores and with samples about the threshold. The folder \
      appears when it is complete. Killed at any moment, the same command goes on from OUT.part.

        pairloom filter DIR/*.tar --plan coyo --scores scores.parquet --dry-run
        pairloom filter DIR/*.tar --plan plan.yaml --scores scores.parquet --out DIR2
        pairloom filter METADATA/*.parquet --plan datacomp-basic --write-subset basic.npy
      """)

  @Argument(
    help: "Shards, folders of shards, patterns, a run's folder; or Parquet tables of metadata.")
  var inputs: [String]

  @Option(help: "A plan's file, or the name of a bundled one.")
  var plan: String

  @Option(
    parsing: .upToNextOption,
    help: """
      Tables of numbers, as `pairloom score` writes them, DataComp's, or any with uid, key or url; folders of \
      tables, clip-retrieval's of embeddings, and DataComp's .npz features.
      """)
  var scores: [String] = []

  @Option(
    help: "NAME=COLUMN: what the plan calls NAME is this column here. Repeat it for several.")
  var column: [String] = []

  @Option(help: "The folder to write new shards to, new or empty.")
  var out: String?

  @Option(help: "Write the uids that are kept as DataComp's subset file, .npy.")
  var writeSubset: String?

  @Option(help: "Write the uids that are kept to a text file, one a line.")
  var list: String?

  @Flag(help: "Say what each rule takes, alone and in sequence, and write no shards.")
  var dryRun = false

  @Option(help: "The page to write. (default: report.html in --out)")
  var report: String?

  @OptionGroup var cut: ShardCutOptions

  @Option(help: "Cores to use. (default: all)")
  var threads: Int?

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  func validate() throws {
    try CoreCount.require(threads)
    guard dryRun || out != nil || writeSubset != nil || list != nil else {
      throw ValidationError(
        "--out names a folder for new shards, --write-subset or --list a file of uids; --dry-run only looks."
      )
    }
    guard out == nil || dryRun || (writeSubset == nil && list == nil) else {
      throw ValidationError(
        "--out writes shards; --write-subset and --list write uids instead. Give one of them.")
    }
    for pair in column where pair.split(separator: "=").count != 2 {
      throw ValidationError("--column \(pair): write it as NAME=COLUMN.")
    }
  }

  func run() throws {
    // What has grown beside the folder is known by its mark, and gone on with by the same command.
    Interruption.shared.watchToLeave()
    var options = ShardFilterOptions(
      plan: try FilterPresets.plan(plan), scores: scores, aliases: aliases,
      cut: cut.options(),
      threads: threads ?? Parallel.coreCount, worker: DecodeWorkerCommand.worker)
    options.openEmbeddings = EmbeddingScoreFolders.open
    let tables = inputs.filter { $0.hasSuffix(".parquet") }
    guard tables.isEmpty || tables.count == inputs.count else {
      throw CommandError("name shards or tables of metadata, not both at once.")
    }
    guard tables.isEmpty || out == nil else {
      throw CommandError(
        "a table of metadata holds no pictures to put into shards: --write-subset FILE.npy writes what"
          + " `pairloom reshard --ids` takes.")
    }
    let paths = tables.isEmpty ? try ShardPaths.find(inputs) : tables
    let progress = WorkProgress()
    let show = { (step: ShardFilterProgress) in progress.show { Self.line(step) } }
    let outcome: ShardFilterOutcome
    if let out, !dryRun {
      outcome = try ShardFilter.filter(
        paths, to: out, options: options,
        report: { outcome, review, folder in
          try FilterReport(outcome, review).write(to: report ?? folder + "/report.html")
        }, onProgress: show)
    } else {
      outcome = try ShardFilter.judge(
        paths, options: options, out: out, subset: writeSubset, list: list,
        report: { outcome, review in
          if let report { try FilterReport(outcome, review).write(to: report) }
        }, onProgress: show)
    }
    tell(outcome)
  }

  private func tell(_ outcome: ShardFilterOutcome) {
    let lines = FilterLines(outcome: outcome)
    let written = dryRun ? nil : out.map { Resharder.trimmed($0) + "/dataset.json" }
    let files = [written, writeSubset, list, dryRun || out == nil ? report : nil].compactMap { $0 }
    if json { return Terminal.print(lines.json(files: files).serialized) }
    for line in lines.lines { if dryRun { Terminal.print(line) } else { Terminal.note(line) } }
    for file in files { Terminal.print(file) }
  }

  private var aliases: [String: String] {
    Dictionary(
      column.map { pair in
        let parts = pair.split(separator: "=").map(String.init)
        return (parts[0], parts[1])
      }, uniquingKeysWith: { $1 })
  }

  static func line(_ step: ShardFilterProgress) -> String {
    switch step {
    case .read(let count): "filter: \(count) pairs read"
    case .judged(let count): "filter: \(count) pairs judged"
    case .copied(let count, let kept, let all):
      "filter: \(count) of \(all) read again, \(kept) kept"
    }
  }
}

extension FilterPlanError: UsageError {}
