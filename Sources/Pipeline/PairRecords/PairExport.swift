public import Compression
import DurableFiles
import ParquetFile
import PipelineCore
public import TableQuery
public import WorkerThreads

/// All tables of a run joined to one Parquet file: a row for each row of the list.
///
/// Rows are in the order of the list, each as its newest chunk tells of it, rejected ones among them;
/// what is not known yet is null. Reads some chunks at a time, so memory does not grow with the list but
/// by a number for each row that was retried. The file appears whole or not at all.
public struct PairExport: Sendable {
  /// What an export holds.
  public struct Outcome: Sendable, Equatable {
    /// Rows in the file.
    public var rows = 0
    /// Rows of the run, by fate.
    public var fates: [PairRecord.Fate: Int] = [:]
  }

  public let columns: ExportColumns
  private let run: RunRecords
  private let threads: Int

  /// - Parameters:
  ///   - run: A run, finished or not.
  ///   - threads: Chunks that are read at a time.
  /// - Throws: ``ExportError`` before the list has been taken in; what the folder lacks.
  public init(_ run: RunRecords, threads: Int = Parallel.coreCount) throws {
    guard run.rowCount != nil else {
      throw ExportError(
        problem: "\(run.folder.path): the list has not been taken in yet; export when `ingest` is"
          + " done")
    }
    self.run = run
    self.threads = threads
    columns = ExportColumns(carried: try ListColumns.read(run.folder), scorers: run.scorers)
  }

  /// The places of some columns among ``ExportColumns/all``.
  ///
  /// - Parameter names: Nil for all.
  /// - Returns: In the order asked for.
  /// - Throws: ``ExportError`` for a name that there is none of, or one that is asked for twice.
  public func places(of names: [String]?) throws(ExportError) -> [Int] {
    guard let names else { return Array(columns.all.indices) }
    var places: [Int] = []
    for name in names {
      guard let place = columns.all.firstIndex(where: { $0.name == name }) else {
        let all = columns.all.map(\.name)
        let meant = NearestWord.nearest(to: name, among: all)
        throw ExportError(
          problem: "there is no column \(name)" + (meant.map { "; did you mean \($0)?" } ?? ".")
            + " The columns are " + all.joined(separator: ", "))
      }
      guard !places.contains(place) else {
        throw ExportError(problem: "column \(name) is asked for twice")
      }
      places.append(place)
    }
    guard !places.isEmpty else { throw ExportError(problem: "name at least one column") }
    return places
  }

  /// Writes the file.
  ///
  /// - Parameters:
  ///   - path: Where it goes, in place of what was there.
  ///   - places: The columns, see ``places(of:)``.
  ///   - query: Rows to take, asked over all columns; nil for all.
  ///   - codec: Nil for no compression.
  ///   - onProgress: Told the chunks that are done and all, on the thread that writes.
  /// - Returns: What it holds.
  /// - Throws: What a table lacks, `ParquetError` where it cannot be written, ``TableQueryError``.
  public func write(
    to path: String, columns places: [Int], where query: TableQuery? = nil,
    codec: BlockCodec? = .zstd, onProgress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) async throws -> Outcome {
    let final = try await FinalShards(run, threads: threads)
    let attempts = try await run.downloadAttempts()
    return try await CancellationFlag.watch { flag in
      try await Parallel.detached {
        let chosen = columns.parquet(at: places)
        let writer = try ParquetWriter(
          path: path, columns: chosen, codec: codec, rowsPerGroup: 16_384,
          metadata: [("pairloom.export", "1")])
        var outcome = Outcome()
        let rows = try ExportRows(run, attempts: attempts, threads: threads)
        while let batch = try rows.next() {
          try flag.check()
          var values: [[TableValue]] = []
          for row in batch {
            switch row {
            case .pair(let record):
              outcome.fates[record.fate, default: 0] += 1
              values.append(columns.values(of: record, final: final.place(of: record)))
            case .rejected(let row, let reason):
              outcome.fates[.rejected, default: 0] += 1
              values.append(columns.values(ofRejected: row, reason: reason))
            }
          }
          if let query {
            let kept = try query.matches(values)
            values = kept.map { values[$0] }
          }
          outcome.rows += values.count
          try writer.append(
            zip(places, chosen).map { place, column in
              values.map { ExportColumns.cell($0[place], column) }
            })
          onProgress(rows.done, rows.all)
        }
        try writer.finish()
        return outcome
      }
    }
  }
}

/// What is wrong with what was asked of an export.
public struct ExportError: Error, Sendable, Equatable, CustomStringConvertible {
  public var problem: String

  public var description: String { problem }
}
