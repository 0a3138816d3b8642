import ArgumentParser
import Compression
import DurableFiles
import PairRecords
import PipelineCore
import TableQuery
import URLPipeline

/// `pairloom export DIR --out FILE`: all tables of a run in one.
struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Join all tables of a run to one Parquet file, a row for each row of the list.",
    discussion: """
      Rows are in the order of the list, each as its newest attempt tells of it, with what was asked \
      for, what came, hashes, sizes, where the pair is, scores, and why it was dropped. `fate` tells \
      kept, dropped, rejected (no usable row), pending (not done yet) and quarantined (given up with \
      its chunk); kept and dropped add up as in `pairloom status`. The run may be under way. Columns \
      of wall-clock facts (started_at, seconds, address, …) differ between runs, the others do not.

      pandas, pyarrow, DuckDB and whatever reads Parquet can read it. --where takes an SQL expression \
      (SQLite's) over all columns, chosen or not; started_at is a timestamp in the file, and \
      milliseconds since 1970 in the expression; kept is 1 or 0 there.

        pairloom export DIR --out pairs.parquet
        pairloom export DIR --out gone.parquet --where "reason = 'http_status' AND status = 404"
        pairloom export DIR --out urls.parquet --where "kept" --columns url,caption,final_shard,key

      The columns; behind caption come those of the list (under list_NAME where one has the name), at \
      the end score_NAME for each scorer:
      \(columns)
      """)

  private static let columns = ExportColumns.fixed.map { column in
    "  " + column.name + String(repeating: " ", count: max(1, 16 - column.name.count))
      + column.meaning
  }.joined(separator: "\n")

  @Argument(help: "The run's folder.")
  var folder: String

  @Option(help: "The file to write; it appears whole or not at all.")
  var out: String

  @Option(
    name: .customLong("where"),
    help: "An SQL expression over the columns: which rows. (default: all)"
  )
  var expression: String?

  @Option(name: .customLong("columns"), help: "Columns, with commas between. (default: all)")
  var chosen: String?

  @Option(help: "zstd, snappy, gzip or none.")
  var compression: String = "zstd"

  @Flag(help: "One JSON object about the file instead of a line.")
  var json = false

  @Option(help: "Chunks that are read at a time. (default: the cores)")
  var workers: Int?

  private static let codecs: [String: BlockCodec] = [
    "zstd": .zstd, "snappy": .snappy, "gzip": .gzip,
  ]

  func validate() throws {
    guard workers ?? 1 > 0 else { throw ValidationError("--workers must be 1 or more.") }
    guard compression == "none" || Self.codecs[compression] != nil else {
      throw ValidationError("--compression must be zstd, snappy, gzip or none.")
    }
  }

  func run() async throws {
    let records = try await RunRecords(folder)
    let export = try workers.map { try PairExport(records, threads: $0) } ?? PairExport(records)
    let names = chosen?.split(separator: ",").map { name in
      String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    let places = try export.places(of: names)
    let query = try expression.map { try TableQuery(columns: export.columns.all, where: $0) }
    let progress = WorkProgress()
    let work = Task {
      try await export.write(
        to: out, columns: places, where: query, codec: Self.codecs[compression]
      ) { done, all in
        progress.show { "export: \(done) of \(all) chunks" }
      }
    }
    Interruption.shared.watch { work.cancel() }
    let outcome: PairExport.Outcome
    do {
      outcome = try await work.value
    } catch is CancellationError {
      throw CommandFailure(
        description: "interrupted; \(out) is as it was", code: Interruption.shared.exitCode)
    }
    try report(outcome, columns: places.count)
  }

  private func report(_ outcome: PairExport.Outcome, columns: Int) throws {
    let bytes = try DurableFile.size(of: out)
    guard json else {
      let fates = PairRecord.Fate.allCases.compactMap { fate in
        outcome.fates[fate].map { "\($0) \(fate.rawValue)" }
      }.joined(separator: ", ")
      return Terminal.print(
        "\(out): \(outcome.rows) rows, \(columns) columns, \(ByteCount.words(bytes))"
          + (fates.isEmpty ? "" : "; the run's rows: \(fates)"))
    }
    Terminal.print(
      JSONValue.object([
        .init("file", .string(out)), .init("rows", .int(outcome.rows)),
        .init("columns", .int(columns)), .init("bytes", .int(bytes)),
        .init(
          "fates",
          .object(
            PairRecord.Fate.allCases.map {
              .init($0.rawValue, .int(outcome.fates[$0] ?? 0))
            })),
      ]).serialized)
  }
}

extension ExportError: UsageError {}
