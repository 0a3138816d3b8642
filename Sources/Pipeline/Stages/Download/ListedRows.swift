import DurableFiles
import PipelineCore

/// Holds a chunk's table against what ingest has counted.
///
/// A table that was cut at the end of a line reads like a whole one, and its other rows would be lost
/// without a word.
enum ListedRows {
  /// Makes sure that a table has all the rows of its chunk.
  ///
  /// - Parameters:
  ///   - count: The table's rows.
  ///   - chunk: The chunk.
  ///   - chunkRows: Rows of a whole chunk.
  ///   - run: The run, whose ledger has counted the list's rows and those of each retry.
  /// - Throws: ``StageError`` where rows are missing; what the ledger or the rejects lack.
  static func require(
    _ count: Int, of chunk: Int, chunkRows: Int, in run: StageContext
  ) async throws {
    let reports = try await run.reports(.ingest)
    let generations = RunGenerations(ingest: reports)
    let number = generations.number(ofChunk: chunk)
    guard let generation = generations.all.first(where: { $0.number == number }),
      let facts = reports.first(where: { $0.chunk == number })?.report.facts,
      facts[RunGenerations.importedFact] == nil
    else { return }
    let first = (chunk - generation.chunks.lowerBound) * chunkRows
    let rows = number == 0 ? facts["rows"] ?? 0 : generation.retried
    let range = first..<max(first, min(first + chunkRows, rows))
    var expected = range.count
    if number == 0, count != expected, facts["rejected"] ?? 0 > 0 {
      // What could not be read of the list stands in no chunk.
      let rejected = try PairTable.read(run.folder.rejects) { $0["row"]?.integer }
      expected -= rejected.count { range.contains($0) }
    }
    guard count == expected else {
      throw StageError(
        .download, chunk: chunk,
        "\(run.folder.chunkTable(chunk)) has \(count) of the chunk's \(expected) rows")
    }
  }
}
