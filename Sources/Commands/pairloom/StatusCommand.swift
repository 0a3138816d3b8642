import ArgumentParser
import Foundation
import PipelineCore
import URLPipeline

/// `pairloom status DIR`: where a run stands, whether it is running or not.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show the funnel of a run, its rates, failures by reason, and its worst hosts.",
    discussion: """
      It reads the ledger and at most \(HostSurvey.mostRows) rows of the tables of fetches, so that it \
      answers at once whatever the size of the run; it says how much it looked at.

      A stage's pace is told twice: of the last five minutes, while a process works, and since the start. \
      The time left goes by the former where there is one. Counts are of chunks that are done; what is \
      in work is named with its age.

      --json prints one object: funnel, rejected, retried, failures, failuresByClass (transient and \
      permanent, by reason), transient, permanent, jobs (by stage and state), stages (jobs by state, \
      nextRetrySeconds, pairs, recentRate, meanRate, etaSeconds), underWay (job, attempt, host, process, \
      worker, seconds, isOverdue), bytes (received, fetched, decoded, sharded), quarantined, \
      elapsedSeconds, rates, etaSeconds, isFinished, hosts.

      Of a folder of `pairloom train` it shows the attempts, the checkpoints and the last line of the log; \
      --json then prints step, steps, metrics, evaluation, evaluatedAt, attempts and checkpoints.
      """)

  @Argument(help: "The folder of a run, or of training.")
  var folder: String

  @Flag(help: "One JSON object instead of the panel; with --watch one a line.")
  var json = false

  @Flag(help: "Show it again and again until the run ends; q or Ctrl-C leaves.")
  var watch = false

  @Option(help: "Seconds between two looks with --watch.")
  var interval: Double = 2

  func validate() throws {
    guard interval >= 0.1, interval <= 86_400 else {
      throw ValidationError("--interval must be 0.1 or more seconds.")
    }
  }

  func run() async throws {
    // A folder of `pairloom train` has a ledger of its own kind.
    if try TrainingStatus(folder: folder) != nil { return try await runOfTraining() }
    guard watch else { return show(try await RunView(folder: folder), redraws: false) }
    try await StatusWatch(interval: interval).run { redraws in
      let view = try await RunView(folder: folder)
      show(view, redraws: redraws)
      return !view.status.isFinished
    }
  }

  private func runOfTraining() async throws {
    func look(redraws: Bool) throws -> Bool {
      guard let status = try TrainingStatus(folder: folder) else { return false }
      if json {
        Terminal.print(try status.json())
      } else if redraws {
        Terminal.panel(status.lines)
      } else if watch {
        Terminal.print(status.line)
      } else {
        for line in status.lines { Terminal.print(line) }
      }
      return status.isRunning
    }
    guard watch else {
      _ = try look(redraws: false)
      return
    }
    try await StatusWatch(interval: interval).run { try look(redraws: $0) }
  }

  /// Shows a look: in place of the last where a person watches, else with --watch in one line.
  private func show(_ view: RunView, redraws: Bool) {
    if json {
      Terminal.print(view.json)
    } else if redraws {
      let panel = StatusPanel(status: view.status, hosts: view.hosts, folder: folder)
      Terminal.panel(panel.lines(within: Terminal.size))
    } else if watch {
      Terminal.print(StatusPanel(status: view.status).line)
    } else {
      let panel = StatusPanel(status: view.status, hosts: view.hosts, folder: folder)
      for line in panel.lines {
        // A program that reads on wants whole lines.
        let rows =
          StandardOutput.isTerminal ? Terminal.wrapped(line, to: Terminal.size.columns) : [line]
        for row in rows { Terminal.print(row) }
      }
    }
  }
}

/// All that `status` knows of a run.
struct RunView: Encodable {
  var status: RunStatus
  var hosts: HostSurvey

  init(folder: String) async throws {
    (status, hosts) = try await PipelineRun.statusWithHosts(folder: folder)
  }

  private enum Key: String, CodingKey { case permanent, hosts }

  /// The status's own keys, and two more beside them.
  func encode(to encoder: any Encoder) throws {
    try status.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(status.permanent, forKey: .permanent)
    try container.encode(hosts, forKey: .hosts)
  }

  /// In one line, with sorted keys.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    } catch {
      preconditionFailure("a status that is no JSON: \(error)")
    }
  }
}
