import Foundation
import JobLedger
import PipelineCore

/// A run's ledger of many chunks, entered and worked off as a pipeline does it.
struct LargeLedger {
  var chunks: Int

  /// What a chunk of 1,000 rows reports, with some reasons of drops.
  static let downloadCounts = """
    {"dropped":{"bad_url":1,"connect":3,"http_status":49,"incomplete":2,"redirect":1,"robots":10},\
    "facts":{"bytes":12269912},"input":995,"kept":929}
    """

  private static let stages = ["download", "decode", "deduplicate", "shard", "score"]

  private static func name(_ stage: Int, _ chunk: Int) -> JobName {
    JobName(stage: stages[stage], chunk: chunk)
  }

  /// Five jobs a chunk, each needing the one before, a window of 16 chunks, one job after them all.
  private func plan() -> [NewJob] {
    var jobs: [NewJob] = []
    jobs.reserveCapacity(5 * chunks + 1)
    for chunk in 0..<chunks {
      for stage in 0..<5 {
        var after: [JobName] = []
        if stage == 0 && chunk >= 16 { after = [Self.name(3, chunk - 16)] }
        if stage == 2 && chunk > 0 { after = [Self.name(2, chunk - 1)] }
        jobs.append(
          NewJob(
            Self.name(stage, chunk), rank: stage + 1,
            needs: stage == 0 ? [] : [Self.name(stage - 1, chunk)], after: after))
      }
    }
    let last = NewJob(
      JobName(stage: "filter", chunk: 0), rank: 6, after: (0..<chunks).map { Self.name(4, $0) })
    return jobs + [last]
  }

  /// Enters, works off and reads, and prints a line.
  func measure(in temporary: TemporaryFolder) async throws {
    let path = temporary.path + "/large.sqlite"
    let ledger = try SQLiteLedger(path: path)
    let owner = ProcessIdentity.owner(worker: "0-compute")
    let now = LedgerBenchmark.now
    let clock = Rounds.Clock.wall
    try await ledger.add([NewJob(JobName(stage: "ingest", chunk: 0), rank: 0)], now: now)
    guard
      let ingest = try await ledger.claim(
        stages: ["ingest"], owner: owner, duration: 60_000, now: now)
    else { preconditionFailure("the first job cannot be claimed") }
    let jobs = plan()
    let begin = clock.now
    try await ledger.complete(ingest, counts: Self.downloadCounts, newJobs: jobs, now: now)
    let entered = clock.now
    var claims: [Double] = []
    var reads: [Double] = []
    while true {
      // What a status asks, now and then while it is worked on.
      if claims.count % (1 + jobs.count / 9) == 0 {
        let start = clock.now
        _ = (try await ledger.tally(), try await ledger.totals(), try await ledger.quarantined())
        _ = (try await ledger.unsettledCount(), try await ledger.workedMilliseconds())
        reads.append(clock.now - start)
      }
      let start = clock.now
      guard
        let lease = try await ledger.claim(
          stages: Self.stages + ["filter"], owner: owner, duration: 60_000, now: now)
      else { break }
      claims.append(clock.now - start)
      try await ledger.complete(lease, counts: Self.downloadCounts, now: now)
    }
    precondition(claims.count == jobs.count, "\(claims.count) of \(jobs.count) jobs were done")
    let worked = clock.now
    let size = try ["", "-wal"].reduce(0) { sum, suffix in
      let facts = try FileManager.default.attributesOfItem(atPath: path + suffix)
      return sum + (facts[.size] as? Int ?? 0)
    }
    let sorted = claims.sorted()
    Figure(
      name: "ledger_large",
      values: [
        .init("jobs", .int(jobs.count)), .init("enter_s", .rounded(entered - begin)),
        .init("work_s", .rounded(worked - entered)),
        .init("claim_ms", .rounded(1e3 * sorted[sorted.count / 2])),
        .init("claim_p99_ms", .rounded(1e3 * sorted[sorted.count * 99 / 100])),
        .init("status_ms", .rounded(1e3 * (reads.max() ?? 0))),
        .init("mb", .rounded(Double(size) / 1e6)),
        .init("bytes_per_job", .rounded(Double(size) / Double(jobs.count))),
      ], threads: 1, rounds: Rounds(clock: clock, seconds: [worked - begin])
    ).print()
  }
}
