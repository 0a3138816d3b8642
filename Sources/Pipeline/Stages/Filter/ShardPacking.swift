public import PairDataset

/// How the shards to train on are cut and stored.
public struct ShardPacking: Sendable, Equatable {
  public var compression: ShardCompression
  /// The pairs of a shard, the last one aside; nil sets no bound.
  public var maxPairs: Int?
  /// The bytes of a shard's tar, which only a pair larger than that exceeds; nil sets no bound.
  public var maxBytes: Int?

  public init(compression: ShardCompression, maxPairs: Int? = nil, maxBytes: Int? = nil) {
    self.compression = compression
    self.maxPairs = maxPairs
    self.maxBytes = maxBytes
  }

  /// Whether pairs are packed anew where no rule asks for it.
  package var isAsked: Bool { maxPairs != nil || maxBytes != nil }
}
