import ArgumentParser
import PipelineCore
import ShardMaintenance

/// `pairloom gc DIR`: removes what no job of a run will read.
struct GcCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Remove what killed processes and finished stages left in a run's folder.",
    discussion: """
      These go: temporary files of processes that are gone; downloads of attempts that do not count; \
      bodies and pictures of chunks that are in their shards; shards that jobs which were done again do \
      not write any more. Bytes of chunks that were given up stay, as `pairloom quarantine` may hand \
      those back; --quarantined removes them too. Ledgers that were damaged and put aside go with \
      --damaged.

      It may run beside the run itself: nothing goes that a live process or a job that is yet to be done \
      needs. A file that Pairloom has not made is named and left.

        pairloom gc DIR --dry-run
        pairloom gc DIR

      --json prints one object: removed (kind → files, bytes), files, left, foreign, bytes, dry_run, \
      unfinished_jobs, ledger_bytes.
      """)

  @Argument(help: "The run's folder.")
  var folder: String

  @Flag(help: "Say what would go, and remove nothing.")
  var dryRun = false

  @Flag(help: "The bytes of chunks that were given up go too: to release one downloads it again.")
  var quarantined = false

  @Flag(help: "Ledgers that were damaged and put aside go too.")
  var damaged = false

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  func run() async throws {
    var options = CleaningOptions()
    options.removesQuarantined = quarantined
    options.removesDamagedLedgers = damaged
    options.isDryRun = dryRun
    let report = try await RunCleaner.clean(RunFolder(folder), options)
    if json {
      Terminal.print(Self.object(report, isDryRun: dryRun).serialized)
    } else {
      for line in lines(report) { Terminal.print(line) }
    }
  }

  private static let words: [Litter: String] = [
    .temporaries: "temporary files of processes that are gone",
    .supersededAttempts: "downloads of attempts that do not count",
    .intermediates: "bodies and pictures of finished chunks",
    .quarantinedBytes: "bodies and pictures of chunks that were given up",
    .leftovers: "what jobs that were done again do not write any more",
    .damagedLedgers: "ledgers that were damaged and put aside",
  ]
  private static let mostNamed = 20

  private static func files(_ count: Int) -> String { "\(count) file\(count == 1 ? "" : "s")" }

  private func lines(_ report: CleaningReport) -> [String] {
    var lines: [String] = []
    for kind in Litter.allCases {
      let (files, bytes) = report.sum(kind)
      guard files > 0 else { continue }
      lines.append(
        "\(Self.words[kind] ?? kind.rawValue): \(Self.files(files)), \(ByteCount.words(bytes))")
      if dryRun { lines += Self.named(report.items.filter { $0.kind == kind }.map(\.file)) }
    }
    lines.append(
      report.items.isEmpty
        ? "nothing to remove"
        : (dryRun ? "would free " : "freed ") + ByteCount.words(report.bytes))
    for (kind, flag) in [
      (Litter.quarantinedBytes, "--quarantined"), (.damagedLedgers, "--damaged"),
    ] {
      let left = report.left.filter { $0.kind == kind }
      guard !left.isEmpty else { continue }
      let bytes = left.reduce(0) { $0 + $1.bytes }
      lines.append(
        "left, but for \(flag): \(Self.words[kind] ?? kind.rawValue): \(Self.files(left.count)),"
          + " \(ByteCount.words(bytes))")
    }
    if !report.foreign.isEmpty {
      lines.append("left, as Pairloom has not made them: \(Self.files(report.foreign.count))")
      lines += Self.named(report.foreign)
    }
    if report.unfinishedJobs > 0 {
      lines.append(
        "\(report.unfinishedJobs) jobs are yet to be done, so shards that nothing lists were not"
          + " looked for")
    }
    let (before, after) = report.ledgerBytes
    lines.append(
      "ledger: \(ByteCount.words(after))"
        + (before == after ? "" : " (\(ByteCount.words(before)) with its log before)"))
    return lines
  }

  private static func named(_ files: [String]) -> [String] {
    files.prefix(mostNamed).map { "  " + OneLine.text($0, longest: 200) }
      + (files.count > mostNamed ? ["  … and \(files.count - mostNamed) more"] : [])
  }

  private static func object(_ report: CleaningReport, isDryRun: Bool) -> JSONValue {
    func items(_ items: [CleaningReport.Item]) -> JSONValue {
      .array(
        items.map { item in
          .object([
            .init("kind", .string(item.kind.rawValue)), .init("file", .string(item.file)),
            .init("bytes", .int(item.bytes)),
          ])
        })
    }
    return .object([
      .init("dry_run", .bool(isDryRun)),
      .init(
        "removed",
        .object(
          Litter.allCases.map { kind in
            let (files, bytes) = report.sum(kind)
            return .init(
              kind.rawValue,
              .object([.init("files", .int(files)), .init("bytes", .int(bytes))]))
          })), .init("bytes", .int(report.bytes)), .init("files", items(report.items)),
      .init("left", items(report.left)),
      .init("foreign", .array(report.foreign.map { .string($0) })),
      .init("unfinished_jobs", .int(report.unfinishedJobs)),
      .init("ledger_bytes", .int(report.ledgerBytes.after)),
    ])
  }
}
