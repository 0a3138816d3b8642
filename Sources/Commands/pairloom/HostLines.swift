import URLPipeline

/// The hosts that a run fails at, in words.
struct HostLines {
  var survey: HostSurvey

  /// Empty where no host has failed.
  var lines: [String] {
    guard !survey.mostFailures.isEmpty else { return [] }
    var lines = ["hosts with the most failures" + extent + ":"]
    lines += survey.mostFailures.map(line)
    // The same hosts once more would say nothing.
    let others = survey.largestShare.filter { !survey.mostFailures.contains($0) }
    if !others.isEmpty {
      lines.append("hosts with the largest share of failures:")
      lines += others.map(line)
    }
    let transient = survey.transientAtLiveHosts + survey.transientAtSilentHosts
    if transient > 0 {
      lines.append(
        "retry prospects: \(survey.transientAtLiveHosts) of \(transient) transient failures are at "
          + "hosts that answered other requests, \(survey.transientAtSilentHosts) at hosts that gave "
          + "nothing")
    }
    return lines
  }

  /// How much was looked at, where that is not all.
  private var extent: String {
    survey.isComplete
      ? "" : " (of \(survey.rows) rows in \(survey.chunks) of \(survey.chunksOfRun) chunks)"
  }

  private func line(_ host: HostSurvey.Host) -> String {
    "  \(StatusPanel.pad(host.name, 30)) \(host.failed) of \(host.rows) failed "
      + "(\(StatusPanel.percent(host.share))), most for \(host.reason)"
      + (host.transient > 0 ? ", \(host.transient) may heal" : "")
  }
}
