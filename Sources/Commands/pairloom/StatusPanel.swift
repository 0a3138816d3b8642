import PipelineCore
import URLPipeline

/// A run's state in words and bars: many lines for a terminal, one for a log.
struct StatusPanel {
  var status: RunStatus
  /// Told where it is known.
  var hosts: HostSurvey?
  /// Named in advice.
  var folder = "DIR"

  /// The funnel with bars, rates, failures by reason, jobs by stage, and what is quarantined.
  var lines: [String] {
    var lines: [String] = []
    let rows = max(1, status.pairs("rows"))
    for step in status.funnel {
      let share = Double(step.pairs) / Double(rows)
      let bar = String(repeating: "█", count: Int((share * 30).rounded()))
      let rate = status.rates[step.name].map { "\(Self.rounded($0))/s" } ?? ""
      lines.append(
        "\(Self.pad(step.name, 8)) \(Self.pad(String(step.pairs), 9, left: true)) "
          + "\(Self.pad(Self.percent(share), 7, left: true))  \(Self.pad(bar, 30)) \(rate)")
    }
    if status.retried > 0 { lines.append("asked for again by retries: \(status.retried)") }
    if status.rejected > 0 { lines.append("rejected rows of the list: \(status.rejected)") }
    if !status.failures.isEmpty {
      lines.append("dropped: " + Self.counts(status.failures))
      lines.append(split)
    }
    if let hosts { lines += HostLines(survey: hosts).lines }
    let working = status.jobs.sorted { $0.key < $1.key }.compactMap { stage, states -> String? in
      let open = states.filter { $0.key != "completed" && $0.value > 0 }
      return open.isEmpty ? nil : "\(stage) (\(Self.counts(open)))"
    }
    if !working.isEmpty { lines.append("jobs left: " + working.joined(separator: ", ")) }
    for job in status.quarantined {
      lines.append("quarantined: \(job.job): \(job.error ?? "no error was recorded")")
    }
    lines.append(ending)
    if hosts != nil, isIdle {
      lines.append("no job is under way: the `pairloom run` command that began it resumes")
    }
    return lines
  }

  /// Whether nobody works on what is left, as far as the ledger knows.
  private var isIdle: Bool {
    !status.isFinished && status.jobs.values.allSatisfy { ($0["leased"] ?? 0) == 0 }
  }

  /// Which of the drops may heal, and what heals them.
  private var split: String {
    guard status.transient > 0 else { return "all of them are final: a retry would not heal them" }
    return "\(status.transient) of them may heal (transient), \(status.permanent) are final"
      // A run says at its own end what to do.
      + (status.isFinished && hosts != nil
        ? ": `pairloom retry \(folder)` asks for the \(status.transient) again" : "")
  }

  /// The same in one line, for a pipe or a log.
  var line: String {
    if status.pairs("rows") == 0, !status.isFinished { return "reading the list; \(ending)" }
    let funnel = status.funnel.map { "\($0.name) \($0.pairs)" }.joined(separator: " → ")
    return "\(funnel); \(ending)"
  }

  private var ending: String {
    let elapsed = "\(Self.duration(status.elapsedSeconds)) worked"
    if status.isFinished { return "finished, \(elapsed)" }
    // Less than a second tells nothing of the rest.
    guard status.elapsedSeconds >= 1 else { return elapsed }
    return elapsed + (status.etaSeconds.map { ", about \(Self.duration($0)) left" } ?? "")
  }

  private static func counts(_ counts: [String: Int]) -> String {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }

  static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3_600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3_600) h \(whole % 3_600 / 60) min"
  }

  static func percent(_ share: Double) -> String {
    let tenths = Int((share * 1_000).rounded())
    return "\(tenths / 10).\(tenths % 10) %"
  }

  private static func rounded(_ rate: Double) -> String {
    rate >= 10 ? String(Int(rate.rounded())) : String((rate * 10).rounded() / 10)
  }

  static func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return left ? space + text : text + space
  }
}
