public import ParquetFile

/// Which pair a row of embeddings is of; what a foreign table lacks is empty.
public struct EmbeddingMetadata: Sendable, Equatable {
  public var uid = ""
  public var key = ""
  public var caption = ""
  public var url = ""
  /// The name of the shard that holds the pair.
  public var shard = ""

  public init() {}

  public init(uid: String, key: String, caption: String, url: String, shard: String) {
    self.uid = uid
    self.key = key
    self.caption = caption
    self.url = url
    self.shard = shard
  }

  /// As they are written: clip-retrieval reads `image_path`, `caption` and `url`.
  ///
  /// `image_path` is the key, which is what clip-retrieval itself writes for pairs of tars.
  public static let columns = [
    ParquetColumn("image_path", .string, isOptional: false),
    ParquetColumn("caption", .string, isOptional: false),
    ParquetColumn("url", .string, isOptional: false),
    ParquetColumn("uid", .string, isOptional: false),
    ParquetColumn("shard", .string, isOptional: false),
  ]

  /// The values of rows, by column.
  public static func values(_ rows: [EmbeddingMetadata]) -> [[ParquetValue]] {
    [
      rows.map { .text($0.key) }, rows.map { .text($0.caption) }, rows.map { .text($0.url) },
      rows.map { .text($0.uid) }, rows.map { .text($0.shard) },
    ]
  }

  /// The field that a column of ours, of clip-retrieval's or of DataComp's tables fills.
  private static let fields:
    [(column: String, set: @Sendable (inout EmbeddingMetadata, String) -> Void)] =
      [
        ("image_path", { $0.key = $1 }), ("key", { $0.key = $1 }), ("text", { $0.caption = $1 }),
        ("caption", { $0.caption = $1 }),
        ("url", { $0.url = $1 }), ("uid", { $0.uid = $1 }), ("shard", { $0.shard = $1 }),
      ]

  /// Calls `body` with some rows at a time of some tables, in order, and with the number of the first of them.
  ///
  /// - Throws: What `body` throws; else `ParquetError`.
  public static func forEachBatch(
    of tables: [String], _ body: (Int, [EmbeddingMetadata]) throws -> Void
  ) throws {
    var first = 0
    for path in tables {
      let reader = try ParquetReader(path: path)
      let known = fields.filter { field in
        reader.columns.contains { $0.name == field.column && !$0.isList }
      }
      let batches = try reader.batches(
        columns: known.isEmpty ? nil : known.map(\.column), rowsPerBatch: 8_192)
      while let batch = try batches.next() {
        var rows = [EmbeddingMetadata](repeating: EmbeddingMetadata(), count: batch.rowCount)
        for (index, field) in known.enumerated() {
          for row in 0..<batch.rowCount {
            switch batch.values[index][row] {
            case .text(let text): field.set(&rows[row], text)
            case .int(let number): field.set(&rows[row], String(number))
            default: break
            }
          }
        }
        try body(first, rows)
        first += batch.rowCount
      }
    }
  }
}

extension EmbeddingFolder {
  /// The metadata of some rows, by row; empty fields where there are no tables.
  ///
  /// - Throws: ``EmbeddingFileError`` where the tables have another count of rows.
  public func metadata(of wanted: Set<Int>) throws -> [Int: EmbeddingMetadata] {
    var found: [Int: EmbeddingMetadata] = [:]
    try forEachMetadata { first, rows in
      for (index, row) in rows.enumerated() where wanted.contains(first + index) {
        found[first + index] = row
      }
    }
    return found
  }

  /// Calls `body` with the metadata of all rows in order, some at a time.
  ///
  /// - Throws: What `body` throws; ``EmbeddingFileError`` where the tables have another count of rows.
  public func forEachMetadata(_ body: (Int, [EmbeddingMetadata]) throws -> Void) throws {
    guard !metadata.isEmpty else {
      return try body(0, [EmbeddingMetadata](repeating: EmbeddingMetadata(), count: count))
    }
    var rows = 0
    try EmbeddingMetadata.forEachBatch(of: metadata) { first, batch in
      rows += batch.count
      try body(first, batch)
    }
    guard rows == count else {
      throw EmbeddingFileError(
        path: path, .mismatch("\(rows) rows of metadata for \(count) vectors"))
    }
  }
}
