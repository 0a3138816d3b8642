import ArgumentParser
import PipelineCore
import ShardMaintenance
import URLPipeline
import WorkerThreads

/// `pairloom verify DIR`: every file of a run against ledger, index and checksum.
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check ledger, shards, tables and checksums of a run, and mend what can be mended.",
    discussion: """
      Ends with 0 when all is done and as it was published, else with 1 and a line for each file: what \
      is wrong and what to do. Nothing is changed without --repair.

      --repair rebuilds indexes by a scan, tables from those of the stages before, scores and the \
      final shards by doing their jobs again. A shard that is lost is written again where its decoded \
      pictures are still there; else its chunk is downloaded again, and what has changed on the web \
      changes in it. What is fine is not touched. A ledger that was cut, changed, replaced or lost \
      is set aside as DIR/ledger.sqlite.damaged-1 and made again from DIR/run.json and the files of \
      the stages; end all runs of the folder first. Jobs that are yet to be done, because the run or a \
      repair was interrupted, are done.

        pairloom verify DIR
        pairloom verify DIR --repair
      """)

  @Argument(help: "The run's folder.")
  var folder: String

  @Flag(help: "Mend what can be mended, then check again.")
  var repair = false

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  @Option(help: "Chunks that are looked at, and computed on, at a time. (default: the cores)")
  var workers: Int?

  func validate() throws {
    guard workers ?? 1 > 0 else { throw ValidationError("--workers must be 1 or more.") }
  }

  func run() async throws {
    Interruption.shared.watchToLeave()
    let run = RunFolder(folder)
    var report = try await check(run)
    var repairs: RepairOutcome?
    if repair && !report.isWhole {
      if !json { for line in Self.lines(report) { Terminal.print(line) } }
      let outcome = try await RunRepairer.repair(report, in: run)
      repairs = outcome
      if !json { for line in outcome.done { Terminal.print("  " + line) } }
      if outcome.mustResume {
        try await redo(outcome)
        try await RunRepairer.clear(in: run)
      }
      report = try await check(run)
    }
    if json {
      Terminal.print(Self.object(report, repairs).serialized)
    } else {
      for line in Self.lines(report) { Terminal.print(line) }
    }
    if report.isWhole { return }
    if report.isClean {
      throw CommandFailure(
        description: "\(folder): \(Self.count(report.unfinishedJobs, "job")) yet to be done"
          + (repair
            ? "" : "; `pairloom verify \(folder) --repair` does them, as the run itself would"),
        code: 1)
    }
    let mendable = report.problems.count(where: \.canBeRepaired)
    throw CommandFailure(
      description: "\(folder): \(Self.count(report.problems.count, "problem"))"
        + (mendable > 0 && !repair
          ? "; `pairloom verify \(folder) --repair` mends \(mendable == 1 ? "one" : "\(mendable)")"
          : ""),
      code: 1)
  }

  private func check(_ run: RunFolder) async throws -> VerificationReport {
    let progress = WorkProgress()
    return try await RunVerifier.verify(run, threads: workers ?? Parallel.coreCount) { done, all in
      progress.show { "verify: \(done) of \(all) chunks and shards" }
    }
  }

  /// Works off the jobs that were handed back.
  private func redo(_ outcome: RepairOutcome) async throws {
    if outcome.reopened.isEmpty && outcome.mustIndex {
      Terminal.note("to be made: the index of kept pictures")
    } else if outcome.reopened.isEmpty {
      Terminal.note("to be done: what the run has not done yet")
    } else {
      let some = outcome.reopened.prefix(8).joined(separator: ", ")
      Terminal.note("to be done again: \(some)" + (outcome.reopened.count > 8 ? " …" : ""))
    }
    let outcome = try await ResumedRun.finish(
      folder, workers: workers ?? 1, toResume: "run the same command again to go on")
    try RunCommand.requireComplete(outcome)
    Terminal.keepPanel()
    Interruption.shared.watchToLeave()
  }

  private static func count(_ number: Int, _ thing: String) -> String {
    "\(number) \(thing)\(number == 1 ? "" : "s")"
  }

  /// What was found, for a person.
  static func lines(_ report: VerificationReport) -> [String] {
    var lines = report.problems.flatMap { problem in
      ["\(problem.file): \(problem.what)", "    → \(problem.advice)"]
    }
    lines.append(
      (report.isWhole ? "all is well: " : report.isClean ? "what is done is well: " : "")
        + "\(count(report.shards, "shard")) (\(ByteCount.words(report.bytes))),"
        + " \(count(report.pairs, "pair")), \(count(report.tables, "table")),"
        + " \(count(report.problems.count, "problem"))")
    if report.unfinishedJobs > 0 {
      lines.append(
        "\(count(report.unfinishedJobs, "job")) of the run are yet to be done; nothing is missed of"
          + " them")
    }
    if report.quarantinedJobs > 0 {
      lines.append("\(count(report.quarantinedJobs, "job")) were given up (`pairloom status`)")
    }
    return lines
  }

  private static func object(_ report: VerificationReport, _ repairs: RepairOutcome?) -> JSONValue {
    .object(
      [
        .init("shards", .int(report.shards)), .init("bytes", .int(report.bytes)),
        .init("pairs", .int(report.pairs)), .init("tables", .int(report.tables)),
        .init("unfinished_jobs", .int(report.unfinishedJobs)),
        .init("quarantined_jobs", .int(report.quarantinedJobs)),
        .init(
          "problems",
          .array(
            report.problems.map { problem in
              .object([
                .init("file", .string(problem.file)), .init("problem", .string(problem.what)),
                .init("advice", .string(problem.advice)),
                .init("can_be_repaired", .bool(problem.canBeRepaired)),
              ])
            })),
      ]
        + (repairs.map { repairs in
          [
            .init(
              "repaired",
              .array(
                (repairs.done + repairs.reopened.map { "did \($0) again" }).map { .string($0) }))
          ]
        } ?? []))
  }
}
