import DurableFiles
import Foundation
import Glibc
import JobLedger
import ParquetFile
import PipelineCore
import Testing

/// What a worker makes of an error: the chunk's own, or the machine's.
@Suite struct WorkerGroupTests {
  /// Throws what `body` throws.
  struct FailingStage: Stage {
    let name = StageName.ingest
    let lane = Lane.compute
    let body: @Sendable (RunFolder) throws -> Void

    func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
      try body(run.folder)
      return StageReport(input: 0, kept: 0)
    }
  }

  /// Runs one job and gives its state and how the run ended.
  static func run(
    _ body: @escaping @Sendable (RunFolder) throws -> Void
  ) async throws -> (state: JobState?, error: (any Error)?) {
    let path = FileManager.default.temporaryDirectory.path + "/workers-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = RunFolder(path)
    try folder.make()
    let ledger = try SQLiteLedger(path: folder.ledger, retry: RetryPolicy(maxFailures: 1))
    let job = JobName(stage: "ingest", chunk: 0)
    try await ledger.add([NewJob(job, rank: 0)], now: WorkerGroup.wallClock())
    let group = WorkerGroup(
      ledger: ledger, stages: [FailingStage(body: body)],
      context: StageContext(folder: folder, ledger: ledger), workers: 1)
    var failure: (any Error)?
    do { try await group.run() } catch { failure = error }
    return (try await ledger.state(of: job), failure)
  }

  /// Symbolic links to a device without space under the names that a writer of `path` may use next.
  static func fill(_ path: String) throws {
    let probe = path + ".probe"
    let writer = try DurableFileWriter(probe)
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let name = try #require(
      DurableFile.names(in: folder).first { (folder + "/" + $0).hasPrefix(writer.path) })
    let number = try #require(Int(name.split(separator: ".").dropLast().last ?? ""))
    // Other tests of this process take numbers meanwhile; a second attempt finds its links there.
    for next in number + 1...number + 2_000 {
      let link = "\(path).\(getpid()).\(next).tmp"
      try #require(symlink("/dev/full", link) == 0 || errno == EEXIST)
    }
  }

  @Test("a disk that is full under a table ends the run, and its chunk is not to blame")
  func fullDisk() async throws {
    let (state, error) = try await Self.run { folder in
      try Self.fill(folder.shardTable(0))
      try PairTable.write(
        [.object([.init("row", .int(1))])], columns: [TableColumn("row", .int)],
        to: folder.shardTable(0))
    }
    let fault = try #require(error as? FileError)
    #expect(fault.errorNumber == ENOSPC)
    #expect("\(fault)".contains("Free some space, then run the same command again"))
    #expect(state == .available)
  }

  @Test("the system's refusal behind a table's error is told from a table that is damaged")
  func tables() async throws {
    let refusal = FileError(operation: "read 4 bytes at 0", path: "a.parquet", errorNumber: EIO)
    let (state, error) = try await Self.run { _ in
      throw ParquetError(path: "a.parquet", .file(refusal))
    }
    #expect(error as? FileError == refusal)
    #expect(state == .available)
    for problem in [
      ParquetError.Problem.damaged("no footer"),
      .file(FileError(operation: "open it", path: "a.parquet", errorNumber: ENOENT)),
    ] {
      let (state, error) = try await Self.run { _ in
        throw ParquetError(path: "a.parquet", problem)
      }
      #expect(error == nil)
      #expect(state == .quarantined)
    }
  }

  private struct Refused: LastingError, SystemRefusal {
    var refusal: FileError?
  }

  @Test(
    "what the system refuses ends the run, in whatever error it lies, and its chunk is not to blame",
    arguments: [ENOSPC, EDQUOT, EIO, EROFS, EMFILE, ENFILE, ENOMEM, EAGAIN])
  func refusals(number: Int32) async throws {
    let refusal = FileError(operation: "open", path: "a", errorNumber: number)
    for thrown: any Error in [refusal, Refused(refusal: refusal)] {
      let (state, error) = try await Self.run { _ in throw thrown }
      #expect(error as? FileError == refusal)
      #expect(state == .available)
    }
  }

  @Test("a lasting error that no refusal of the machine stands behind is the chunk's")
  func lasting() async throws {
    let absent = FileError(operation: "open", path: "a", errorNumber: ENOENT)
    for refusal in [nil, absent] {
      let (state, error) = try await Self.run { _ in throw Refused(refusal: refusal) }
      #expect(error == nil)
      #expect(state == .quarantined)
    }
  }

  private struct BrokenSetUp: RunFault {}

  @Test("a broken set-up ends the run, and its chunk is not to blame")
  func brokenSetUp() async throws {
    let (state, error) = try await Self.run { _ in throw BrokenSetUp() }
    #expect(error is BrokenSetUp)
    #expect(state == .available)
  }

  /// Publishes a download, but loses its lease while it does.
  struct OvertakenStage: Stage {
    let name = StageName.download
    let lane = Lane.network
    let ledger: SQLiteLedger

    func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
      let folder = run.folder
      try DurableFile.write([1], to: folder.fetchedBytes(0, attempt: chunk.attempt))
      try DurableFile.write([1], to: folder.fetchedTable(0, attempt: chunk.attempt))
      if chunk.attempt == 1 {
        // Its lease is taken as though it had been stopped for longer than that.
        try await ledger.rescue(now: WorkerGroup.wallClock() + 100_000)
        await #expect(throws: LedgerError.self) { try await run.requireLease() }
      } else {
        try await run.requireLease()
      }
      return StageReport(input: 0, kept: 0)
    }
  }

  @Test("an attempt that was taken over is not counted, and what it has published goes")
  func overtaken() async throws {
    let path = FileManager.default.temporaryDirectory.path + "/workers-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = RunFolder(path)
    try folder.make()
    let ledger = try SQLiteLedger(path: folder.ledger)
    let job = JobName(stage: "download", chunk: 0)
    try await ledger.add([NewJob(job, rank: 0)], now: WorkerGroup.wallClock())
    let group = WorkerGroup(
      ledger: ledger, stages: [OvertakenStage(ledger: ledger)],
      context: StageContext(folder: folder, ledger: ledger), workers: 1)
    try await group.run()
    #expect(try await ledger.history(of: job).map(\.outcome) == [.expired, .completed])
    #expect(
      try DurableFile.names(in: path + "/fetched") == ["00000.2.bytes", "00000.2.parquet"])
  }

  /// Waits for an end that comes only by cancellation, and not even by that while it is deaf.
  struct DeafStage: Stage {
    let name = StageName.ingest
    let lane = Lane.compute
    let began: AsyncStream<Void>.Continuation
    let goOn: AsyncStream<Void>

    func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
      began.yield()
      let goOn = goOn
      // Not cancelled with this one.
      await Task { for await _ in goOn { break } }.value
      return StageReport(input: 0, kept: 0)
    }
  }

  @Test("a lease can be handed back over the head of work that does not end")
  func handedBack() async throws {
    let path = FileManager.default.temporaryDirectory.path + "/workers-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = RunFolder(path)
    try folder.make()
    let ledger = try SQLiteLedger(path: folder.ledger)
    let job = JobName(stage: "ingest", chunk: 0)
    try await ledger.add([NewJob(job, rank: 0)], now: WorkerGroup.wallClock())
    let (begun, began) = AsyncStream.makeStream(of: Void.self)
    let (goOn, end) = AsyncStream.makeStream(of: Void.self)
    let held = HeldLeases()
    let group = WorkerGroup(
      ledger: ledger, stages: [DeafStage(began: began, goOn: goOn)],
      context: StageContext(folder: folder, ledger: ledger), workers: 1, held: held)
    let work = Task { try await group.run() }
    for await _ in begun { break }
    work.cancel()
    #expect(try await ledger.state(of: job) == .leased)
    await held.release(now: WorkerGroup.wallClock())
    #expect(try await ledger.state(of: job) == .available)
    #expect(try await ledger.history(of: job).map(\.outcome) == [.released])
    end.yield()
    await #expect(throws: CancellationError.self) { try await work.value }
    #expect(try await ledger.state(of: job) == .available)
  }
}
