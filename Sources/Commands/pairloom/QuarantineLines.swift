import Foundation
import JobLedger
import PipelineCore
import ShardMaintenance

/// Given-up jobs, in a few lines or an object each.
enum QuarantineLines {
  static func list(_ view: QuarantineView, folder: String) -> [String] {
    guard !view.jobs.isEmpty else { return ["nothing is quarantined"] }
    var lines: [String] = []
    for job in view.causes {
      let failures = job.failures == 1 ? "1 failure" : "\(job.failures) failures"
      lines.append(
        "\(job.name): \(rows(view.rows(of: job.name), of: job.name)), \(failures), given up"
          + " \(time(job.givenUpAt))")
      lines.append("    " + OneLine.text(job.error ?? "no error was recorded", longest: 300))
      let wanting = view.wanting(job.name)
      if !wanting.isEmpty {
        lines.append("    for want of it: " + wanting.map(\.description).joined(separator: ", "))
      }
    }
    let (causes, all) = (view.causes.count, view.jobs.count)
    lines.append(
      "\(causes) given up for \(causes == 1 ? "its own error" : "their own errors"),"
        + " \(all - causes) for want of \(causes == 1 ? "it" : "them")")
    if let first = view.causes.first {
      lines.append("`pairloom quarantine \(folder) show \(first.name)` tells all about it;")
      lines.append(
        "`pairloom quarantine \(folder) release --all` hands them back once the cause is mended")
    }
    return lines
  }

  /// What a job holds of the list.
  static func rows(_ rows: QuarantineView.Rows?, of job: JobName) -> String {
    if job.stage == StageName.ingest.rawValue { return "the rows of the list" }
    if job.stage == StageName.filter.rawValue { return "the choice of final shards" }
    guard let rows else { return "rows unknown, as chunks/ has no such table" }
    guard let range = rows.range else { return "\(rows.count) rows, some of which cannot be read" }
    let count = rows.count == 1 ? "1 row" : "\(rows.count) rows"
    return "\(count) of the list, \(range.lowerBound) to \(range.upperBound)"
      + (rows.dropped > 0 ? " (\(rows.dropped) of no use)" : "")
  }

  static func object(_ job: QuarantinedJob, rows: QuarantineView.Rows?) -> JSONValue {
    .object(members(job, rows: rows))
  }

  static func members(_ job: QuarantinedJob, rows: QuarantineView.Rows?) -> [JSONValue.Member] {
    [
      .init("job", .string(job.name.description)), .init("stage", .string(job.name.stage)),
      .init("chunk", .int(job.name.chunk)), .init("failures", .int(job.failures)),
      .init("attempts", .int(job.attempts)), .init("given_up_at", .int(job.givenUpAt)),
      .init("error", job.error.map { .string($0) } ?? .null),
      .init("wants", .array(job.wants.map { .string($0.description) })),
      .init("rows", rows.map { .int($0.count) } ?? .null),
      .init("first_row", rows?.range.map { .int($0.lowerBound) } ?? .null),
      .init("last_row", rows?.range.map { .int($0.upperBound) } ?? .null),
    ]
  }

  static func released(_ outcome: ReleaseOutcome, folder: String, goesOn: Bool) -> [String] {
    guard !outcome.released.isEmpty else { return ["nothing is quarantined"] }
    var lines = ["handed back: " + names(outcome.released)]
    if !outcome.reopened.isEmpty { lines.append("done again with it: " + names(outcome.reopened)) }
    if !outcome.refetched.isEmpty {
      lines.append(
        "downloaded again, as the bytes are gone (what has changed on the web, changes): chunk "
          + outcome.refetched.map(String.init).joined(separator: ", "))
    }
    if !goesOn {
      lines.append(
        "go on with the `pairloom run` command that began it, or `pairloom verify \(folder) --repair`"
      )
    }
    return lines
  }

  private static let mostNamed = 12

  private static func names(_ jobs: [JobName]) -> String {
    jobs.prefix(mostNamed).map(\.description).joined(separator: ", ")
      + (jobs.count > mostNamed ? " and \(jobs.count - mostNamed) more" : "")
  }

  /// A moment in UTC.
  static func time(_ milliseconds: Int) -> String {
    Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601)
  }
}

/// All about one given-up job.
struct QuarantinePage {
  var job: QuarantinedJob
  var attempts: [JobAttempt]
  var files: [(path: String, bytes: Int)]
  var rows: QuarantineView.Rows?
  var wanting: [JobName]
  var folder: String

  var lines: [String] {
    var lines = ["\(job.name): given up \(QuarantineLines.time(job.givenUpAt))"]
    lines.append("rows: \(QuarantineLines.rows(rows, of: job.name))")
    if !job.wants.isEmpty {
      lines.append("for want of: " + job.wants.map(\.description).joined(separator: ", "))
    }
    if !wanting.isEmpty {
      lines.append(
        "given up for want of it: " + wanting.map(\.description).joined(separator: ", "))
    }
    lines.append(attempts.isEmpty ? "it was never begun" : "attempts:")
    for attempt in attempts {
      let seconds = attempt.endedAt.map { Double($0 - attempt.startedAt) / 1_000 }
      lines.append(
        "  \(attempt.attempt)  \(QuarantineLines.time(attempt.startedAt))"
          + "  \(seconds.map { "\($0) s" } ?? "not ended")  \(attempt.outcome.rawValue)"
          + "  \(attempt.host), process \(attempt.pid), worker \(attempt.worker)")
      // The whole text, but line by line: it may quote what came from the web.
      for line in (attempt.error ?? "").split(separator: "\n") {
        lines.append("       " + OneLine.text(String(line), longest: 4_000))
      }
    }
    lines.append(files.isEmpty ? "files: none" : "files of the chunk:")
    lines += files.map { "  \($0.path)  \(ByteCount.words($0.bytes))" }
    lines.append("what to do:")
    lines += QuarantineAdvice(job: job, folder: folder).lines.map { "  " + $0 }
    return lines
  }

  var object: JSONValue {
    .object(
      QuarantineLines.members(job, rows: rows) + [
        .init(
          "history",
          .array(
            attempts.map { attempt in
              .object([
                .init("attempt", .int(attempt.attempt)),
                .init("host", .string(attempt.host)), .init("process", .int(attempt.pid)),
                .init("worker", .string(attempt.worker)),
                .init("started_at", .int(attempt.startedAt)),
                .init("ended_at", attempt.endedAt.map { .int($0) } ?? .null),
                .init("outcome", .string(attempt.outcome.rawValue)),
                .init("error", attempt.error.map { .string($0) } ?? .null),
              ])
            })),
        .init(
          "files",
          .array(
            files.map { file in
              .object([.init("file", .string(file.path)), .init("bytes", .int(file.bytes))])
            })),
        .init(
          "advice",
          .array(QuarantineAdvice(job: job, folder: folder).lines.map { .string($0) })),
      ])
  }
}
