import ArgumentParser
import DurableFiles
import JobLedger
import PipelineCore

/// `ledger`: what it costs to make state changes durable, and what a large ledger costs.
struct LedgerBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger",
    abstract: "Durable state changes per second beside the disk's fsyncs, and a large ledger.",
    discussion: """
      Three lines. ledger: workers claim and complete jobs, each change answered after its fsync; \
      beside changes_per_s stand fsyncs_per_s, the disk's own rate of appending 4 KiB and calling \
      fdatasync, measured in turn with the rounds, and the ratio of both. A worker has as many jobs \
      under way as --lanes says, as a worker of a run has with its downloads. ledger_one_lane: the \
      same with one job per worker. ledger_large: a run's jobs entered in one call, then worked off; \
      claims in milliseconds, bytes on the disk, and how long what `status` reads takes.
      """)

  @Option(help: "Jobs of one round.")
  var jobs = 4000

  @Option(help: "Workers at a time.")
  var workers = 4

  @Option(help: "Jobs that each worker has under way in the first line.")
  var lanes = 16

  @Option(help: "Chunks of the large ledger, 5 jobs each; 166667 are the million of the target.")
  var chunks = 20_000

  @Option(help: "On the disk to measure; by default where temporary files go.")
  var folder: String?

  @OptionGroup var repetition: RoundOptions

  func validate() throws {
    try requirePositive(jobs, "--jobs")
    try requirePositive(workers, "--workers")
    try requirePositive(lanes, "--lanes")
    try requirePositive(chunks, "--chunks")
  }

  func run() async throws {
    let temporary = try TemporaryFolder(in: folder)
    defer { temporary.remove() }
    try await measureChanges("ledger", lanes: lanes, in: temporary)
    try await measureChanges("ledger_one_lane", lanes: 1, in: temporary)
    try await LargeLedger(chunks: chunks).measure(in: temporary)
  }

  private func measureChanges(
    _ name: String, lanes: Int, in temporary: TemporaryFolder
  ) async throws {
    var seconds: [Double] = []
    var fsyncs: [Double] = []
    for round in 0...repetition.rounds {
      let ledger = try SQLiteLedger(path: "\(temporary.path)/\(name)-\(round).sqlite")
      try await ledger.add(
        (0..<jobs).map { NewJob(JobName(stage: "work", chunk: $0), rank: 0) }, now: Self.now)
      let rate = try SyncRate.measure(in: temporary.path)
      let start = Rounds.Clock.wall.now
      try await settleAll(of: ledger, lanes: workers * lanes)
      // The first round warms up.
      guard round > 0 else { continue }
      seconds.append(Rounds.Clock.wall.now - start)
      fsyncs.append(rate)
    }
    let rounds = Rounds(clock: .wall, seconds: seconds)
    // A claim and a completion.
    let changes = Double(2 * jobs) / rounds.median
    let fsync = Rounds(clock: .wall, seconds: fsyncs).median
    Figure(
      name: name,
      values: [
        .init("jobs", .int(jobs)), .init("workers", .int(workers)), .init("lanes", .int(lanes)),
        .init("changes_per_s", .rounded(changes)), .init("fsyncs_per_s", .rounded(fsync)),
        .init("changes_per_fsync", .rounded(changes / fsync)),
        .init("jobs_per_s", .rounded(changes / 2)),
      ], threads: 1, rounds: rounds
    ).print()
  }

  private func settleAll(of ledger: SQLiteLedger, lanes: Int) async throws {
    let owner = ProcessIdentity.owner(worker: "bench")
    let settled = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<lanes {
        group.addTask {
          var settled = 0
          while let lease = try await ledger.claim(
            stages: ["work"], owner: owner, duration: 60_000, now: Self.now)
          {
            try await ledger.complete(lease, counts: LargeLedger.downloadCounts, now: Self.now)
            settled += 1
          }
          return settled
        }
      }
      return try await group.reduce(0, +)
    }
    precondition(settled == jobs, "\(settled) of \(jobs) jobs were handed out")
  }

  /// The ledger never looks at the clock itself, and leases do not expire here.
  static let now = 1_700_000_000_000
}
