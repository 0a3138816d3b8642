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

  public init(compression: ShardCompression = .lz4, layout: Layout = .pairloom) {
    self.compression = compression
    self.layout = layout
  }

  public init(from reader: inout RecipeReader) throws(RecipeError) {
    layout = try reader.choice("layout", default: .pairloom)
    // img2dataset's readers know no LZ4.
    compression = try reader.choice(
      "compression", among: [.lz4, .none], default: layout == .img2dataset ? .none : .lz4)
  }
}
