public import CrawlPolicy
import DurableFiles
public import HTTPFetch
import ImageCodec
public import PipelineCore
import WorkerThreads

/// Fetches the candidates of a chunk that ingest kept.
///
/// Reads `chunks/NNNNN.jsonl`; writes the bodies end to end to `fetched/NNNNN.ATTEMPT.bytes` as they
/// arrive and `fetched/NNNNN.ATTEMPT.parquet` with a row for each candidate: where its body lies or why
/// there is none, the transfer and what a refusal rests on. Pictures that lie in existing shards are
/// copied from there. The only stage whose outputs hold wall-clock facts and may differ between runs.
/// Memory: the bodies in flight, which the fetcher bounds.
public struct DownloadStage: Stage {
  public let name = StageName.download
  public let lane = Lane.network
  private let fetcher: Fetcher
  private let chunkRows: Int?
  private let verifiesHashes: Bool
  private let blocklist: HashBlocklist?

  /// - Parameters:
  ///   - fetcher: The process's one; its limits hold over all chunks.
  ///   - verifiesHashes: Whether bodies must have the hashes that the list expects.
  ///   - blocklist: Hashes of bodies that are dropped.
  ///   - chunkRows: Rows of a whole chunk, by which one that lost rows is told; nil does not look.
  public init(
    fetcher: Fetcher, verifiesHashes: Bool = false, blocklist: HashBlocklist? = nil,
    chunkRows: Int? = nil
  ) {
    self.chunkRows = chunkRows
    self.fetcher = fetcher
    self.verifiesHashes = verifiesHashes
    self.blocklist = blocklist
  }

  /// Judges the first bytes of a body, so that what is no picture is not fetched to its end.
  ///
  /// What decoding would refuse by content anyway, under the same names.
  public static let sniff: BodySniff = { start in
    let bytes = Array(start)
    guard let format = ImageFormat.recognise(bytes) else {
      // Text may hide a drawing's root behind a long comment.
      return bytes.count < 1_024 ? .undecided : .notAnImage
    }
    return format.isDecodable ? .wanted : .unsupported(format.rawValue)
  }

  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    let listed = try await Parallel.detached {
      try JSONLines.read(run.folder.chunkTable(chunk.number), as: PairCandidate.init)
    }
    if let chunkRows {
      try await ListedRows.require(listed.count, of: chunk.number, chunkRows: chunkRows, in: run)
    }
    let candidates = listed.filter { $0.drop == nil }
    let forgotten = try await Parallel.detached { try ForgottenPairs.read(run.folder) }
    let hashes = verifiesHashes ? candidates : []
    let spool = try await BodySpool(
      path: run.folder.fetchedBytes(chunk.number, attempt: chunk.attempt), attempt: chunk.attempt,
      expectedHashes: Dictionary(
        uniqueKeysWithValues: hashes.compactMap { each in
          each.expectedHash.map { (each.row, $0) }
        }),
      blocklist: blocklist, forgotten: forgotten)
    // What was taken out is not fetched again, whoever asks.
    let (taken, wanted) = forgotten.split(candidates)
    await spool.refuse(taken.map(\.row))
    try await spool.copy(
      wanted.compactMap { each in each.picture.map { (each.row, $0) } })
    let requests = wanted.filter { $0.picture == nil }.map {
      FetchRequest(id: $0.row, url: $0.url)
    }
    let (results, continuation) = AsyncStream.makeStream(of: FetchResult.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { continuation.finish() }
        try await fetcher.fetch(requests) { continuation.yield($0) }
      }
      for await result in results { try await spool.append(result) }
      try await group.waitForAll()
    }
    try Task.checkCancellation()
    return try await spool.publish(chunk: chunk, expecting: candidates.count, in: run.folder)
  }
}

/// A disk without room for bodies, or a system without sockets, fails every chunk alike.
extension FetcherError: RunFault {}
