import DurableFiles
import PipelineCore
import Synchronization
import WorkerThreads

/// Looks through the tables of chunks as bytes, many at a time, and parses only what may be meant.
struct ChunkLines: Sendable {
  let folder: RunFolder
  let threads: Int

  /// A line that was asked for: its chunk and the row in it.
  struct Hit: Sendable, Equatable {
    var chunk: Int
    var row: Int
  }

  /// The lines for which `fits` holds, by row.
  ///
  /// - Parameters:
  ///   - chunks: Whose tables are read; one that is not there has no lines.
  ///   - needle: What stands in every line that may fit; nil for any line.
  ///   - fits: Asked of a line's bytes, on any thread.
  /// - Returns: Their chunks and rows, ascending.
  /// - Throws: `FileError`, or what `fits` throws.
  func find(
    in chunks: [Int], needle: [UInt8]?,
    where fits: @escaping @Sendable ([UInt8], Range<Int>) throws -> Bool
  ) async throws -> [Hit] {
    try await Parallel.detached {
      let shared = Mutex<Result<[Hit], any Error>>(.success([]))
      Parallel.forEach(chunks.count, threads: threads) { index in
        let found = Result { try hits(in: chunks[index], needle, fits) }
        if case .success(let found) = found, found.isEmpty { return }
        shared.withLock { shared in
          guard case .success(let hits) = shared else { return }
          shared = found.map { hits + $0 }
        }
      }
      return try shared.withLock { $0 }.get().sorted { ($0.row, $0.chunk) < ($1.row, $1.chunk) }
    }
  }

  private func hits(
    in chunk: Int, _ needle: [UInt8]?, _ fits: ([UInt8], Range<Int>) throws -> Bool
  ) throws -> [Hit] {
    let path = folder.chunkTable(chunk)
    guard DurableFile.exists(path) else { return [] }
    let bytes = try DurableFile.read(path)
    var hits: [Hit] = []
    func look(_ line: Range<Int>) throws {
      if try fits(bytes, line), let row = Self.row(bytes, line) {
        hits.append(Hit(chunk: chunk, row: row))
      }
    }
    if let needle {
      try ByteSearch(needle).forEachLine(in: bytes, look)
    } else {
      try ByteSearch.forEachLine(in: bytes, look)
    }
    return hits
  }

  private static let start = Array(#"{"row":"#.utf8)

  /// The number in `{"row":N,…`, as ingest begins every line; nil for another line.
  static func row(_ bytes: [UInt8], _ line: Range<Int>) -> Int? {
    guard line.count > start.count, bytes[line].starts(with: start) else { return nil }
    var number = 0
    for byte in bytes[(line.lowerBound + start.count)..<line.upperBound] {
      guard byte >= 0x30, byte <= 0x39, number < 1 << 52 else { break }
      number = number * 10 + Int(byte - 0x30)
    }
    return number
  }

  /// The first row of a chunk; nil where the chunk has none.
  func firstRow(of chunk: Int) throws -> Int? {
    let head = try DurableFile.read(folder.chunkTable(chunk), count: 32, at: 0)
    return Self.row(head, 0..<head.count)
  }

  /// The chunk of the list that would hold a row, whose chunks hold ascending rows.
  func chunk(ofRow row: Int, among chunks: Range<Int>) throws -> Int? {
    var (low, high) = (chunks.lowerBound, chunks.upperBound)
    var found: Int?
    while low < high {
      let middle = (low + high) / 2
      // A chunk whose rows were all rejected has none.
      var probe = middle
      var first = try firstRow(of: probe)
      while first == nil, probe + 1 < high {
        probe += 1
        first = try firstRow(of: probe)
      }
      if let first, first <= row {
        found = probe
        low = probe + 1
      } else {
        high = middle
      }
    }
    return found
  }
}
