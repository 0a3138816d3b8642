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
  /// What these workers have leased.
  public var held: HeldLeases
  /// The jobs that become known when a job completes.
  public var newJobs: @Sendable (StageName, StageReport) -> [NewJob]

  public init(
    ledger: any Ledger, stages: [any Stage], context: StageContext, workers: Int,
    downloads: Int = 1, leaseDuration: Int = 60_000,
    clock: @escaping @Sendable () -> Int = WorkerGroup.wallClock,
    held: HeldLeases = HeldLeases(),
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
    self.held = held
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
    try await removeIntermediates()
    do {
      try await workAndWatch()
    } catch {
      await held.release(now: clock())
      throw error
    }
    // Processes that were killed meanwhile have left theirs.
    try await removeIntermediates()
  }

  private func workAndWatch() async throws {
    let session = try await ledger.beginSession(now: clock())
    do {
      try await work(in: session)
    } catch {
      // What was worked until then counts; the error that ended it is the one to tell.
      try? await ledger.endSession(session, now: clock())
      throw error
    }
    try await ledger.endSession(session, now: clock())
  }

  private func work(in session: Int) async throws {
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
  }

  /// Frees the jobs of processes that are dead or silent, and says that this one is neither.
  private func keepWatch(session: Int) async throws {
    let interval = max(1, min(1_000, leaseDuration / 3))
    var last = clock()
    var passedOver = 0
    while true {
      try await Task.sleep(for: .milliseconds(interval))
      let now = clock()
      try await ledger.touchSession(session, now: now)
      // The process was stopped, the machine asleep or the clock set: our own leases have run out with
      // the others', and every living owner's heartbeat comes first.
      if now - last >= leaseDuration { passedOver = leaseDuration / 2 / interval }
      last = now
      if passedOver > 0 {
        passedOver -= 1
      } else {
        try await ledger.rescue(now: now)
      }
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
        held.add(lease, of: ledger)
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
    var context = context
    context.requireLease = {
      _ = try await ledger.renew(lease, duration: leaseDuration, now: clock())
    }
    let leased = context
    do {
      let report = try await withHeartbeat(lease) { try await stage.run(chunk, in: leased) }
      try await ledger.complete(
        lease, counts: try report.encoded(), newJobs: newJobs(stage.name, report), now: clock())
      held.remove(lease)
      try context.folder.removeIntermediates(
        of: chunk.number, after: stage.name, keeping: context.keep)
      if stage.name == context.lastReaderOfBodies {
        try context.folder.removeIntermediates(
          of: chunk.number, after: .deduplicate, keeping: context.keep)
      }
    } catch let error as LedgerError {
      guard case .leaseLost = error else { throw error }
      held.remove(lease)
      try await clear(chunk, of: stage.name)
    } catch let error where error is CancellationError || Task.isCancelled {
      try await handBack(lease)
      throw CancellationError()
    } catch {
      guard let fault = machineFault(error) else {
        try await unlessLost {
          try await ledger.fail(
            lease, error: "\(error)", isFinal: error is any LastingError, now: clock())
        }
        return held.remove(lease)
      }
      do { try await handBack(lease) } catch {
        // Where the disk is full the ledger may refuse, too; what began it is the one to tell.
      }
      throw fault
    }
  }

  private func handBack(_ lease: Lease) async throws {
    try await unlessLost { try await ledger.release(lease, now: clock()) }
    held.remove(lease)
  }

  /// Removes what an attempt has left whose job is in other hands: the other's files stay.
  private func clear(_ chunk: Chunk, of stage: StageName) async throws {
    if stage == .download {
      try context.folder.removeFetched(chunk.number, attempt: chunk.attempt)
    }
    for reader in [StageName.deduplicate, .shard] {
      let job = JobName(stage: reader.rawValue, chunk: chunk.number)
      if try await ledger.state(of: job) == .completed {
        try context.folder.removeIntermediates(
          of: chunk.number, after: reader, keeping: context.keep)
      }
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
  private func removeIntermediates() async throws {
    for (stage, kind) in [(context.lastReaderOfBodies, Intermediate.fetched), (.shard, .decoded)]
    where !context.keep.contains(kind) {
      // A chunk that was given up keeps its bytes: a person may hand it back.
      let completed = try await ledger.completedChunks(stage: stage.rawValue)
      let chunks = try context.folder.chunksWithBytes(of: kind)
      for chunk in chunks.intersection(completed) {
        try context.folder.removeIntermediates(
          of: chunk, after: kind == .fetched ? .deduplicate : stage)
      }
    }
  }
}
