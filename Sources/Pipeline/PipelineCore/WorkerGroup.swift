import Glibc
public import JobLedger

/// Workers that take jobs from a ledger until every job has settled.
///
/// Downloads mostly wait, for the slowest of their hosts in the end, so many chunks are downloaded at
/// a time, and ``workers`` of them are computed on meanwhile. All jobs of a process share the stages.
public struct WorkerGroup: Sendable {
  public var ledger: any Ledger
  public var stages: [any Stage]
  public var context: StageContext
  /// Jobs of computing at a time.
  public var workers: Int
  /// Downloads at a time.
  public var downloads: Int
  /// Milliseconds that a lease lasts; it is renewed at a third of it.
  public var leaseDuration: Int
  /// Milliseconds since 1970.
  public var clock: @Sendable () -> Int
  /// The jobs that become known when a job completes.
  public var newJobs: @Sendable (StageName, StageReport) -> [NewJob]

  public init(
    ledger: any Ledger, stages: [any Stage], context: StageContext, workers: Int,
    downloads: Int = 1, leaseDuration: Int = 60_000,
    clock: @escaping @Sendable () -> Int = WorkerGroup.wallClock,
    newJobs: @escaping @Sendable (StageName, StageReport) -> [NewJob] = { _, _ in [] }
  ) {
    precondition(workers > 0 && downloads > 0, "a run needs a worker")
    self.ledger = ledger
    self.stages = stages
    self.context = context
    self.workers = workers
    self.downloads = downloads
    self.leaseDuration = leaseDuration
    self.clock = clock
    self.newJobs = newJobs
  }

  public static let wallClock: @Sendable () -> Int = {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
  }

  /// Works until every job has settled.
  ///
  /// - Throws: `CancellationError` after all leases were handed back; ``FileError``, ``RunFault`` and
  ///   ``LedgerError`` where the machine, not a chunk, is at fault: mend it, then resume.
  public func run() async throws {
    try await ledger.rescue(now: clock())
    try removeIntermediates(
      settled: await ledger.settledChunks(
        stages: [StageName.deduplicate.rawValue, StageName.shard.rawValue]))
    let session = try await ledger.beginSession(now: clock())
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await keepWatch(session: session) }
      group.addTask {
        try await withThrowingTaskGroup(of: Void.self) { lanes in
          lanes.addTask { try await work(lane: .compute, atOnce: workers) }
          lanes.addTask { try await work(lane: .network, atOnce: downloads) }
          // Not waitForAll(): when one lane fails, the others must be cancelled, not waited for.
          while try await lanes.next() != nil {}
        }
      }
      // The watch never ends by itself: the first to end is the work, or an error.
      try await group.next()
      group.cancelAll()
    }
    try await ledger.touchSession(session, now: clock())
  }

  /// Marks the session as alive and frees leases of workers that stalled, here or elsewhere.
  private func keepWatch(session: Int) async throws {
    while true {
      try await Task.sleep(for: .milliseconds(min(1_000, leaseDuration / 3)))
      try await ledger.touchSession(session, now: clock())
      try await ledger.rescue(now: clock())
    }
  }

  private static let shortestIdle = Duration.milliseconds(10)
  private static let longestIdle = Duration.milliseconds(320)

  /// Claims the jobs of a lane, runs up to `atOnce` of them at a time, and ends when all have settled.
  private func work(lane: Lane, atOnce: Int) async throws {
    let mine = stages.filter { $0.lane == lane }
    let names = mine.map(\.name.rawValue)
    let (places, freed) = AsyncStream.makeStream(of: Int.self)
    for place in 0..<atOnce { freed.yield(place) }
    var free = places.makeAsyncIterator()
    var idle = Self.shortestIdle
    try await withThrowingDiscardingTaskGroup { jobs in
      // The first job that throws cancels the group, but not this loop.
      while let place = await free.next(), !jobs.isCancelled {
        let owner = ProcessIdentity.owner(worker: "\(place)-\(lane.rawValue)")
        guard
          let lease = try await ledger.claim(
            stages: names, owner: owner, duration: leaseDuration, now: clock())
        else {
          if try await ledger.unsettledCount() == 0 { return }
          // Another job, here or in another process, will settle something; while everything waits
          // for the network, asking costs more than it brings.
          try await Task.sleep(for: idle)
          idle = min(idle * 2, Self.longestIdle)
          freed.yield(place)
          continue
        }
        idle = Self.shortestIdle
        guard let stage = mine.first(where: { $0.name.rawValue == lease.name.stage }) else {
          preconditionFailure("claimed \(lease.name), which this lane does not run")
        }
        jobs.addTask {
          defer { freed.yield(place) }
          try await perform(lease, stage)
        }
      }
    }
    try Task.checkCancellation()
  }

  private func perform(_ lease: Lease, _ stage: any Stage) async throws {
    let chunk = Chunk(number: lease.name.chunk, attempt: lease.attempt)
    do {
      let report = try await withHeartbeat(lease) { try await stage.run(chunk, in: context) }
      try await ledger.complete(
        lease, counts: try report.encoded(), newJobs: newJobs(stage.name, report), now: clock())
      try context.folder.removeIntermediates(of: chunk.number, after: stage.name)
    } catch let error as LedgerError {
      guard case .leaseLost = error else { throw error }
    } catch let error where error is CancellationError || Task.isCancelled {
      try await unlessLost { try await ledger.release(lease, now: clock()) }
      throw CancellationError()
    } catch {
      guard let fault = machineFault(error) else {
        try await unlessLost {
          try await ledger.fail(
            lease, error: "\(error)", isFinal: error is any LastingError, now: clock())
        }
        return
      }
      try await unlessLost { try await ledger.release(lease, now: clock()) }
      throw fault
    }
  }

  /// Settles a lease; a lost one is in other hands, and what this attempt wrote is not counted.
  private func unlessLost(_ settle: () async throws -> Void) async throws {
    do { try await settle() } catch let error as LedgerError {
      guard case .leaseLost = error else { throw error }
    }
  }

  /// Runs `body` while its lease is renewed; ends it when the lease is lost.
  private func withHeartbeat(
    _ lease: Lease, _ body: @escaping @Sendable () async throws -> StageReport
  ) async throws -> StageReport {
    try await withThrowingTaskGroup(of: StageReport?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        while true {
          try await Task.sleep(for: .milliseconds(leaseDuration / 3))
          _ = try await ledger.renew(lease, duration: leaseDuration, now: clock())
        }
      }
      defer { group.cancelAll() }
      guard let report = try await group.next() ?? nil else {
        preconditionFailure("a heartbeat ended without an error")
      }
      return report
    }
  }

  /// Removes what a killed process left between the completion of a job and its clearing up.
  private func removeIntermediates(settled: [String: Set<Int>]) throws {
    for (stage, kind) in [(StageName.deduplicate, "fetched"), (.shard, "decoded")] {
      let chunks = try context.folder.chunksWithBytes(in: kind)
      for chunk in chunks.intersection(settled[stage.rawValue] ?? []) {
        try context.folder.removeIntermediates(of: chunk, after: stage)
      }
    }
  }
}
