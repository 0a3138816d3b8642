import ArgumentParser
import ForeignRuns
import Foundation
import PipelineCore

/// `pairloom import DIR --from img2dataset FOLDER`: another program's shards as a run.
struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract:
      "Make another program's shards, tables and stats a run whose failures can be retried.",
    discussion: """
      Takes the output_folder of img2dataset (output_format webdataset) and makes DIR a finished run of \
      it: every row with its fate, every shard under its number. status, verify, ls, cat, retry, forget \
      and reshard then work on DIR as on any run. FOLDER is only read: its tars are linked where \
      both folders are on one filesystem, else copied; what `forget` takes out of DIR stays in FOLDER.

      Each tar is read to its end and held against its table and its stats; where they disagree the tar's \
      word wins, and a success without a picture may be asked for again. A shard that img2dataset has not \
      ended (no _stats.json) is not taken: its rows may be asked for again, as far as a table has them.

      img2dataset notes few of its options. What the tables and the pictures tell is taken from them, the \
      rest is img2dataset's default: the options are printed. Say what differs with --set or --recipe, \
      by our names or by img2dataset's, so that pairs which heal are treated like the others. How \
      politely and under which policy a retry asks is said in the same way. \
      Rows that img2dataset has twice stay twice; a pair that heals is dropped where a shard holds a \
      pair of the same downloaded bytes already (--set dedup=off keeps it).

        pairloom import DIR --from img2dataset FOLDER
        pairloom import DIR --from img2dataset FOLDER --set resize_mode=center_crop --set encode_quality=90
        pairloom retry DIR
      """)

  /// The programs whose folders are read.
  enum Program: String, ExpressibleByArgument, CaseIterable { case img2dataset }

  @Argument(help: "The folder that becomes a run: new or empty.")
  var folder: String

  @Option(help: "Whose folder it is.")
  var from: Program

  @Argument(help: "The output_folder of img2dataset.")
  var source: String

  @Option(help: "A recipe with the options that img2dataset had.")
  var recipe: String?

  @Option(
    name: .customLong("set"), help: "An option that img2dataset had, as key=value; repeatable.")
  var settings: [String] = []

  @Flag(help: "Copy the tars, even where they could be linked.")
  var copy = false

  @Flag(
    help: "Take shards without _stats.json for done, where the tar can be read to its end.")
  var withoutStats = false

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  func run() async throws {
    let progress = WorkProgress()
    // Notes of a later command in another folder need the path from the root.
    let source = URL(fileURLWithPath: source).path
    let (folder, options) = (
      folder,
      ImportOptions(
        recipe: recipe, settings: settings, copies: copy, withoutStats: withoutStats)
    )
    let work = Task {
      try await RunImporter.importImg2dataset(
        source, to: folder, options: options,
        onProgress: { done, all, pairs in
          progress.show { "import: \(done) of \(all) shards, \(pairs) pairs" }
        })
    }
    Interruption.shared.watch { work.cancel() }
    let outcome: ImportOutcome
    do {
      outcome = try await work.value
    } catch is CancellationError {
      throw CommandFailure(
        description: "interrupted; run the same command again: it begins anew",
        code: Interruption.shared.exitCode)
    }
    if json { return Terminal.print(Self.object(outcome, folder).serialized) }
    for line in Self.lines(outcome, folder) { Terminal.print(line) }
  }

  private static let mostFindings = 20

  /// What was imported, for a person.
  static func lines(_ outcome: ImportOutcome, _ folder: String) -> [String] {
    if outcome.wasEnded {
      return ["\(folder): a former import had done all but its last step; it is a run now"]
    }
    var lines = outcome.findings.prefix(mostFindings).map { finding in
      "\(finding.shard): \(OneLine.text(finding.words, longest: 400))"
    }
    if outcome.findings.count > mostFindings {
      lines.append("… and \(outcome.findings.count - mostFindings) more (--json has all)")
    }
    for (source, words) in [
      (ImportSetting.Source.tables, "told by the shards"),
      (.looks, "by the look of the pictures"), (.usual, "img2dataset's default, not told"),
    ] {
      let settings = outcome.assumed.filter { $0.source == source }
      guard !settings.isEmpty else { continue }
      lines.append(
        "\(words): " + settings.map { "\($0.key)=\($0.value)" }.joined(separator: " "))
    }
    if outcome.withoutSHA256 > 0 {
      lines.append(
        "\(outcome.withoutSHA256) pairs have no sha256 in the tables: what heals is not known as a"
          + " duplicate of them")
    }
    let linked = outcome.linked == outcome.shards ? "linked" : "\(outcome.linked) linked"
    lines.append(
      "\(outcome.shards) shards (\(ByteCount.words(outcome.bytes)), \(linked)), \(outcome.pairs) pairs"
        + " of \(outcome.rows) rows"
        + (outcome.unfinished > 0 ? "; \(outcome.unfinished) shards not taken" : "")
        + (outcome.gaps > 0 ? "; \(outcome.gaps) numbers without a shard" : ""))
    let failures = outcome.failures.sorted {
      ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue)
    }
    if !failures.isEmpty {
      lines.append(
        "failed: " + failures.map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", "))
    }
    lines.append(
      "\(outcome.transient) failures pass by themselves, \(outcome.mayHeal) may be asked for again")
    lines.append(
      outcome.transient > 0
        ? "next: pairloom retry \(folder)"
        : outcome.mayHeal > 0
          ? "next: pairloom retry \(folder) --where \"class = 'permanent'\" --dry-run"
          : "next: pairloom verify \(folder)")
    return lines
  }

  private static func object(_ outcome: ImportOutcome, _ folder: String) -> JSONValue {
    .object([
      .init("folder", .string(folder)), .init("was_ended", .bool(outcome.wasEnded)),
      .init("shards", .int(outcome.shards)), .init("linked", .int(outcome.linked)),
      .init("unfinished", .int(outcome.unfinished)), .init("gaps", .int(outcome.gaps)),
      .init("bytes", .int(outcome.bytes)), .init("rows", .int(outcome.rows)),
      .init("pairs", .int(outcome.pairs)),
      .init(
        "failures",
        .object(
          outcome.failures.sorted { $0.key.rawValue < $1.key.rawValue }.map {
            .init($0.key.rawValue, .int($0.value))
          })),
      .init("transient", .int(outcome.transient)), .init("may_heal", .int(outcome.mayHeal)),
      .init("without_sha256", .int(outcome.withoutSHA256)),
      .init(
        "assumed",
        .array(
          outcome.assumed.map { setting in
            .object([
              .init("key", .string(setting.key)), .init("value", .string(setting.value)),
              .init("source", .string(setting.source.rawValue)),
            ])
          })),
      .init(
        "findings",
        .array(
          outcome.findings.map { finding in
            .object([
              .init("shard", .string(finding.shard)), .init("words", .string(finding.words)),
            ])
          })),
    ])
  }
}

extension ImportError: UsageError {}
