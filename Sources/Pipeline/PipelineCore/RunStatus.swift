import FoundationEssentials
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
  /// Jobs by stage and state.
  public var jobs: [String: [String: Int]]
  public var quarantined: [Quarantined]
  /// Seconds that processes have worked on the run.
  public var elapsedSeconds: Double
  /// Pairs per second since the start, by step of the funnel.
  public var rates: [String: Double]
  /// Seconds to the end at the pace so far; nil before the first job and after the last.
  public var etaSeconds: Double?
  /// Every job has settled.
  public var isFinished: Bool

  /// Dropped pairs whose fate is final, ``transient`` ones aside.
  public var permanent: Int { max(0, failures.values.reduce(0, +) - transient) }

  /// The pairs of a step of the funnel.
  public func pairs(_ step: String) -> Int { funnel.first { $0.name == step }?.pairs ?? 0 }

  public init(ledger: any Ledger) async throws {
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
    etaSeconds =
      settled > 1 && settled < all ? seconds * Double(all - settled) / Double(settled) : nil
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

extension StageReport {
  /// The report as JSON text with sorted keys, as the ledger keeps it.
  package func encoded() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  /// The report that ``encoded()`` gave.
  package static func decoded(_ text: String) throws -> StageReport {
    try JSONDecoder().decode(StageReport.self, from: Data(text.utf8))
  }
}

extension StageContext {
  /// A context whose reports come from `ledger`.
  public init(folder: RunFolder, ledger: any Ledger) {
    self.init(
      folder: folder,
      report: { stage, chunk in
        let name = JobName(stage: stage.rawValue, chunk: chunk)
        return try await ledger.counts(of: name)
          .map { try StageReport.decoded($0, of: name, in: ledger) }
      }
    ) { stage in
      try await ledger.counts(stage: stage.rawValue).map {
        (
          $0.chunk,
          try StageReport.decoded(
            $0.counts, of: JobName(stage: stage.rawValue, chunk: $0.chunk), in: ledger)
        )
      }
    }
  }
}

extension StageReport {
  /// The report of a job, as a ledger keeps it.
  ///
  /// - Throws: `LedgerError.damaged` where the text is none.
  package static func decoded(
    _ text: String, of name: JobName, in ledger: any Ledger
  ) throws(LedgerError) -> StageReport {
    do {
      return try decoded(text)
    } catch {
      throw .damaged(path: ledger.path, message: "what \(name) has counted cannot be read")
    }
  }
}
