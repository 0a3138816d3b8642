import URLPipeline

/// The hosts that a run fails at, in words.
struct HostLines {
  var survey: HostSurvey

  /// Empty where no host has failed.
  var lines: [String] {
    guard !survey.mostFailures.isEmpty else { return [] }
    var lines = ["hosts with the most failures" + extent + ":"]
    let names = (survey.mostFailures + survey.largestShare).map(\.name.count)
    let width = names.max() ?? 0
    lines += survey.mostFailures.map { line($0, width) }
    // The same hosts once more would say nothing.
    let others = survey.largestShare.filter { !survey.mostFailures.contains($0) }
    if !others.isEmpty {
      lines.append("hosts with the largest share of failures:")
      lines += others.map { line($0, width) }
    }
    if let prospects { lines.append("retry prospects: " + prospects) }
    return lines
  }

  /// Which transient failures are likely to heal; nil without any.
  private var prospects: String? {
    switch (survey.transientAtLiveHosts, survey.transientAtSilentHosts) {
    case (0, 0): nil
    case (let live, 0):
      "good: \(live) of \(live) transient failures are at hosts that sent other pictures"
    case (0, let silent):
      "poor: \(silent) of \(silent) transient failures are at hosts that sent nothing"
    case (let live, let silent):
      "\(live) transient failures are at hosts that sent other pictures, \(silent) at hosts that "
        + "sent nothing"
    }
  }

  /// How much was looked at, where that is not all.
  private var extent: String {
    survey.isComplete
      ? "" : " (of \(survey.rows) rows in \(survey.chunks) of \(survey.chunksOfRun) chunks)"
  }

  private func line(_ host: HostSurvey.Host, _ width: Int) -> String {
    "  \(StatusPanel.pad(host.name, width))  \(host.failed) of \(host.rows) failed "
      + "(\(StatusPanel.percent(host.share))), mostly \(host.reason)"
      + (host.transient > 0 ? "; \(host.transient) may heal" : "")
  }
}
