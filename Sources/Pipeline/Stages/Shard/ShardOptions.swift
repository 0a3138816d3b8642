public import PairDataset
public import PipelineCore

/// How shards are stored.
public struct ShardOptions: Sendable, Equatable {
  public var compression: ShardCompression

  public init(compression: ShardCompression = .lz4) { self.compression = compression }

  public init(from reader: inout RecipeReader) throws(RecipeError) {
    compression = try reader.choice("compression", among: [.lz4, .none], default: .lz4)
  }
}
