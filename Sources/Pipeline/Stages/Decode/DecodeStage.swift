import DurableFiles
public import PipelineCore
import Synchronization
public import WorkerProcesses
import WorkerThreads

/// Decodes, resizes and encodes the fetched pictures of a chunk.
///
/// Reads `fetched/NNNNN.ATTEMPT.parquet` and its bytes; writes what is kept in row order to
/// `decoded/NNNNN.bytes` and `decoded/NNNNN.parquet` with a row for each body: SHA-256 of what was
/// downloaded, sizes, or why it is no picture. The same bytes for any number of threads, and in processes
/// of their own or in this one. Memory: the encoded pictures of a block, about 64 MB or one picture.
public struct DecodeStage: Stage {
  public let name = StageName.decode
  public let lane = Lane.compute
  private let options: DecodeOptions
  private let threads: Int
  private let works: any PictureWorks
  private let isTested = TestedOnce()
  /// The most bodies that a thread takes at a time; small, so that all threads end at about the same time.
  private static let batch = 8

  /// - Parameters:
  ///   - options: What pictures become.
  ///   - threads: Pictures decoded at a time, per worker.
  ///   - worker: Starts a process that runs ``DecodeWorker/serve()``; nil decodes in this process,
  ///     which then goes down with a decoder that crashes.
  public init(options: DecodeOptions, threads: Int, worker: WorkerCommand? = nil) {
    self.options = options
    self.threads = threads
    works =
      worker.map { DecodeSandbox($0, options: options) } ?? InProcessWorks(options: options)
  }

  /// Decodes a chunk.
  ///
  /// - Throws: ``DecodeSetupError`` where it is not the list's fault that pictures fail: when no worker
  ///   starts or a picture of our own making cannot be decoded, which is tried before the first chunk
  ///   and whenever most of a chunk fails.
  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    let attempt = try await run.downloadAttempt(of: chunk.number)
    return try await CancellationFlag.watch { flag in
      try await Parallel.detached { try decode(chunk, fetchedBy: attempt, in: run.folder, flag) }
    }
  }

  private func decode(
    _ chunk: Chunk, fetchedBy attempt: Int, in folder: RunFolder, _ flag: CancellationFlag
  ) throws -> StageReport {
    try isTested.once { try test(isLarge: false, flag) }
    let table = folder.fetchedTable(chunk.number, attempt: attempt)
    let fetched = try PairTable.read(table, as: FetchedRow.init)
      .filter { $0.drop == nil }
    let boxes = try BlurBoxes(column: options.bboxColumn, chunk: chunk.number, in: folder)
    let writer = try DurableFileWriter(folder.decodedBytes(chunk.number))
    var rows: [DecodedRow] = []
    var tally = FailureTally()
    let weights = fetched.map { DecodeBlocks.weight(ofBody: $0.bytes?.length ?? 0, options) }
    for range in DecodeBlocks.ranges(of: weights) {
      let part = Array(fetched[range])
      let results = try results(part, boxes, chunk: chunk.number, folder, flag)
      for (row, result) in zip(part, results) {
        let sha256 = row.sha256 ?? ""
        tally.add(result, sha256: sha256)
        rows.append(
          try keep(result, of: row, sha256: sha256, chunk: chunk.number, in: writer))
      }
    }
    if tally.isSuspicious { try test(isLarge: true, flag) }
    if options.stopsOnCrashes, let error = tally.crashes(chunk: chunk.number) { throw error }
    // The table last: where it is, its bytes are.
    try writer.commit()
    try PairTable.write(
      rows.map(\.json), columns: DecodedRow.columns, to: folder.decodedTable(chunk.number))
    let drops = rows.compactMap(\.drop)
    return StageReport(
      input: rows.count, kept: rows.count - drops.count,
      dropped: Dictionary(drops.map { ($0.reason, 1) }, uniquingKeysWith: +),
      facts: ["bytes": writer.byteCount])
  }

  private func test(isLarge: Bool, _ flag: CancellationFlag) throws {
    if let problem = try works.selfTest(isLarge: isLarge, flag) {
      throw DecodeSetupError.selfTest(problem: problem)
    }
  }

  private func keep(
    _ result: PictureResult, of row: FetchedRow, sha256: String, chunk: Int,
    in writer: DurableFileWriter
  ) throws -> DecodedRow {
    switch result {
    case .cut(let count):
      throw StageError(
        .decode, chunk: chunk,
        "row \(row.row) has \(count) of \(row.bytes?.length ?? 0) bytes; the fetched file is cut")
    case .failed(let failure):
      return DecodedRow(
        row: row.row, sha256: sha256, drop: Drop(.decoderCrashed, detail: "\(failure)"))
    case .made(let picture):
      guard picture.drop == nil else {
        return DecodedRow(
          row: row.row, sha256: sha256, drop: picture.drop,
          originalWidth: picture.originalWidth, originalHeight: picture.originalHeight)
      }
      let bytes = ByteRange(offset: writer.byteCount, length: picture.bytes.count)
      try writer.write(picture.bytes)
      return DecodedRow(
        row: row.row, sha256: sha256, bytes: bytes, width: picture.width,
        height: picture.height, originalWidth: picture.originalWidth,
        originalHeight: picture.originalHeight, phash: picture.phash,
        signature: picture.signature, exif: picture.exif, format: picture.format)
    }
  }

  /// The results of a block, in the order of its rows, from as many threads as there may be.
  private func results(
    _ rows: [FetchedRow], _ boxes: BlurBoxes, chunk: Int, _ folder: RunFolder,
    _ flag: CancellationFlag
  ) throws -> [PictureResult] {
    // Few rows are large ones, of which each thread is to have some.
    let size = max(1, min(Self.batch, rows.count / (2 * threads)))
    let batches = (rows.count + size - 1) / size
    return try OrderedLanes.results(batches, threads: threads) { batch in
      try flag.check()
      return try self.results(
        of: rows[batch * size..<min((batch + 1) * size, rows.count)], boxes, chunk: chunk, folder,
        flag)
    }.flatMap { $0 }
  }

  private func results(
    of rows: ArraySlice<FetchedRow>, _ boxes: BlurBoxes, chunk: Int, _ folder: RunFolder,
    _ flag: CancellationFlag
  ) throws -> [PictureResult] {
    var results: [Int: PictureResult] = [:]
    var requests: [(index: Int, request: PictureRequest)] = []
    for (index, row) in zip(rows.indices, rows) {
      var request = PictureRequest(
        path: folder.fetchedBytes(chunk, attempt: row.attempt),
        bytes: row.bytes ?? ByteRange(offset: 0, length: 0))
      switch boxes.of(row: row.row) {
      case .none: break
      case .some(let boxes): request.boxes = boxes
      case .unreadable:
        results[index] = .made(Picture(drop: Drop(.badBoxes, detail: BlurBoxes.expectation)))
        continue
      }
      requests.append((index, request))
    }
    let made = try works.pictures(requests.map(\.request), flag)
    for (request, result) in zip(requests, made) { results[request.index] = result }
    return rows.indices.map { index in
      guard let result = results[index] else { preconditionFailure("row \(index) got no result") }
      return result
    }
  }

  /// Runs something until it has succeeded once, one caller at a time.
  private final class TestedOnce: Sendable {
    private let isDone = Mutex(false)

    func once(_ body: () throws -> Void) throws {
      try isDone.withLock { isDone in
        if isDone { return }
        try body()
        isDone = true
      }
    }
  }
}
