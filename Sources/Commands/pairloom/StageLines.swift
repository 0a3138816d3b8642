import PipelineCore

/// The stages of a run as a table, and what is in work, in lines of at most 80 columns.
struct StageLines {
  var status: RunStatus

  /// Jobs by state, pace and time left of each stage; jobs in work; bytes.
  var lines: [String] {
    guard !status.stages.isEmpty else { return [] }
    var lines = [
      Self.row("stage", ["jobs done", "wait", "ready", "work", "retry", "now", "mean", "left"])
    ]
    lines += status.stages.map { stage in
      Self.row(
        stage.name,
        [
          "\(stage.done)/\(stage.all)", Self.count(stage.waiting), Self.count(stage.available),
          Self.count(stage.leased), Self.count(stage.retryable), Self.rate(stage.recentRate),
          Self.rate(stage.meanRate), stage.etaSeconds.map(Self.time) ?? "",
        ])
    }
    if let work = underWay(most: 3) { lines.append(work) }
    if let retries { lines.append(retries) }
    lines.append(bytes)
    return lines
  }

  /// The jobs in work with their ages; nil when there are none.
  func underWay(most: Int) -> String? {
    guard !status.underWay.isEmpty else { return nil }
    let named = status.underWay.prefix(most).map { job in
      "\(job.job) (\(StatusPanel.duration(job.seconds))\(job.isOverdue ? ", not heard of" : ""))"
    }
    let more = status.underWay.count - named.count
    return "in work: " + named.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
  }

  private var retries: String? {
    let next = status.stages.compactMap { stage in
      stage.nextRetrySeconds.map { "\(stage.name) in \(StatusPanel.duration($0))" }
    }
    return next.isEmpty ? nil : "tried again: " + next.joined(separator: ", ")
  }

  private var bytes: String {
    let bytes = status.bytes
    return "bytes: "
      + (bytes.received.map { "\(ByteCount.words($0)) received, " } ?? "")
      // An imported run has fetched nothing.
      + (bytes.fetched > 0 ? "\(ByteCount.words(bytes.fetched)) fetched, " : "")
      + "\(ByteCount.words(bytes.decoded)) decoded,"
      + " \(ByteCount.words(bytes.sharded)) in shards"
  }

  private static let widths = [15, 7, 6, 5, 6, 9, 9, 9]

  private static func row(_ name: String, _ cells: [String]) -> String {
    let text = zip(cells, widths).map { StatusPanel.pad($0, $1, left: true) }.joined()
    return StatusPanel.pad(name, 11) + text
  }

  private static func count(_ number: Int) -> String { number == 0 ? "·" : String(number) }

  private static func rate(_ rate: Double?) -> String {
    rate.map { "\(StatusPanel.rounded($0))/s" } ?? ""
  }

  /// A duration in at most eight characters.
  private static func time(_ seconds: Double) -> String {
    let whole = Int(min(seconds, 1e9).rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3_600 { return "\(whole / 60) min" }
    if whole < 360_000 { return "\(whole / 3_600) h \(whole % 3_600 / 60)" }
    return "\(whole / 86_400) d"
  }
}
