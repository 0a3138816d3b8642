import DownloadStage
import DurableFiles
import Foundation
import HTTPFetch
import PipelineCore
import Testing

/// A chunk's table that has lost rows at the end of a line, which reads like a whole one.
@Suite struct ListedRowsTests {
  /// Why a chunk of ten rows, of a list of 25 with two that could not be read, is not downloaded.
  private func problem(
    chunk: Int, rows: [Int], facts: [String: Int] = [:]
  ) async throws -> String? {
    let folder = RunFolder(
      FileManager.default.temporaryDirectory.path + "/listed-" + UUID().uuidString)
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    try folder.make()
    // No URL is asked for: all were dropped by the list already.
    let candidates = rows.map {
      PairCandidate(row: $0, uid: "u\($0)", url: "x", caption: "c", drop: Drop(.badURL))
    }
    try DurableFile.write(
      candidates.map { $0.json.serialized + "\n" }.joined(), to: folder.chunkTable(chunk))
    try PairTable.write(
      [3, 12].map { .object([.init("row", .int($0))]) },
      columns: [TableColumn("row", .int, isOptional: false)], to: folder.rejects)
    let fetcher = try Fetcher(options: FetchOptions())
    defer { fetcher.shutDown() }
    let report = StageReport(
      input: 23, kept: 23,
      facts: ["rows": 25, "rejected": 2, "chunks": 3].merging(facts) { $1 })
    let context = StageContext(folder: folder) { $0 == .ingest ? [(0, report)] : [] }
    do {
      _ = try await DownloadStage(fetcher: fetcher, chunkRows: 10)
        .run(Chunk(number: chunk, attempt: 1), in: context)
      return nil
    } catch let error as StageError {
      return error.problem
    }
  }

  @Test("a table with all rows but the rejected ones is whole, the last chunk's short one too")
  func whole() async throws {
    #expect(try await problem(chunk: 0, rows: [0, 1, 2, 4, 5, 6, 7, 8, 9]) == nil)
    #expect(try await problem(chunk: 1, rows: [10, 11] + Array(13..<20)) == nil)
    #expect(try await problem(chunk: 2, rows: Array(20..<25)) == nil)
  }

  @Test("a table that lost rows, or all of them, fails its chunk by name and number")
  func cut() async throws {
    let cut = try #require(try await problem(chunk: 0, rows: [0, 1, 2, 4]))
    #expect(cut.hasSuffix("/chunks/00000.jsonl has 4 of the chunk's 9 rows"))
    #expect(try await problem(chunk: 2, rows: [])?.hasSuffix("has 0 of the chunk's 5 rows") == true)
  }

  @Test("an imported list's chunks have gaps, which are no loss")
  func imported() async throws {
    #expect(try await problem(chunk: 0, rows: [0], facts: [RunGenerations.importedFact: 1]) == nil)
  }
}
