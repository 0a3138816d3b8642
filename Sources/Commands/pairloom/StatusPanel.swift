import PipelineCore
import URLPipeline

/// A run's state in words and bars: many lines for a terminal, one for a log.
struct StatusPanel {
  var status: RunStatus
  /// Told where it is known.
  var hosts: HostSurvey?
  /// Named in advice.
  var folder = "DIR"

  /// The funnel with bars, stages, failures by reason, the worst hosts, and what is quarantined.
  var lines: [String] { sections(hosts: hostLines) }

  /// The same in no more rows than a screen has: what says least goes first.
  func lines(within size: Terminal.Size) -> [String] {
    let hosts = hostLines
    // One row is the cursor's.
    func fits(_ lines: [String]) -> Bool {
      lines.reduce(0) { $0 + Terminal.wrapped($1, to: size.columns).count } < size.rows
    }
    for count in [hosts.count, 6, 4, 3, 2, 0] where count <= hosts.count {
      let lines = sections(hosts: Array(hosts.prefix(count)))
      if fits(lines) { return lines }
    }
    for errors in [1, 0] {
      let lines = sections(hosts: [], errors: errors)
      if fits(lines) { return lines }
    }
    let lines = sections(hosts: [], errors: 0, hasTable: false)
    return fits(lines) ? lines : Array(lines.suffix(max(1, size.rows - 4)))
  }

  private var hostLines: [String] { hosts.map { HostLines(survey: $0).lines } ?? [] }

  private func sections(hosts: [String], errors: Int = 3, hasTable: Bool = true) -> [String] {
    var lines = funnel
    // What has ended is told by the funnel, but to one who asks for its status.
    if hasTable, !status.isFinished || self.hosts != nil {
      lines += StageLines(status: status).lines
    }
    if status.retried > 0 { lines.append("asked for again by retries: \(status.retried)") }
    if status.rejected > 0 { lines.append("rejected rows of the list: \(status.rejected)") }
    if !status.failures.isEmpty {
      for (word, name) in [("dropped for good", "permanent"), ("dropped, may heal", "transient")] {
        let counts = status.failuresByClass[name] ?? [:]
        if !counts.isEmpty { lines.append("\(word): " + Self.counts(counts)) }
      }
      lines.append(split)
    }
    lines += hosts
    lines += quarantine(most: errors)
    lines.append(ending)
    if self.hosts != nil, isIdle {
      lines.append("no job is under way: the `pairloom run` command that began it resumes")
    }
    return lines
  }

  private var funnel: [String] {
    let rows = max(1, status.pairs("rows"))
    return status.funnel.map { step in
      let share = Double(step.pairs) / Double(rows)
      let bar = String(repeating: "█", count: max(0, min(40, Int((share * 40).rounded()))))
      return
        "\(Self.pad(step.name, 8)) \(Self.pad(String(step.pairs), 10, left: true)) "
        + "\(Self.pad(Self.percent(share), 7, left: true))  \(bar)"
    }
  }

  /// How many jobs were given up, and the first of those that failed themselves.
  private func quarantine(most: Int) -> [String] {
    guard !status.quarantined.isEmpty else { return [] }
    let failed = status.quarantined.filter { $0.error != nil }
    let count = status.quarantined.count
    return [
      "quarantined: \(count) job\(count == 1 ? "" : "s"), \(failed.count) for errors of their own:"
        + " `pairloom quarantine \(folder) list`"
    ] + failed.prefix(most).map { OneLine.text("  \($0.job): \($0.error ?? "")", longest: 158) }
  }

  /// Whether nobody works on what is left, as far as the ledger knows.
  private var isIdle: Bool { !status.isFinished && status.underWay.isEmpty }

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
    let work = StageLines(status: status).underWay(most: 2).map { "; \($0)" } ?? ""
    return "\(funnel)\(work); \(ending)"
  }

  private var ending: String {
    let elapsed =
      status.elapsedSeconds < 1
      ? "less than a second worked" : "\(Self.duration(status.elapsedSeconds)) worked"
    if status.isFinished { return "finished, \(elapsed)" }
    // Less than a second tells nothing of the rest.
    guard status.elapsedSeconds >= 1 else { return elapsed }
    return elapsed + (status.etaSeconds.map { ", about \(Self.duration($0)) left" } ?? "")
  }

  static func counts(_ counts: [String: Int]) -> String {
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

  static func rounded(_ rate: Double) -> String {
    rate >= 10 ? String(Int(rate.rounded())) : String((rate * 10).rounded() / 10)
  }

  static func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return left ? space + text : text + space
  }
}
