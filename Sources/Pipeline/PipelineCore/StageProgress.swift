import JobLedger

/// Where one stage of a run stands: its jobs by state, its pace, and when it will be done.
public struct StageProgress: Codable, Sendable, Equatable {
  public var name: String
  /// Jobs of the stage; a stage without jobs yet is not told of.
  public var all: Int
  /// Completed jobs.
  public var done: Int
  /// Those that wait for another one.
  public var waiting: Int
  /// Those that may be claimed.
  public var available: Int
  /// Those in work.
  public var leased: Int
  /// Those that failed and are tried again after a pause.
  public var retryable: Int
  public var quarantined: Int
  /// Seconds until the first of ``retryable`` may be tried; 0 where it may be now.
  public var nextRetrySeconds: Double?
  /// Pairs that came in to the completed jobs.
  public var pairs: Int
  /// Pairs per second of late; nil while no process works or none was completed.
  public var recentRate: Double?
  /// Pairs per second since the start of the run; nil before anything is timed.
  public var meanRate: Double?
  /// Seconds to the stage's end at the pace of late, else at the mean; nil when nothing is left or known.
  public var etaSeconds: Double?

  /// Jobs that have not settled.
  public var left: Int { waiting + available + leased + retryable }
}

/// A job that is in work.
public struct JobUnderWay: Codable, Sendable, Equatable {
  /// As in `download 12`.
  public var job: String
  public var attempt: Int
  public var host: String
  public var process: Int
  public var worker: String
  /// Since the attempt began.
  public var seconds: Double
  /// Its worker has not been heard of for as long as a lease lasts: the job is about to be freed.
  public var isOverdue: Bool
}

/// Bytes that a run has moved, by completed jobs.
public struct RunBytes: Codable, Sendable, Equatable {
  /// Over the wire, bodies that were not kept included; nil for a run of before this was counted.
  public var received: Int?
  /// Of bodies that were kept.
  public var fetched: Int
  /// Of pictures as they were encoded again.
  public var decoded: Int
  /// Of the chunks' shards.
  public var sharded: Int

  public init(received: Int?, fetched: Int, decoded: Int, sharded: Int) {
    self.received = received
    self.fetched = fetched
    self.decoded = decoded
    self.sharded = sharded
  }
}

/// What is computed of a ledger's totals, tally and progress.
struct ProgressReading {
  /// Milliseconds over which the pace of late is taken.
  static let window = 300_000

  var totals: [String: [String: Int]]
  var tally: [String: [JobState: Int]]
  var progress: LedgerProgress
  var elapsedSeconds: Double
  var now: Int

  /// Seconds over which ``LedgerProgress/recent`` counts; nil while no process works.
  private var span: Double? {
    progress.since.map { Double(max(1, now - $0)) / 1_000 }
  }

  var stages: [StageProgress] {
    StageName.allCases.compactMap { stage in
      guard let states = tally[stage.rawValue] else { return nil }
      let pairs =
        totals[stage.rawValue]?[stage == .ingest ? "$.facts.rows" : "$.input"] ?? 0
      var step = StageProgress(
        name: stage.rawValue, all: states.values.reduce(0, +), done: states[.completed] ?? 0,
        waiting: states[.waiting] ?? 0, available: states[.available] ?? 0,
        leased: states[.leased] ?? 0, retryable: states[.retryable] ?? 0,
        quarantined: states[.quarantined] ?? 0,
        nextRetrySeconds: progress.nextRetry[stage.rawValue].map {
          Double(max(0, $0 - now)) / 1_000
        }, pairs: pairs)
      if elapsedSeconds > 0 && step.done > 0 { step.meanRate = Double(pairs) / elapsedSeconds }
      let pace = progress.recent[stage.rawValue]
      if let pace, let span { step.recentRate = Double(pace.input) / span }
      step.etaSeconds = eta(left: step.left, done: step.done, recent: pace?.jobs ?? 0)
      return step
    }
  }

  /// Seconds until `left` jobs are done.
  private func eta(left: Int, done: Int, recent: Int) -> Double? {
    guard left > 0 else { return nil }
    if let span, recent > 0 { return Double(left) * span / Double(recent) }
    return done > 0 && elapsedSeconds > 0 ? Double(left) * elapsedSeconds / Double(done) : nil
  }

  /// Seconds until every job is done: those of the stage that takes longest, and at least those of all.
  var etaSeconds: Double? {
    let settled = tally.values.flatMap { $0 }.filter { $0.key.isSettled }.map(\.value)
      .reduce(0, +)
    let left = tally.values.flatMap(\.values).reduce(0, +) - settled
    // The first chunks are read, connect to their hosts and fill the pipeline: they say nothing of the
    // others.
    guard left > 0, settled >= max(2, min(60, (settled + left) / 50)) else { return nil }
    let recent = progress.recent.values.reduce(0) { $0 + $1.jobs }
    let overall = eta(left: left, done: settled, recent: recent)
    guard recent > 0 else { return overall }
    return
      (stages.filter { progress.recent[$0.name] != nil }.compactMap(\.etaSeconds)
      + [overall].compactMap { $0 }).max()
  }

  var underWay: [JobUnderWay] {
    progress.leased.filter { !$0.isAbandoned }.map { job in
      JobUnderWay(
        job: job.name.description, attempt: job.attempt, host: job.host, process: job.processID,
        worker: job.worker, seconds: Double(max(0, now - job.startedAt)) / 1_000,
        isOverdue: job.expires <= now)
    }
  }

  var bytes: RunBytes {
    func sum(_ stage: StageName, _ path: String) -> Int? { totals[stage.rawValue]?[path] }
    return RunBytes(
      received: sum(.download, "$.facts." + StageReport.receivedBytesFact),
      fetched: sum(.download, "$.facts.bytes") ?? 0, decoded: sum(.decode, "$.facts.bytes") ?? 0,
      sharded: sum(.shard, "$.shard.bytes") ?? 0)
  }
}
