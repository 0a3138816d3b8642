import DurableFiles
import EmbeddingFiles
import ParquetFile
import PipelineCore

/// Makes the files of a part from its chunks.
///
/// Pairs whose picture does not decode have no row there, but in `undecoded/`. Memory: what is said of the pairs
/// of a part, and a chunk with its vectors.
struct PartAssembly {
  let work: EmbeddingWork
  let plan: EmbeddingPlan
  let width: Int
  let options: ShardEmbeddingOptions
  /// What the footer of the table of scores says.
  let scoreMetadata: [(key: String, value: String)]

  func publish(_ part: Int) throws {
    let chunks = plan.chunks(of: part).map { work.chunk($0) }
    var kept: [EmbeddingMetadata] = []
    var scores: [PairScore] = []
    var undecoded: [JSONValue] = []
    for path in chunks {
      for pair in try ChunkTable.read(path, width: width) {
        if pair.image != nil {
          kept.append(pair.metadata)
          scores.append(pair.score.map { PairScore($0) } ?? PairScore(.noCaption))
        } else {
          undecoded.append(Self.undecoded(pair))
        }
      }
    }
    for kind in [EmbeddingWork.Kind.image, .text, .metadata, .scores] {
      try DurableFile.makeFolder(work.folder(kind))
    }
    try writeVectors(of: part, chunks, rows: kept.count)
    try PairTable.write(
      zip(kept, scores).map { ScoreTable.row(uid: $0.uid, key: $0.key, $1) },
      columns: ScoreTable.columns(
        hasFaults: scores.contains { $0.fault != nil }, hasKinds: false),
      to: work.file(part, .scores), metadata: scoreMetadata)
    if !undecoded.isEmpty {
      try DurableFile.makeFolder(work.folder(.undecoded))
      try PairTable.write(
        undecoded, columns: Self.undecodedColumns, to: work.file(part, .undecoded))
    }
    let metadata = try ParquetWriter(
      path: work.file(part, .metadata), columns: EmbeddingMetadata.columns)
    try metadata.append(EmbeddingMetadata.values(kept))
    try metadata.finish()
  }

  private func writeVectors(of part: Int, _ chunks: [String], rows: Int) throws {
    let image = try NumpyWriter(work.file(part, .image), rows: rows, columns: width)
    let text = try NumpyWriter(work.file(part, .text), rows: rows, columns: width)
    var table: ParquetWriter?
    if options.writesParquet {
      try DurableFile.makeFolder(work.folder(.vectors))
      table = try ParquetWriter(
        path: work.file(part, .vectors), columns: Self.vectorColumns(width: width),
        rowsPerGroup: 8_192)
    }
    for path in chunks {
      let pairs = try ChunkTable.read(path, width: width).filter { $0.image != nil }
      try image.append(bytes: pairs.flatMap { $0.image ?? [] })
      try text.append(bytes: pairs.flatMap(\.text))
      try table?.append([
        pairs.map { .text($0.metadata.uid) }, pairs.map { .text($0.metadata.key) },
        pairs.map { .bytes($0.image ?? []) }, pairs.map { .bytes($0.text) },
      ])
    }
    try image.finish()
    try text.finish()
    try table?.finish()
  }

  /// Vectors as little-endian halves: `numpy.frombuffer(b"".join(column), "<f2").reshape(-1, width)`.
  private static func vectorColumns(width: Int) -> [ParquetColumn] {
    [
      ParquetColumn("uid", .string, isOptional: false),
      ParquetColumn("key", .string, isOptional: false),
      ParquetColumn("image", .fixedBytes(2 * width), isOptional: false),
      ParquetColumn("text", .fixedBytes(2 * width), isOptional: false),
    ]
  }

  private static let undecodedColumns = ["uid", "key", "shard", "problem"].map {
    TableColumn($0, .text, isOptional: false)
  }

  private static func undecoded(_ pair: EmbeddedPair) -> JSONValue {
    .object([
      .init("uid", .string(pair.metadata.uid)), .init("key", .string(pair.metadata.key)),
      .init("shard", .string(pair.metadata.shard)), .init("problem", .string(pair.fault)),
    ])
  }
}
