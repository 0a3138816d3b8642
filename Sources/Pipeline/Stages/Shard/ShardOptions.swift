public import PairDataset
public import PipelineCore

/// How shards are stored and described.
public struct ShardOptions: Sendable, Equatable {
  public enum Layout: String, Codable, Sendable, CaseIterable {
    case pairloom
    /// The keys, fields, words and `_stats.json` of img2dataset.
    case img2dataset
  }

  public var compression: ShardCompression
  public var layout: Layout
  public var keyScheme: KeyScheme
  /// The most pairs of a final shard; nil leaves the chunks' shards as they are.
  public var pairsPerShard: Int?
  /// The most bytes of a final shard's tar, one that a single pair exceeds aside; nil sets no bound.
  public var bytesPerShard: Int?

  /// Options in code; the key scheme is the layout's own unless it is given.
  public init(
    compression: ShardCompression = .lz4, layout: Layout = .pairloom, keyScheme: KeyScheme? = nil,
    pairsPerShard: Int? = nil, bytesPerShard: Int? = nil
  ) {
    precondition(layout == .pairloom || keyScheme != .uid, "img2dataset's keys are numbers")
    self.compression = compression
    self.layout = layout
    self.keyScheme = keyScheme ?? (layout == .img2dataset ? .img2dataset : .uid)
    self.pairsPerShard = pairsPerShard
    self.bytesPerShard = bytesPerShard
  }

  public init(from reader: inout RecipeReader) throws(RecipeError) {
    layout = try reader.choice("layout", default: .pairloom)
    // img2dataset's layout implies its keys: a folder of it with others would be neither program's.
    keyScheme =
      layout == .img2dataset
      ? try reader.choice("key_scheme", among: [.img2dataset], default: .img2dataset)
      : try reader.choice("key_scheme", default: .uid)
    // img2dataset's readers know no LZ4.
    compression = try reader.choice(
      "compression", among: [.lz4, .none], default: layout == .img2dataset ? .none : .lz4)
    // Only the last stage packs shards anew.
    reader.stage = .filter
    pairsPerShard = try reader.optionalInt("shard_pairs", in: 1...(1 << 40))
    // A tar of one pair has about 4 KiB.
    bytesPerShard = try reader.optionalInt("shard_bytes", in: 4_096...(1 << 50))
  }
}
