import DurableFiles
public import HTTPFetch
public import PipelineCore
import WorkerThreads

/// Fetches the candidates of a chunk that ingest kept.
///
/// Reads `chunks/NNNNN.jsonl`; writes the bodies end to end to `fetched/NNNNN.ATTEMPT.bytes` as they
/// arrive and `fetched/NNNNN.ATTEMPT.parquet` with a row for each candidate: where its body lies or why there
/// is none, status, final URL, tries and times. The only stage whose outputs hold wall-clock facts
/// and may differ between runs. Memory: the bodies in flight.
public struct DownloadStage: Stage {
  public let name = StageName.download
  public let lane = Lane.network
  private let fetcher: Fetcher

  /// - Parameter fetcher: The process's one; its limits hold over all workers.
  public init(fetcher: Fetcher) { self.fetcher = fetcher }

  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    let candidates = try await Parallel.detached {
      try JSONLines.read(run.folder.chunkTable(chunk.number), as: PairCandidate.init)
    }.filter { $0.drop == nil }
    let spool = try await BodySpool(
      path: run.folder.fetchedBytes(chunk.number, attempt: chunk.attempt), attempt: chunk.attempt)
    let (results, continuation) = AsyncStream.makeStream(of: FetchResult.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        await fetcher.fetch(candidates.map { FetchRequest(id: $0.row, url: $0.url) }) {
          continuation.yield($0)
        }
        continuation.finish()
      }
      for await result in results { try await spool.append(result) }
      try await group.waitForAll()
    }
    try Task.checkCancellation()
    return try await spool.publish(chunk: chunk, expecting: candidates.count, in: run.folder)
  }
}

/// Writes bodies to disk as they come, away from the fetcher's thread and Swift's pool.
private actor BodySpool {
  private let executor: BlockingExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  private let writer: DurableFileWriter
  private let attempt: Int
  private var rows: [FetchedRow] = []

  init(path: String, attempt: Int) async throws {
    executor = BlockingExecutor(label: "pairloom.bodies")
    writer = try DurableFileWriter(path)
    self.attempt = attempt
  }

  func append(_ result: FetchResult) throws {
    var drop: Drop?
    var bytes: ByteRange?
    if let body = result.body {
      bytes = ByteRange(offset: writer.byteCount, length: body.count)
      try writer.write(body)
    } else {
      drop = Drop(result.failure.map(DropReason.init) ?? .incomplete, detail: result.detail)
    }
    let seconds = (result.seconds * 1_000).rounded() / 1_000
    let record: [JSONValue.Member] = [
      .init("final_url", .string(result.finalURL)), .init("redirects", .int(result.redirects)),
      .init("tries", .int(result.attempts)),
      .init("content_type", result.contentType.map { .string($0) } ?? .null),
      .init("seconds", .number("\(seconds)")), .init("started_at", .int(result.startedAt)),
    ]
    rows.append(
      FetchedRow(
        row: result.id, attempt: attempt, status: result.status, record: record, drop: drop,
        bytes: bytes))
  }

  func publish(chunk: Chunk, expecting count: Int, in folder: RunFolder) throws -> StageReport {
    guard rows.count == count else {
      throw StageError(
        .download, chunk: chunk.number,
        "\(rows.count) results for \(count) URLs: the fetcher was shut down")
    }
    rows.sort { $0.row < $1.row }
    // The table last: where it is, its bytes are.
    try writer.commit()
    try PairTable.write(
      rows.map(\.json), columns: FetchedRow.columns,
      to: folder.fetchedTable(chunk.number, attempt: attempt))
    let drops = rows.compactMap(\.drop)
    return StageReport(
      input: count, kept: count - drops.count,
      dropped: Dictionary(drops.map { ($0.reason, 1) }, uniquingKeysWith: +),
      facts: ["bytes": writer.byteCount, StageReport.attemptFact: attempt])
  }
}
