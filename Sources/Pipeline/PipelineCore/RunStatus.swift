public import JobLedger

/// Where a run stands, from its ledger alone.
public struct RunStatus: Codable, Sendable, Equatable {
  public struct Step: Codable, Sendable, Equatable {
    public var name: String
    public var pairs: Int
  }
  public struct Quarantined: Codable, Sendable, Equatable {
    public var job: String
    public var error: String?
  }

  /// rows → fetched → decoded → unique → sharded → kept.
  public var funnel: [Step]
  /// Rows of the list that could not be read; see `rejects.parquet`.
  public var rejected: Int
  /// Pairs asked for again by `retry`, over all retries; each counts in the funnel once.
  public var retried: Int
  /// Dropped pairs by ``DropReason``.
  public var failures: [String: Int]
  /// Those among them that `retry` may heal: their failure passes by itself.
  public var transient: Int
  /// ``failures`` by class, `transient` and `permanent`, and reason.
  ///
  /// Where a run of before there were such counts has dropped for a reason that may be either, such as
  /// `http_status`, all of that reason stand under `permanent`; ``transient`` is right for it too.
  public var failuresByClass: [String: [String: Int]]
  /// Jobs by stage and state.
  public var jobs: [String: [String: Int]]
  public var quarantined: [Quarantined]
  /// In the order of the pipeline: jobs by state, pace and time left.
  public var stages: [StageProgress]
  /// Jobs in work, the longest first.
  public var underWay: [JobUnderWay]
  public var bytes: RunBytes
  /// Seconds that processes have worked on the run.
  public var elapsedSeconds: Double
  /// Pairs per second since the start, by step of the funnel.
  public var rates: [String: Double]
  /// Seconds to the end at the pace of late; nil before the first job and after the last.
  public var etaSeconds: Double?
  /// Every job has settled.
  public var isFinished: Bool

  /// Dropped pairs whose fate is final, ``transient`` ones aside.
  public var permanent: Int { max(0, failures.values.reduce(0, +) - transient) }

  /// The pairs of a step of the funnel.
  public func pairs(_ step: String) -> Int { funnel.first { $0.name == step }?.pairs ?? 0 }

  /// Reads the ledger; a process may be working on the run.
  ///
  /// - Parameters:
  ///   - ledger: The run's.
  ///   - now: Milliseconds since 1970, to which ages and the pace of late are taken.
  /// - Throws: `LedgerError`.
  public init(ledger: any Ledger, now: Int = WorkerGroup.wallClock()) async throws {
    var totals = try await ledger.totals()
    let tally = try await ledger.tally()
    let givenUp = try await ledger.quarantined()
    try await Self.withdraw(
      chunks: givenUp.map(\.name).filter { $0.stage == StageName.shard.rawValue }.map(\.chunk),
      from: &totals, ledger)
    let sums = totals
    func kept(_ stage: StageName) -> Int { sums[stage.rawValue]?["$.kept"] ?? 0 }
    let ingest = totals[StageName.ingest.rawValue] ?? [:]
    let rejected = ingest["$.facts.rejected"] ?? 0
    funnel = [
      Step(name: "rows", pairs: ingest["$.facts.rows"] ?? 0),
      // A pair that was fetched, dropped later and is asked for again is fetched once.
      Step(
        name: "fetched",
        pairs: kept(.download) - (ingest["$.facts.\(RunGenerations.retriedFetchedFact)"] ?? 0)),
      Step(name: "decoded", pairs: kept(.decode)),
      Step(name: "unique", pairs: kept(.deduplicate)), Step(name: "sharded", pairs: kept(.shard)),
      Step(name: "kept", pairs: kept(.filter)),
    ]
    self.rejected = rejected
    retried = ingest["$.facts.\(RunGenerations.retriedFact)"] ?? 0
    // Each retry takes up those that there were, and counts those that are left.
    transient =
      (totals[StageName.download.rawValue]?["$.facts.\(StageReport.transientFact)"] ?? 0)
      - (ingest["$.facts.\(RunGenerations.retriedTransientFact)"] ?? 0)
    failures = [:]
    for stage in [StageName.ingest, .download, .decode, .deduplicate, .filter] {
      for (path, count) in totals[stage.rawValue] ?? [:] where path.hasPrefix("$.dropped.") {
        failures[String(path.dropFirst("$.dropped.".count)), default: 0] += count
      }
    }
    // The newest fate of a retried pair counts, so its old one is taken back.
    let prefix = "$.facts.\(RunGenerations.retriedReasonPrefix)"
    for (path, count) in ingest where path.hasPrefix(prefix) {
      let reason = String(path.dropFirst(prefix.count))
      failures[reason, default: 0] -= count
    }
    failures = failures.filter { $0.value != 0 }
    jobs = tally.mapValues { states in
      Dictionary(uniqueKeysWithValues: states.map { ($0.rawValue, $1) })
    }
    quarantined = givenUp.map {
      Quarantined(job: $0.name.description, error: $0.error)
    }
    let seconds = Double(try await ledger.workedMilliseconds()) / 1_000
    elapsedSeconds = seconds
    rates = [:]
    for step in funnel where seconds > 0 { rates[step.name] = Double(step.pairs) / seconds }
    let all = tally.values.flatMap(\.values).reduce(0, +)
    let settled = tally.values.flatMap { $0 }.filter { $0.key.isSettled }.map(\.value).reduce(0, +)
    isFinished = all > 0 && settled == all
    // Of a run that has ended nothing changes any more, so nothing of it is told by the time.
    let reading = ProgressReading(
      totals: totals, tally: tally,
      progress: isFinished
        ? LedgerProgress()
        : try await ledger.progress(since: now - ProgressReading.window, now: now),
      elapsedSeconds: seconds, now: now)
    stages = reading.stages
    underWay = reading.underWay
    bytes = reading.bytes
    etaSeconds = reading.etaSeconds
    failuresByClass = Self.classes(of: failures, totals)
  }

  /// The reasons that pass by themselves, and the others.
  private static func classes(of failures: [String: Int], _ totals: [String: [String: Int]])
    -> [String: [String: Int]]
  {
    let download = totals[StageName.download.rawValue] ?? [:]
    let ingest = totals[StageName.ingest.rawValue] ?? [:]
    var classes: [String: [String: Int]] = ["transient": [:], "permanent": [:]]
    for (reason, count) in failures {
      var transient =
        (download["$.facts.\(StageReport.transientPrefix)\(reason)"] ?? 0)
        - (ingest["$.facts.\(RunGenerations.retriedTransientPrefix)\(reason)"] ?? 0)
      if !download.keys.contains(where: { $0.hasPrefix("$.facts." + StageReport.transientPrefix) }),
        DropReason(rawValue: reason)?.failureClass(status: nil) == .transient
      {
        transient = count
      }
      classes["transient"]?[reason] = transient > 0 ? min(transient, count) : nil
      classes["permanent"]?[reason] = count > max(0, transient) ? count - max(0, transient) : nil
    }
    return classes
  }

  /// Takes back what retries' chunks that were given up have counted: their pairs are as they were.
  private static func withdraw(
    chunks: [Int], from totals: inout [String: [String: Int]], _ ledger: any Ledger
  ) async throws {
    guard !chunks.isEmpty else { return }
    let ingest = StageName.ingest.rawValue
    let reports = try await ledger.counts(stage: ingest).map {
      (
        $0.chunk,
        try StageReport.decoded(
          $0.counts, of: JobName(stage: ingest, chunk: $0.chunk), in: ledger)
      )
    }
    for chunk in RunGenerations(ingest: reports).retries(in: chunks) {
      let prefix = RunGenerations.factPrefix(ofChunk: chunk)
      for (_, report) in reports {
        for (fact, count) in report.facts where fact.hasPrefix(prefix) {
          totals[ingest]?["$.facts." + fact.dropFirst(prefix.count), default: 0] -= count
        }
      }
      for stage in [StageName.download, .decode, .deduplicate] {
        let name = JobName(stage: stage.rawValue, chunk: chunk)
        guard let text = try await ledger.counts(of: name) else { continue }
        let report = try StageReport.decoded(text, of: name, in: ledger)
        totals[stage.rawValue]?["$.kept", default: 0] -= report.kept
        for (kind, counts) in [("dropped", report.dropped), ("facts", report.facts)] {
          for (key, count) in counts {
            totals[stage.rawValue]?["$.\(kind).\(key)", default: 0] -= count
          }
        }
      }
    }
  }
}
