import EmbeddingFiles
import ParquetFile
import PipelineCore

/// A pair with its vectors, as it waits for its part to be whole.
struct EmbeddedPair: Sendable {
  var metadata: EmbeddingMetadata
  /// Halves; nil where the picture does not decode.
  var image: [UInt8]?
  var text: [UInt8]
  /// Nil without a picture that decodes or a caption.
  var score: Float?
  var fault: String
}

/// The table of a chunk, and of all vectors where they are wanted as Parquet.
enum ChunkTable {
  static func columns(width: Int) -> [ParquetColumn] {
    EmbeddingMetadata.columns + [
      ParquetColumn("score", .float), ParquetColumn("fault", .string, isOptional: false),
      ParquetColumn("image", .fixedBytes(2 * width)),
      ParquetColumn("text", .fixedBytes(2 * width), isOptional: false),
    ]
  }

  static func write(_ pairs: [EmbeddedPair], width: Int, to path: String) throws {
    let writer = try ParquetWriter(path: path, columns: columns(width: width))
    try writer.append(values(pairs))
    try writer.finish()
  }

  static func values(_ pairs: [EmbeddedPair]) -> [[ParquetValue]] {
    EmbeddingMetadata.values(pairs.map(\.metadata)) + [
      pairs.map { $0.score.map { .float($0) } ?? .null }, pairs.map { .text($0.fault) },
      pairs.map { $0.image.map { .bytes($0) } ?? .null }, pairs.map { .bytes($0.text) },
    ]
  }

  static func read(_ path: String, width: Int) throws -> [EmbeddedPair] {
    let batches = try ParquetReader(path: path).batches(
      columns: columns(width: width).map(\.name), rowsPerBatch: EmbeddingPlan.chunkRows)
    var pairs: [EmbeddedPair] = []
    while let batch = try batches.next() {
      for row in 0..<batch.rowCount {
        let cells = batch.values.map { $0[row] }
        let texts = cells.prefix(5).map { if case .text(let text) = $0 { text } else { "" } }
        guard case .text(let fault) = cells[6], case .bytes(let vector) = cells[8],
          vector.count == 2 * width
        else {
          throw ShardEmbeddingError.damagedWork(path: path, problem: "row \(row) lacks a value")
        }
        var pair = EmbeddedPair(
          metadata: EmbeddingMetadata(
            uid: texts[3], key: texts[0], caption: texts[1], url: texts[2], shard: texts[4]),
          text: vector, fault: fault)
        if case .float(let score) = cells[5] { pair.score = score }
        if case .bytes(let image) = cells[7] { pair.image = image }
        pairs.append(pair)
      }
    }
    return pairs
  }
}
