import DurableFiles
import PipelineCore

/// The attempts at downloads that have left files in `fetched/`, found by one look at the folder.
struct FetchedFiles: Sendable {
  /// Attempts with a table, the highest first, by chunk.
  private var tables: [Int: [Int]] = [:]
  private var last: [Int: Int] = [:]

  init(_ folder: RunFolder) throws(FileError) {
    for name in try DurableFile.names(in: "\(folder.path)/fetched") {
      // NNNNN.ATTEMPT.parquet, .bytes, or either with the endings of a temporary file.
      let parts = name.split(separator: ".")
      guard parts.count > 2, let chunk = Int(parts[0]), let attempt = Int(parts[1]), attempt > 0
      else { continue }
      last[chunk] = max(last[chunk] ?? 0, attempt)
      if parts.count == 3, parts[2] == "parquet" { tables[chunk, default: []].append(attempt) }
    }
    tables = tables.mapValues { $0.sorted(by: >) }
  }

  /// Attempts at a chunk that have published their table, the highest first.
  func published(_ chunk: Int) -> [Int] { tables[chunk] ?? [] }

  /// The highest attempt at a chunk that has left any file; 0 where none has.
  func last(_ chunk: Int) -> Int { last[chunk] ?? 0 }
}
