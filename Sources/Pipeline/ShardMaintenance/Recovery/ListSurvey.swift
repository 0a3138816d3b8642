import DurableFiles
import PipelineCore
import Synchronization
import WorkerThreads

/// What the files in `chunks/` say of the list's ingest and of the retries' first jobs.
struct ListSurvey: Sendable {
  /// Of the ingest jobs that are done, by generation.
  private(set) var reports: [Int: StageReport] = [:]
  private(set) var generations = RunGenerations(ingest: [])
  /// Why the list's own ingest does not count as done, by the file that is at fault.
  private(set) var problem: (file: String, words: String)?

  /// Looks at all tables of chunks.
  ///
  /// Memory: the table of a chunk per thread.
  ///
  /// - Parameters:
  ///   - folder: The run's.
  ///   - chunkRows: The rows of the list per chunk.
  ///   - threads: Tables that are read at a time.
  /// - Throws: `FileError`; ``RecoveryError/listIsLost(file:problem:)`` where a retry's chunks are not
  ///   all there.
  init(_ folder: RunFolder, chunkRows: Int, threads: Int) throws {
    guard let list = try Self.files(folder) else {
      let isThere = DurableFile.exists(folder.chunkFiles)
      problem = ("chunks/files.json", isThere ? "it cannot be read" : "it is missing")
      return
    }
    let retries = try Self.retries(folder)
    let first = (list.rows + chunkRows - 1) / chunkRows
    let all = max(
      first, retries.map { RunGenerations(ingest: [$0]).chunkCount }.max() ?? 0)
    let chunks = try Self.read(all, folder, threads: threads)
    if let report = ingest(list, chunks, first) { reports[0] = report } else { return }
    var next = first
    for (number, report) in retries {
      let generation = RunGenerations(ingest: [(number, report)]).all[0].chunks
      guard generation.lowerBound == next else {
        throw RecoveryError.listIsLost(
          file: "\(folder.retryReport(number))",
          problem: "its chunks begin at \(generation.lowerBound), those before end at \(next)")
      }
      for chunk in generation where chunks[chunk] == nil {
        throw RecoveryError.listIsLost(
          file: folder.chunkTable(chunk), problem: "it is missing or cannot be read")
      }
      reports[number] = report
      next = generation.upperBound
    }
    generations = RunGenerations(
      ingest: reports.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }

  private struct List {
    var rows = 0
    var rejected = 0
    var files = 0
  }

  /// The list as `files.json` tells of it; nil where that cannot be read.
  private static func files(_ folder: RunFolder) throws -> List? {
    let json = try unlessDamaged { try JSONValue.parse(try DurableFile.read(folder.chunkFiles)) }
    guard case .array(let files) = json else { return nil }
    var list = List()
    for file in files {
      guard let rows = file["rows"]?.integer, let rejected = file["rejected"]?.integer,
        (0...(1 << 52)).contains(rows), (0...rows).contains(rejected)
      else { return nil }
      list.rows += rows
      list.rejected += rejected
      list.files += 1
    }
    return list
  }

  /// The reports that retries have left, in order.
  private static func retries(_ folder: RunFolder) throws -> [(Int, StageReport)] {
    var retries: [(Int, StageReport)] = []
    for name in try DurableFile.names(in: "\(folder.path)/chunks") where name.hasPrefix("retry-") {
      guard let number = Int(name.dropFirst(6).prefix { $0 != "." }),
        folder.retryReport(number).hasSuffix("/" + name)
      else { continue }
      let report = try unlessDamaged {
        try StageReport.decoded(
          String(decoding: try DurableFile.read(folder.retryReport(number)), as: UTF8.self))
      }
      guard let report, RunGenerations(ingest: [(number, report)]).all.first?.number == number
      else {
        throw RecoveryError.listIsLost(
          file: folder.retryReport(number), problem: "it cannot be read")
      }
      retries.append((number, report))
    }
    return retries.sorted { $0.0 < $1.0 }
  }

  private struct Table: Sendable {
    var rows = 0
    var dropped: [DropReason: Int] = [:]
  }

  /// The tables of the chunks below `count`; nil in the place of one that cannot be read.
  private static func read(
    _ count: Int, _ folder: RunFolder, threads: Int
  ) throws -> [Table?] {
    let tables = Mutex([Table?](repeating: nil, count: count))
    let fault = Mutex<(any Error)?>(nil)
    Parallel.forEach(count, threads: threads) { chunk in
      do {
        let rows = try unlessDamaged {
          try JSONLines.read(folder.chunkTable(chunk), as: PairCandidate.init)
        }
        guard let rows else { return }
        var table = Table(rows: rows.count)
        for drop in rows.compactMap(\.drop) { table.dropped[drop.reason, default: 0] += 1 }
        let read = table
        tables.withLock { $0[chunk] = read }
      } catch {
        fault.withLock { $0 = $0 ?? error }
      }
    }
    if let fault = fault.withLock({ $0 }) { throw fault }
    return tables.withLock { $0 }
  }

  private mutating func ingest(_ list: List, _ chunks: [Table?], _ first: Int) -> StageReport? {
    var (rows, dropped): (Int, [DropReason: Int]) = (0, [:])
    for (chunk, table) in chunks.prefix(first).enumerated() {
      guard let table else {
        problem = ("chunks/\(RunFolder.digits(chunk)).jsonl", "it is missing or cannot be read")
        return nil
      }
      rows += table.rows
      dropped.merge(table.dropped, uniquingKeysWith: +)
    }
    guard rows == list.rows - list.rejected else {
      problem = (
        "chunks/",
        "the tables have \(rows) rows, the list \(list.rows - list.rejected)"
      )
      return nil
    }
    return StageReport(
      input: rows, kept: rows - dropped.values.reduce(0, +), dropped: dropped,
      facts: [
        "rows": list.rows, "rejected": list.rejected, "chunks": first, "files": list.files,
      ])
  }
}
