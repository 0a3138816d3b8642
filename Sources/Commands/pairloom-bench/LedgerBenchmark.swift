import ArgumentParser
import DurableFiles
import JobLedger
import PipelineCore

/// `ledger`: how fast jobs are handed out and settled, each durably.
struct LedgerBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger",
    abstract: "Claim and complete jobs, two durable transactions each.",
    discussion: """
      Prints jobs and jobs_per_s. Every transaction waits for the disk, so the figure is that of \
      the disk under the folder as much as of the program.
      """)

  @Option(help: "Jobs of one round.")
  var jobs = 1000

  @Option(help: "On the disk to measure; by default where temporary files go.")
  var folder: String?

  @OptionGroup var repetition: RoundOptions

  func validate() throws { try requirePositive(jobs, "--jobs") }

  func run() async throws {
    let temporary = try TemporaryFolder(in: folder)
    defer { temporary.remove() }
    var seconds: [Double] = []
    for round in 0...repetition.rounds {
      let ledger = try SQLiteLedger(path: "\(temporary.path)/\(round).sqlite")
      try await ledger.add(
        (0..<jobs).map { NewJob(JobName(stage: "work", chunk: $0), rank: 0) }, now: Self.now)
      let start = Rounds.Clock.wall.now
      try await settleAll(of: ledger)
      // The first round warms up.
      if round > 0 { seconds.append(Rounds.Clock.wall.now - start) }
    }
    let rounds = Rounds(clock: .wall, seconds: seconds)
    Figure(
      name: "ledger",
      values: [
        .init("jobs", .int(jobs)), .init("jobs_per_s", .rounded(Double(jobs) / rounds.median)),
      ], threads: 1, rounds: rounds
    ).print()
  }

  private func settleAll(of ledger: any Ledger) async throws {
    let owner = ProcessIdentity.owner(worker: "bench")
    var settled = 0
    while let lease = try await ledger.claim(
      stages: ["work"], owner: owner, duration: 60_000, now: Self.now)
    {
      try await ledger.complete(lease, counts: #"{"kept":1000}"#, now: Self.now)
      settled += 1
    }
    precondition(settled == jobs, "\(settled) of \(jobs) jobs were handed out")
  }

  /// The ledger never looks at the clock itself, and leases do not expire here.
  private static let now = 1_700_000_000_000
}
