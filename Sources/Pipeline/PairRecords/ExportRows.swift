import DurableFiles
import ParquetFile
import PipelineCore
import Synchronization
import URLPipeline
import WorkerThreads

/// The rows of a run in the order of the list, some chunks at a time.
final class ExportRows {
  enum Row: Sendable {
    case pair(PairRecord)
    case rejected(row: Int, reason: String)
  }

  /// Chunks of the list that have been given, and all.
  private(set) var done = 0
  let all: Int

  private let run: RunRecords
  private let attempts: [Int: Int]
  private let threads: Int
  private let chunks: Range<Int>
  /// The newest chunk of rows that were asked for again.
  private let newest: [Int: Int]
  /// Rows of retries' chunks that were read, the longest unused first.
  private var retried: [(chunk: Int, rows: [Int: PairRecord])] = []
  private let rejects: ParquetBatches?
  private var pending: [(row: Int, reason: String)] = []
  private var hasEnded = false
  /// Rows of one retry lie in its chunks in the order of those that they came from.
  private static let mostRetried = 16

  init(_ run: RunRecords, attempts: [Int: Int], threads: Int) throws {
    self.run = run
    self.attempts = attempts
    self.threads = max(1, threads)
    chunks = run.listChunks
    all = chunks.count
    newest = try FetchTableReader.newestChunks(
      of: run.generations, without: run.givenUp, in: run.folder)
    rejects =
      DurableFile.exists(run.folder.rejects)
      ? try ParquetReader(path: run.folder.rejects).batches(
        columns: ["row", "reason"], rowsPerBatch: 4_096) : nil
  }

  /// The next rows; nil after the last.
  func next() throws -> [Row]? {
    guard done < chunks.count else {
      if hasEnded { return nil }
      hasEnded = true
      let rest = try rejected(before: .max)
      return rest.isEmpty ? nil : rest
    }
    let range = chunks.dropFirst(done).prefix(threads)
    let read = try read(Array(range))
    done += range.count
    var rows: [Row] = []
    // An import's chunks are in the order of its shards.
    for record in read.joined().sorted(by: { $0.row < $1.row }) {
      rows += try rejected(before: record.row)
      if let chunk = newest[record.row] {
        rows.append(.pair(try retry(record.row, in: chunk)))
      } else {
        rows.append(.pair(record))
      }
    }
    return rows
  }

  private func read(_ chunks: [Int]) throws -> [[PairRecord]] {
    let (run, attempts) = (run, attempts)
    let results = Mutex<[Result<[PairRecord], any Error>?]>(
      .init(repeating: nil, count: chunks.count))
    Parallel.forEach(chunks.count, threads: threads) { index in
      let chunk = chunks[index]
      let result = Result { try run.records(of: chunk, attempt: attempts[chunk]) }
      results.withLock { $0[index] = result }
    }
    return try results.withLock { $0 }.map { try $0?.get() ?? [] }
  }

  private func retry(_ row: Int, in chunk: Int) throws -> PairRecord {
    if let place = retried.lastIndex(where: { $0.chunk == chunk }) {
      if place != retried.count - 1 { retried.append(retried.remove(at: place)) }
    } else {
      if retried.count == Self.mostRetried { retried.removeFirst() }
      let records = try run.records(of: chunk, attempt: attempts[chunk])
      retried.append(
        (
          chunk,
          Dictionary(records.map { ($0.row, $0) }, uniquingKeysWith: { first, _ in first })
        ))
    }
    guard let record = retried.last?.rows[row] else {
      throw TableError(
        path: run.folder.chunkTable(chunk), row: row, problem: "it had the row, and has it no more")
    }
    return record
  }

  /// The rejected rows before `row` that were not given yet.
  private func rejected(before row: Int) throws -> [Row] {
    var rows: [Row] = []
    while true {
      while let first = pending.first, first.row < row {
        rows.append(.rejected(row: first.row, reason: first.reason))
        pending.removeFirst()
      }
      guard pending.isEmpty, let batch = try rejects?.next() else { return rows }
      for case (.int(let row), .text(let reason)) in zip(batch.values[0], batch.values[1]) {
        pending.append((Int(row), reason))
      }
    }
  }
}
