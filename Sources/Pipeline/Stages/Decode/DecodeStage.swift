import ContentHashing
import DurableFiles
public import PipelineCore
import Synchronization
import WorkerThreads

/// Decodes, resizes and encodes the fetched pictures of a chunk.
///
/// Reads `fetched/NNNNN.ATTEMPT.parquet` and its bytes; writes the JPEGs in row order to `decoded/NNNNN.bytes`
/// and `decoded/NNNNN.parquet` with a row for each body: SHA-256 of what was downloaded, sizes, or why
/// it is no picture. Memory: a block of pictures per thread.
public struct DecodeStage: Stage {
  public let name = StageName.decode
  public let lane = Lane.compute
  private let options: DecodeOptions
  private let threads: Int
  /// The bodies that are worked on between two writes.
  private static let block = 64

  /// - Parameters:
  ///   - options: What pictures become.
  ///   - threads: Pictures decoded at a time, per worker.
  public init(options: DecodeOptions, threads: Int) {
    self.options = options
    self.threads = threads
  }

  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    let attempt = try await run.downloadAttempt(of: chunk.number)
    return try await CancellationFlag.watch { flag in
      try await Parallel.detached { try decode(chunk, fetchedBy: attempt, in: run.folder, flag) }
    }
  }

  private func decode(
    _ chunk: Chunk, fetchedBy attempt: Int, in folder: RunFolder, _ flag: CancellationFlag
  ) throws -> StageReport {
    let table = folder.fetchedTable(chunk.number, attempt: attempt)
    let fetched = try PairTable.read(table, as: FetchedRow.init)
      .filter { $0.drop == nil }
    let writer = try DurableFileWriter(folder.decodedBytes(chunk.number))
    var rows: [DecodedRow] = []
    for start in stride(from: 0, to: fetched.count, by: Self.block) {
      let part = Array(fetched[start..<min(start + Self.block, fetched.count)])
      for (row, picture) in zip(part, try pictures(part, chunk: chunk.number, folder, flag)) {
        var bytes: ByteRange?
        if picture.drop == nil {
          bytes = ByteRange(offset: writer.byteCount, length: picture.jpeg.count)
          try writer.write(picture.jpeg)
        }
        rows.append(
          DecodedRow(
            row: row.row, sha256: picture.sha256, drop: picture.drop, bytes: bytes,
            width: bytes.map { _ in picture.width }, height: bytes.map { _ in picture.height },
            originalWidth: picture.originalWidth, originalHeight: picture.originalHeight))
      }
    }
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

  private func pictures(
    _ rows: [FetchedRow], chunk: Int, _ folder: RunFolder, _ flag: CancellationFlag
  ) throws -> [PictureMaker.Picture] {
    let maker = PictureMaker(options: options)
    let results = Mutex<[Int: Result<PictureMaker.Picture, any Error>]>([:])
    Parallel.forEach(rows.count, threads: threads) { index in
      let result = Result {
        try flag.check()
        let row = rows[index]
        let range = row.bytes ?? ByteRange(offset: 0, length: 0)
        let body = try DurableFile.read(
          folder.fetchedBytes(chunk, attempt: row.attempt), count: range.length, at: range.offset)
        guard body.count == range.length else {
          throw StageError(
            .decode, chunk: chunk,
            "row \(row.row) has \(body.count) of \(range.length) bytes; the fetched file is cut")
        }
        return maker.picture(from: body, sha256: row.sha256 ?? ContentHash.sha256Hex(body))
      }
      results.withLock { $0[index] = result }
    }
    let found = results.withLock { $0 }
    return try rows.indices.map { index in
      guard let result = found[index] else { preconditionFailure("picture \(index) got no result") }
      return try result.get()
    }
  }
}
