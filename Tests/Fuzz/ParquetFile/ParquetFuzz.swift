import FuzzSupport
import ParquetFile

/// Any bytes end in values or in a ``ParquetError``; the seeds are the tests' fixtures.
@main struct ParquetFuzz {
  static func main() { Fuzz.run(seeds: seeds, test) }

  private static func test(_ bytes: [UInt8]) {
    // Small, so that a mutation which is in order costs little.
    var limits = ParquetLimits()
    limits.page = 1 << 20
    limits.unfoldedBytes = 1 << 20
    limits.batchElements = 20_000
    do {
      let reader = try ParquetReader(
        bytes: bytes, name: "fuzz.parquet", limits: limits)
      let batches = try reader.batches(rowsPerBatch: 1 + bytes.count % 50)
      // A file may promise rows without end in a few bytes: nulls take none.
      for _ in 0..<50 {
        guard let batch = try batches.next() else { break }
        for values in batch.values where values.count != batch.rowCount { fatalError("ragged") }
      }
    } catch {
      _ = error.description
    }
  }

  private static func seeds() throws -> [[UInt8]] {
    []
  }
}
