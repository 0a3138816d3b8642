import PairDataset
import PipelineCore

/// What is embedded, and how it is cut: the same for every process that works on a folder.
struct EmbeddingPlan: Sendable {
  /// Pairs that are embedded together and are durable together: an interrupted command loses no more.
  static let chunkRows = 512

  let shards: [String]
  /// Pairs of each shard.
  let pairs: [Int]
  /// A multiple of ``chunkRows``.
  let partRows: Int
  /// The number of each shard's first row, and behind the last that of all rows.
  private let starts: [Int]

  init(shards: [String], pairs: [Int], partRows: Int) {
    self.shards = shards
    self.pairs = pairs
    self.partRows = partRows
    starts = pairs.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
  }

  var rows: Int { starts[starts.count - 1] }
  var chunks: Int { (rows + Self.chunkRows - 1) / Self.chunkRows }
  var parts: Int { (rows + partRows - 1) / partRows }

  func part(of chunk: Int) -> Int { chunk * Self.chunkRows / partRows }

  func chunks(of part: Int) -> Range<Int> {
    let perPart = partRows / Self.chunkRows
    return part * perPart..<min(chunks, (part + 1) * perPart)
  }

  /// The pairs of a chunk: numbers of shards, and of pairs in them.
  func places(of chunk: Int) -> [(shard: Int, pairs: Range<Int>)] {
    var row = chunk * Self.chunkRows
    let end = min(rows, row + Self.chunkRows)
    var places: [(Int, Range<Int>)] = []
    var shard = (starts.firstIndex { $0 > row } ?? starts.count) - 1
    while row < end {
      let stop = min(end, starts[shard + 1])
      if row < stop { places.append((shard, row - starts[shard]..<stop - starts[shard])) }
      row = stop
      shard += 1
    }
    return places
  }

  /// A shard's name, as tables show it.
  func shardName(_ shard: Int) -> String { Self.name(shards[shard]) }

  static func name(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
}

/// What a folder of embeddings follows from, in words that can be compared.
struct EmbeddingSettings {
  private let settings: OutputSettings

  /// - Parameters:
  ///   - shards: In order; told by name and bytes.
  ///   - embedder: Told by its provenance, the hash of the weights among it.
  ///   - options: How the output is cut.
  /// - Throws: Where a shard is not there.
  init(
    _ shards: [String], _ embedder: any PairEmbedder, _ options: ShardEmbeddingOptions
  ) throws {
    settings = OutputSettings(
      [
        ("shards", try OutputSettings.digests(of: shards).joined(separator: ", ")),
        ("model", embedder.name), ("width", "\(embedder.width)"),
      ] + embedder.provenance.sorted { $0.key < $1.key }.map { ("model " + $0.key, $0.value) }
        + [
          ("part-rows", "\(options.partRows)"), ("chunk-rows", "\(EmbeddingPlan.chunkRows)"),
          ("parquet", "\(options.writesParquet)"),
        ])
  }

  var json: JSONValue { settings.json }

  /// - Throws: ``ShardEmbeddingError/otherOptions(path:differences:)`` with a line for each.
  func require(_ old: JSONValue?, at path: String) throws {
    let differences = settings.differences(from: old)
    guard differences.isEmpty else {
      throw ShardEmbeddingError.otherOptions(path: path, differences: differences)
    }
  }
}
