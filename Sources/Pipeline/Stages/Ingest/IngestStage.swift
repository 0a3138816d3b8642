import DurableFiles
public import PipelineCore
import WorkerThreads

/// Turns a list into chunks of candidates: the run's first job, and its only one without a chunk.
///
/// Writes `chunks/NNNNN.jsonl`, one row per usable row of the list, and `rejects.parquet` with the file,
/// the line and the reason of every other; `chunks/columns.json` with the columns that rows carry and
/// their types, and `chunks/files.json` with the rows of each file. A row's number is its index among
/// all data rows of all files, rejected ones included. Drops what is no http(s) URL (`bad_url`) and
/// every row whose normalised URL an earlier row has (`duplicate_url`, with that row); pictures of a
/// shard without a URL are neither. Streams: memory holds one row and 64 MiB for finding duplicates,
/// however long the list; the disk holds the tables twice and 24 bytes per row meanwhile.
public struct IngestStage: Stage {
  public let name = StageName.ingest
  public let lane = Lane.compute
  private let options: IngestOptions
  private let limits: DuplicateFinder.Limits

  public init(options: IngestOptions) {
    self.options = options
    limits = DuplicateFinder.Limits()
  }

  /// An ingest whose search for duplicates is confined further.
  ///
  /// - Parameters:
  ///   - options: The list.
  ///   - fanOutBits: Two to this power are the parts into which hashes are split.
  ///   - mostDistinct: URLs that may be in memory at a time.
  package init(options: IngestOptions, fanOutBits: Int, mostDistinct: Int) {
    self.options = options
    limits = DuplicateFinder.Limits(
      fanOutBits: fanOutBits, mostDistinct: mostDistinct, mostDuplicates: mostDistinct)
  }

  public func run(_ chunk: Chunk, in run: StageContext) async throws -> StageReport {
    try await CancellationFlag.watch { flag in
      try await Parallel.detached { try ingest(into: run.folder, flag) }
    }
  }

  private func ingest(into folder: RunFolder, _ flag: CancellationFlag) throws -> StageReport {
    var reader = try ListReader(options)
    let spills = folder.path + "/chunks"
    let finder = try DuplicateFinder(folder: spills, limits: limits)
    let rejects = try RejectWriter(folder.rejects)
    var writer = CandidateWriter()
    var row = ListRow()
    let staged = try StagedRows(in: spills)
    var dropped: [DropReason: Int] = [:]
    var (number, rejected) = (0, 0)

    while number < options.limit ?? .max, try reader.next(&row) {
      if number % options.chunkRows == 0 { staged.beginChunk() }
      if number % 1_024 == 0 { try flag.check() }
      if let why = row.reject {
        try rejects.append(file: reader.path, line: row.line, row: number, reason: why)
        rejected += 1
      } else {
        switch try staged.append({ writer.append(row, number: number, to: &$0) }) {
        case .url(let hash): try finder.add(hash, row: number)
        case .badURL: dropped[.badURL, default: 0] += 1
        case .picture: break
        }
      }
      number += 1
    }
    try finder.duplicates(among: number, rowsPerChunk: options.chunkRows, check: flag.check) {
      chunks, duplicates in
      dropped[.duplicateURL, default: 0] += duplicates.count
      try staged.publish(
        chunks, duplicates: duplicates, path: folder.chunkTable, rowsPerChunk: options.chunkRows)
    }
    try rejects.commit()
    try ListFacts.write(reader, to: folder)
    // Nothing counts before the job is complete, so the tables are made durable together.
    try SettledLaterFile.settle(spills)
    return StageReport(
      input: number - rejected,
      kept: number - rejected - dropped.values.reduce(0, +), dropped: dropped,
      facts: [
        "rows": number, "rejected": rejected, "chunks": staged.chunkCount,
        "files": reader.counts.count,
      ])
  }
}

/// Writes `rejects.parquet`.
private struct RejectWriter {
  private let table: PairTableWriter

  init(_ path: String) throws {
    table = try PairTableWriter(
      path,
      columns: [
        TableColumn("file", .text, isOptional: false), TableColumn("line", .int, isOptional: false),
        TableColumn("row", .int, isOptional: false),
        TableColumn("reason", .text, isOptional: false),
      ])
  }

  func append(file name: String, line: Int, row: Int, reason: String) throws {
    try table.append(
      .object([
        .init("file", .string(name)), .init("line", .int(line)), .init("row", .int(row)),
        .init("reason", .string(reason)),
      ]))
  }

  func commit() throws { try table.finish() }
}

/// Writes what ingest learned about the list as a whole.
enum ListFacts {
  static func write(_ reader: ListReader, to folder: RunFolder) throws(FileError) {
    let columns = reader.schema.names.indices.map { index in
      JSONValue.object([
        .init("name", .string(String(decoding: reader.schema.names[index], as: UTF8.self))),
        // A column of nothing but nulls may be of any type.
        .init("type", .string((reader.schema.types[index] ?? .string).rawValue)),
      ])
    }
    try DurableFile.write(JSONValue.array(columns).serialized + "\n", to: folder.chunkColumns)
    let files = reader.counts.map { count in
      JSONValue.object([
        .init("file", .string(count.path)), .init("format", .string(count.format.rawValue)),
        .init("first_row", .int(count.firstRow)), .init("rows", .int(count.rows)),
        .init("rejected", .int(count.rejected)), .init("captions", .bool(count.hasCaptions)),
      ])
    }
    try DurableFile.write(JSONValue.array(files).serialized + "\n", to: folder.chunkFiles)
  }
}
